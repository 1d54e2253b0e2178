"""Made-up predictions, by hand."""

from collections.abc import Mapping

import numpy as np

from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction
from nodule.malignancy import Calibration
from nodule.training import NoduleRecord

PLAIN = Calibration(
    members=("aa",),
    temperature=1.0,
    slope=1.0,
    intercept=-2.9,
    threshold=0.5,
    width_limit=1.2,
    n_nodules=1,
)
"""Leaves distributions as they are; suspects mean ratings above 2.9."""


def peaked(rating: int) -> np.ndarray:
    """Return a distribution of 0.84 at a rating and 0.04 elsewhere."""
    distribution = np.full(5, 0.04, np.float32)
    distribution[rating - 1] = 0.84
    return distribution


def prediction(
    votes: tuple[int, ...],
    said: int,
    *,
    patient: str,
    diameter_mm: float = 8.0,
    fold: int = 4,
    by_kind: Mapping[str, int] | None = None,
) -> NodulePrediction:
    """Return a nodule of a patient that one network gave a rating."""
    record = NoduleRecord(
        kind="stack", file="none.npz", key=f"{patient}{votes}", patient_id=patient, fold=fold,
        center_lps_mm=None, spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=None,
        diameter_mm=diameter_mm, n_readers=sum(votes), readers=tuple(range(sum(votes))),
        ratings={}, voi_file=None,
    )  # fmt: skip
    return NodulePrediction(
        record=record,
        votes={"malignancy": votes, "texture": (0, 0, 0, 0, 3)},
        probability=0.9,
        distributions=peaked(said)[None],
        diameter_mm=8.0,
        by_kind={kind: peaked(rating)[None] for kind, rating in (by_kind or {}).items()},
    )


FOUR = (
    prediction((4, 0, 0, 0, 0), 1, patient="A", diameter_mm=4.0),
    prediction((0, 2, 2, 0, 0), 4, patient="B", diameter_mm=9.0),
    prediction((0, 0, 0, 4, 0), 2, patient="C", diameter_mm=8.0),
    prediction((0, 0, 0, 0, 4), 5, patient="D", diameter_mm=20.0),
    prediction((0, 0, 4, 0, 0), 3, patient="E", diameter_mm=1.0),
)
"""Two benign, two malignant, one between: readers' means 1, 2.5, 4, 5 and 3."""
