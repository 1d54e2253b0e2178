"""Patients are drawn with all their nodules; undefined draws are left out and counted."""

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstrap, patient_bootstraps
from nodule.evaluate.malignancy_rating._reader_agreement import auc


def test_the_bootstrap_draws_patients_with_all_their_nodules() -> None:
    # patient a has three nodules at 1, patient b one at 0: draws are aa, ab, ba or bb
    values = np.array([1.0, 1.0, 1.0, 0.0])
    seen = set()

    def mean(index: np.ndarray) -> float:
        seen.add(tuple(index.tolist()))
        return float(values[index].mean())

    share = patient_bootstrap(mean, ["a", "a", "a", "b"], bootstrap=BootstrapSettings(draws=200))
    assert (share.value, share.n) == (0.75, 4)
    assert (share.low, share.high, share.draws) == (0.0, 1.0, 200)
    # and the four cases themselves once, in order
    assert seen == {(0, 1, 2, 0, 1, 2), (0, 1, 2, 3), (3, 0, 1, 2), (3, 3)}


def test_draws_of_one_class_are_left_out_and_counted() -> None:
    score, truth = np.array([0.2, 0.9]), np.array([1.0, 5.0])
    area = patient_bootstrap(
        lambda index: auc(score[index], truth[index]),
        ["a", "b"],
        bootstrap=BootstrapSettings(draws=100),
    )
    assert area.value == 1.0
    assert area.draws is not None
    assert 25 < area.draws < 75  # half of the draws hold both patients


def test_a_figure_states_the_cases_that_it_rests_on() -> None:
    figures = patient_bootstraps(
        lambda index: {"all": 1.0, "some": 1.0},
        ["a", "b", "c"],
        bootstrap=BootstrapSettings(draws=2),
        n={"some": 2},
    )
    assert (figures["all"].n, figures["some"].n) == (3, 2)


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    def drawn(seed: int) -> list[list[int]]:
        return [each.tolist() for each in BootstrapSettings(draws=5, seed=seed).resamples(6)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_draws_that_are_refused_are_repeated() -> None:
    settings = BootstrapSettings(draws=20)
    drawn = list(settings.resamples(2, accept=lambda groups: 1 in groups))
    assert len(drawn) == 20
    assert all(1 in groups for groups in drawn)


@pytest.mark.parametrize(
    "wrong", [{"draws": 0}, {"seed": -1}, {"confidence": 0.0}, {"confidence": 1.0}]
)
def test_refuses_settings_that_give_no_interval(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="BAD_BOOTSTRAP"):
        BootstrapSettings(**wrong)


def test_refuses_no_cases_and_a_figure_that_is_never_defined() -> None:
    with pytest.raises(InputError, match="NO_CASES"):
        patient_bootstrap(lambda index: 1.0, [], bootstrap=BootstrapSettings())
    with pytest.raises(InputError, match="NO_DRAWS"):
        patient_bootstrap(lambda index: float("nan"), ["a"], bootstrap=BootstrapSettings(draws=3))
