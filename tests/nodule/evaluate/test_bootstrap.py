"""Patients are drawn with all their nodules; undefined draws are left out and counted."""

import numpy as np

from nodule.evaluate.bootstrap import patient_bootstrap
from nodule.evaluate.malignancy_rating.reader_agreement import auc


def test_the_bootstrap_draws_patients_with_all_their_nodules() -> None:
    # patient a has three nodules at 1, patient b one at 0: draws are aa, ab, ba or bb
    values = np.array([1.0, 1.0, 1.0, 0.0])
    seen = set()

    def mean(index: np.ndarray) -> float:
        seen.add(tuple(index.tolist()))
        return float(values[index].mean())

    interval = patient_bootstrap(
        mean, ["a", "a", "a", "b"], rng=np.random.default_rng(0), draws=200
    )
    assert interval.estimate == 0.75
    assert (interval.lower, interval.upper, interval.draws) == (0.0, 1.0, 200)
    # and the four cases themselves once, in order
    assert seen == {(0, 1, 2, 0, 1, 2), (0, 1, 2, 3), (3, 0, 1, 2), (3, 3)}


def test_draws_of_one_class_are_left_out_and_counted() -> None:
    score, truth = np.array([0.2, 0.9]), np.array([1.0, 5.0])
    interval = patient_bootstrap(
        lambda index: auc(score[index], truth[index]),
        ["a", "b"],
        rng=np.random.default_rng(0),
        draws=100,
    )
    assert interval.estimate == 1.0
    assert 25 < interval.draws < 75  # half of the draws hold both patients
