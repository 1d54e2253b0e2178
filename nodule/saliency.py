"""Saliency maps of a network's answers: what the stage that explains hands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nodule.errors import GeometryError, InputError
from nodule.geometry import Geometry

Answer = Literal["nodule", "malignancy"]
"""The probability of being a nodule, 0 to 1, or the mean malignancy rating, 1 to 5."""


@dataclass(frozen=True, kw_only=True)
class SaliencyChecks:
    """Whether a saliency map can be believed.

    Parameters
    ----------
    score : the networks' answer about the place.
    score_without_hottest : the answer when the map's most salient tenth of the cube is filled with
        lung; a map that shows what the answer rests on moves it. Bare lung has an answer too,
        so that a rating below that one rises.
    scores_without_elsewhere : the answers when the same shape is filled anywhere in the cube
        instead, one a draw.
    likeness_random_head : rank correlation with the map of networks whose last layers hold
        shuffled weights; a map that shows what was learned is far from 1.
    likeness_random_network : the same with every layer shuffled.

    References
    ----------
    Adebayo et al. 2018, Sanity Checks for Saliency Maps.
    """

    score: float
    score_without_hottest: float
    scores_without_elsewhere: tuple[float, ...]
    likeness_random_head: float
    likeness_random_network: float

    @property
    def change_hottest(self) -> float:
        """How far the answer moves without the most salient tenth."""
        return self.score_without_hottest - self.score

    @property
    def change_elsewhere(self) -> float:
        """How far it moves, in the mean of the draws, without as much of the cube elsewhere."""
        return float(np.mean(self.scores_without_elsewhere)) - self.score


@dataclass(frozen=True, kw_only=True, eq=False)
class SaliencyMap:
    """What raised an answer about one finding.

    Parameters
    ----------
    finding_id : the finding's.
    answer : which answer is explained.
    saliency_zyx : float16 [z, y, x], 0 to 1; all 0 where nothing raised the answer.
    geometry : its grid in LPS mm.
    checks : whether it can be believed.

    Raises
    ------
    GeometryError : ``SHAPE_MISMATCH``.
    InputError : ``BAD_DTYPE`` or ``BAD_HEAT``.
    """

    finding_id: str
    answer: Answer
    saliency_zyx: NDArray[np.float16] = field(repr=False)
    geometry: Geometry
    checks: SaliencyChecks

    def __post_init__(self) -> None:
        if self.saliency_zyx.shape != self.geometry.shape_zyx:
            raise GeometryError(
                "a saliency map does not fit its grid",
                code="SHAPE_MISMATCH",
                expected=self.geometry.shape_zyx,
                got=self.saliency_zyx.shape,
            )
        if self.saliency_zyx.dtype != np.float16:
            raise InputError(
                "wrong voxel type",
                code="BAD_DTYPE",
                expected="float16",
                got=self.saliency_zyx.dtype,
            )
        if not (self.saliency_zyx.min() >= 0 and self.saliency_zyx.max() <= 1):  # NaN is neither
            raise InputError(
                "a saliency map has values beyond its limits", code="BAD_HEAT", expected="0 to 1"
            )
