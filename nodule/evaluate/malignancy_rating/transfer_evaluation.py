"""Whether what a network learnt before helps it: two groups of networks on the same nodules.

Each group holds one recipe, trained with several seeds. A figure of a group is the mean over its
networks, each judging alone, so that no seed is picked and none gains by voting with others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nodule.evaluate.bootstrap import Interval, patient_bootstraps
from nodule.evaluate.malignancy_rating.crop_predictions import Judgement
from nodule.evaluate.malignancy_rating.rating_scale import readers_mean, suspicion_of
from nodule.evaluate.malignancy_rating.reader_agreement import auc


def compare(
    judged: Sequence[Judgement],
    *,
    tuned: Sequence[int],
    scratch: Sequence[int],
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Compare two groups of members, nodule by nodule.

    Parameters
    ----------
    judged : by all members, rated nodules of both classes.
    tuned, scratch : the members' indices.
    draws, seed : of the bootstrap over patients. Both groups are measured on the same draws, so
        that what makes a patient easy or hard for both cancels out.

    Returns
    -------
    ``auc_tuned`` and ``auc_scratch``, the groups' mean area under the ROC curve of the readers'
    mean rating above against below 3, and ``auc_difference``, the first less the second. The
    intervals tell of other patients, not of other seeds.

    Raises
    ------
    InputError : ``NO_CASES``.
    """
    suspicion = member_suspicion(judged)
    truth = judged_truth(judged)

    def measure(index: NDArray[np.int64]) -> Mapping[str, float]:
        each = [auc(member[index], truth[index]) for member in suspicion]
        first = float(np.mean([each[member] for member in tuned]))
        second = float(np.mean([each[member] for member in scratch]))
        return {"auc_tuned": first, "auc_scratch": second, "auc_difference": first - second}

    patients = [each.record.patient_id for each in judged]
    return patient_bootstraps(measure, patients, rng=np.random.default_rng(seed), draws=draws)


def member_aucs(judged: Sequence[Judgement]) -> list[float | None]:
    """Return each member's own area under the ROC curve; None where one class is missing."""
    truth = judged_truth(judged)
    areas = (auc(member, truth) for member in member_suspicion(judged))
    return [None if math.isnan(area) else area for area in areas]


def member_suspicion(judged: Sequence[Judgement]) -> NDArray[np.float64]:
    """Return each member's probability of a vote above 3, if it is not 3, [member, item]."""
    return suspicion_of(np.stack([each.distributions for each in judged], axis=1))


def judged_truth(judged: Sequence[Judgement]) -> NDArray[np.float64]:
    """Return the readers' mean malignancy rating, [item]."""
    return readers_mean([each.votes["malignancy"] for each in judged])
