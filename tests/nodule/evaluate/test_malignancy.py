"""Figures of malignancy agree with arithmetic by hand and are blind to order."""

from dataclasses import replace

import numpy as np
import pytest

from nodule.evaluate.malignancy import (
    agreement,
    context_shift,
    discernment,
    reader_kappa,
    sensitivity_at_specificity,
)
from nodule.lidc.records import NoduleRecord
from nodule.malignancy.judge import Discernment, Judgement


def judged(votes: tuple[int, ...], said: int, *, patient: str, diameter_mm: float) -> Judgement:
    record = NoduleRecord(
        kind="stack", file="none.npz", patient_id=patient, fold=4, center_lps_mm=None,
        spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=None, diameter_mm=diameter_mm,
        n_readers=sum(votes), readers=tuple(range(sum(votes))), ratings={}, voi_file=None,
    )  # fmt: skip
    distribution = np.full(5, 0.05, np.float32)
    distribution[said - 1] = 0.8
    return Judgement(
        record=record, votes=votes, probability=0.9, distribution=distribution, diameter_mm=8.0
    )


FOUR = (
    judged((4, 0, 0, 0, 0), 1, patient="A", diameter_mm=4.0),
    judged((0, 2, 2, 0, 0), 4, patient="B", diameter_mm=9.0),
    judged((0, 0, 0, 4, 0), 2, patient="C", diameter_mm=8.0),
    judged((0, 0, 0, 0, 4), 5, patient="D", diameter_mm=20.0),
    judged((0, 0, 4, 0, 0), 3, patient="E", diameter_mm=1.0),
)


def test_suspicion_leaves_the_indeterminate_rating_out() -> None:
    nodule = FOUR[0]
    assert nodule.readers_mean == 1.0
    assert nodule.score == pytest.approx(0.8 + 0.05 * (2 + 3 + 4 + 5))
    assert nodule.suspicion == pytest.approx(0.1 / 0.95)


def test_auc_counts_the_pairs_in_order_and_drops_the_mean_of_three() -> None:
    found = agreement(FOUR, draws=20)
    # malignant C D against benign A B: C ties with A and loses to B, D beats A and ties with B
    assert found["auc"].estimate == pytest.approx((0.5 + 0 + 1 + 0.5) / 4)
    # by diameter 8 beats 4 only, 20 beats both
    assert found["auc_diameter"].estimate == pytest.approx(3 / 4)
    assert found["auc_beyond_diameter"].estimate == pytest.approx(1 / 2 - 3 / 4)
    assert found["auc"].lower <= 1 / 2 <= found["auc"].upper


def test_ratings_are_compared_after_rounding_half_up() -> None:
    found = agreement(FOUR, draws=5)
    # the readers' 1, 2.5, 4, 5, 3 against 1.5, 3.75, 2.25, 4.5, 3: levels 1 3 4 5 3, 2 4 2 5 3
    assert found["exact"].estimate == pytest.approx(2 / 5)
    assert found["within_one"].estimate == pytest.approx(4 / 5)


def test_what_the_surroundings_change_is_measured_where_both_views_exist() -> None:
    shown = [
        replace(FOUR[0], score_by_kind={"stack": 1.5, "crop51": 1.7}),
        replace(FOUR[1], score_by_kind={"stack": 3.0, "crop51": 2.6, "voi": 5.0}),
        replace(FOUR[2], score_by_kind={"stack": 2.0}),
    ]
    found = context_shift(shown, draws=10)
    assert found["context_shift"].estimate == pytest.approx((0.2 - 0.4) / 2)
    assert found["context_deviation"].estimate == pytest.approx((0.2 + 0.4) / 2)
    assert context_shift(FOUR) == {}


def test_readers_who_agree_have_kappa_one() -> None:
    assert reader_kappa([(4, 0, 0, 0, 0), (0, 0, 0, 0, 3), (1, 0, 0, 0, 0)]) == pytest.approx(1.0)


def test_sensitivity_is_read_at_the_specificity() -> None:
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.8, 0.3, 0.6, 0.9])
    label = np.array([0, 0, 0, 0, 0, 1, 1, 1], dtype=bool)
    # above 0.4 one of five negatives and two of three positives
    assert sensitivity_at_specificity(probability, label) == pytest.approx(2 / 3)


def test_false_places_below_nearly_all_nodules_are_removed() -> None:
    seen = Discernment(
        patients=("A", "A", "B", "B"),
        is_nodule=np.array([True, False, True, False]),
        probability=np.array([0.9, 0.2, 0.5, 0.7], np.float32),
    )
    found = discernment(seen, draws=20)
    assert found["nodule_auc"].estimate == pytest.approx(3 / 4)
    assert found["false_removed_at_98_kept"].estimate == pytest.approx(1 / 2)
