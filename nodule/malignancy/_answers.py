"""What the malignancy networks look at and what they answer, without the networks themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

LEVELS: Mapping[str, int] = {
    "subtlety": 5,
    "internalStructure": 4,
    "calcification": 6,
    "sphericity": 5,
    "margin": 5,
    "lobulation": 5,
    "spiculation": 5,
    "texture": 5,
    "malignancy": 5,
}
"""Number of ratings per LIDC characteristic, in the order of the readers' XML."""

NOMINAL = frozenset({"internalStructure", "calcification"})
"""Characteristics whose ratings have no order."""

REFERENCE_DIAMETER_MM = 8.0
"""The diameter output is the natural logarithm of the diameter over this."""

TASK_WIDTHS = (1, 1, *LEVELS.values())
"""Outputs of the tasks in their order: nodule, diameter, each characteristic."""

MAGNIFICATIONS_MM = (1.0,)
CUBE = 32


class SeesCubes(Protocol):
    """What takes cubes of a place.

    Parameters
    ----------
    magnifications_mm : edge of a voxel of each cube.
    cube : voxels along an edge.
    """

    @property
    def magnifications_mm(self) -> tuple[float, ...]: ...

    @property
    def cube(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class CubeSizes:
    """The cubes that a network takes; parameters as :class:`SeesCubes`."""

    magnifications_mm: tuple[float, ...] = MAGNIFICATIONS_MM
    cube: int = CUBE

    @classmethod
    def of(cls, architecture: Mapping[str, object]) -> CubeSizes:
        """Read the arguments from which a network is built."""
        pitches = cast("Sequence[float]", architecture.get("magnifications_mm", MAGNIFICATIONS_MM))
        return cls(magnifications_mm=tuple(pitches), cube=cast(int, architecture.get("cube", CUBE)))


def finds_only(architecture: Mapping[str, object]) -> bool:
    """Whether a network answers for the nodule alone, by the arguments that build it."""
    return architecture.get("answers") == "nodule"


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What a network says of several places.

    Parameters
    ----------
    probability : that each is a nodule, float32 [item].
    ratings : per LIDC characteristic the distribution over its ratings, [item, level].
    diameter_mm : [item].
    """

    probability: NDArray[np.float32]
    ratings: Mapping[str, NDArray[np.float32]]
    diameter_mm: NDArray[np.float32]

    @property
    def malignancy(self) -> NDArray[np.float32]:
        """Distribution over the ratings 1 to 5, [item, 5]."""
        return self.ratings["malignancy"]

    @classmethod
    def of(cls, logits: NDArray[np.float32]) -> Prediction:
        """Average what a network says of several views of each place.

        Parameters
        ----------
        logits : float32 [view, item, output], as :meth:`C3DMultitask.logits` gives them.
        """
        borders = np.cumsum(TASK_WIDTHS)[:-1]
        nodule, log_diameter, *ratings = np.split(logits, borders, axis=-1)
        return cls(
            probability=expit(nodule[..., 0]).mean(axis=0),
            ratings={
                name: softmax(each, axis=-1).mean(axis=0)
                for name, each in zip(LEVELS, ratings, strict=True)
            },
            diameter_mm=REFERENCE_DIAMETER_MM * np.exp(log_diameter[..., 0].mean(axis=0)),
        )
