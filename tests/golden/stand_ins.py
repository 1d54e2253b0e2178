"""Quick stand-ins for the networks, as stages of the flow: lungs by air, nodules where planted."""

from dataclasses import dataclass
from typing import Any, ClassVar

import answers
import numpy as np
from scipy import ndimage

_AIR_BELOW_HU = -500.0
_STANDS_OUT_HU = -740.0
_LEAST_ML = 300.0  # more than the trachea
SPACING_MM = 2.5

Place = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class InnerAir:
    """Air that does not reach the rim of a slice: lungs and what holds them together."""

    name: ClassVar[str] = "lungs"
    version: ClassVar[int] = 1

    def run(self, *, volume: answers.Volume, series: Any, progress: Any) -> answers.LungMask:
        parts, count = ndimage.label(volume.array_zyx < _AIR_BELOW_HU)
        rim = np.ones(parts.shape, bool)
        rim[:, 1:-1, 1:-1] = False
        outside = np.unique(parts[rim])
        sizes_ml = np.bincount(parts.ravel()) * volume.geometry.voxel_volume_mm3 / 1000.0
        inner = [n for n in range(1, count + 1) if n not in outside and sizes_ml[n] > _LEAST_ML]
        lungs = ndimage.binary_closing(np.isin(parts, inner), iterations=2)
        origin, step = volume.geometry.origin_lps_mm[0], volume.geometry.spacing_zyx_mm[2]
        left = origin + step * np.arange(lungs.shape[2]) > 0
        sides = np.where(left, answers.LungMask.LEFT, answers.LungMask.RIGHT)
        labels = (lungs * sides).astype(np.uint8)
        return answers.LungMask(labels_zyx=labels, geometry=volume.geometry)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Candidates at those of the given places (LPS x, y, z and the diameter, mm) that stand out.

    What is ``bare`` is proposed all the same.
    """

    name: ClassVar[str] = "candidates"
    version: ClassVar[int] = 1

    places: tuple[Place, ...]
    bare: tuple[Place, ...] = ()

    def run(
        self, *, volume: answers.Volume, lungs: answers.LungMask, progress: Any
    ) -> tuple[answers.Candidate, ...]:
        bright = tuple(each for each in self.places if _hu(volume, each) > _STANDS_OUT_HU)
        return tuple(
            answers.Candidate(center_lps_mm=(x, y, z), score=0.9, diameter_mm=diameter)
            for x, y, z, diameter in (*bright, *self.bare)
        )


def _hu(volume: answers.Volume, place: Place) -> float:
    z, y, x = np.rint(volume.geometry.lps_to_index(place[:3])).astype(int)
    return float(volume.array_zyx[z, y, x])


@dataclass(frozen=True, kw_only=True)
class FallingOdds:
    """Probabilities that fall with the number, and malignancies that differ."""

    name: ClassVar[str] = "malignancy"
    version: ClassVar[int] = 1

    def run(
        self,
        *,
        volume: answers.Volume,
        candidates: tuple[answers.Candidate, ...],
        progress: Any,
    ) -> tuple[answers.ScoredCandidate, ...]:
        ratings = ((0.5, 0.3, 0.1, 0.1, 0.0), (0.0, 0.1, 0.2, 0.3, 0.4), (0.2, 0.2, 0.2, 0.2, 0.2))
        return tuple(
            answers.ScoredCandidate(
                candidate=each,
                probability=round(0.97 - 0.04 * number, 4),
                malignancy=answers.Malignancy(
                    distribution=ratings[number % 3],
                    ensemble_sd=0.11 * (number % 3),
                    suspicion=(0.12, 0.84, None)[number % 3],
                    indeterminate=number % 3 == 2,
                ),
            )
            for number, each in enumerate(candidates)
        )


def stages(places: tuple[Place, ...], *, bare: tuple[Place, ...]) -> dict[str, Any]:
    """Return the stages of the flow; reading, resampling and measuring are the real ones."""
    return {
        "read_ct": answers.ReadCt(),
        "resample": answers.Resample(spacing_mm=SPACING_MM),
        "lungs": InnerAir(),
        "candidates": Planted(places=places, bare=bare),
        "malignancy": FallingOdds(),
        "measure": answers.MEASURE,
    }
