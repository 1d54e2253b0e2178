"""The ``nodule`` command with stages that need no weights: quick stand-ins for the networks.

Reading, resampling, the runner, the cache and the report are the real ones. As a script it takes
the arguments of ``nodule``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from nodule.ct import ReadCt
from nodule.findings import Assessment, Candidate, Finding, Malignancy, ScoredCandidate
from nodule.geometry import as_vector
from nodule.inference import SPEED_ONLY
from nodule.nodules import Nodule
from nodule.resample import Resample
from nodule.study import Study
from nodule.volume import LungMask, Volume
from pipelines import flows

CONFIG = """
[resample]
spacing_mm = 3.0
[resample.window]
low_hu = -1000.0
high_hu = 400.0
[lungs]
below_hu = -500.0
device = "auto"
[candidates]
count = 2
[malignancy]
slowness_s = 0.0
[measure]
"""


@dataclass(frozen=True, kw_only=True)
class AirAsLungs:
    name: ClassVar[str] = "lungs"
    version: ClassVar[int] = 1

    below_hu: float = -500.0
    device: str = field(default="auto", metadata=SPEED_ONLY)

    def run(self, *, volume: Volume, series: Any, progress: Any) -> LungMask:
        labels = (volume.array_zyx < self.below_hu).astype(np.uint8)
        return LungMask(labels_zyx=labels, geometry=volume.geometry)


@dataclass(frozen=True, kw_only=True)
class AlongTheAxis:
    name: ClassVar[str] = "candidates"
    version: ClassVar[int] = 1

    count: int = 2

    def run(self, *, volume: Volume, lungs: LungMask, progress: Any) -> tuple[Candidate, ...]:
        middle = np.asarray(volume.geometry.shape_zyx) / 2
        return tuple(
            Candidate(
                center_lps_mm=as_vector(
                    volume.geometry.index_to_lps(np.add(middle, (3 * i, 0, 0)))
                ),
                score=1 / (i + 1),
                diameter_mm=5.0,
            )
            for i in range(self.count)
        )


@dataclass(frozen=True, kw_only=True)
class EvenOdds:
    name: ClassVar[str] = "malignancy"
    version: ClassVar[int] = 1

    slowness_s: float = field(default=0.0, metadata=SPEED_ONLY)

    def run(
        self, *, volume: Volume, candidates: tuple[Candidate, ...], progress: Any
    ) -> tuple[ScoredCandidate, ...]:
        time.sleep(self.slowness_s)
        even = Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, 0.2))
        return tuple(
            ScoredCandidate(candidate=c, probability=c.score, malignancy=even) for c in candidates
        )


@dataclass(frozen=True, kw_only=True)
class Unmeasured:
    """Measures nothing; its rules of growth are for what readers add."""

    name: ClassVar[str] = "measure"
    version: ClassVar[int] = 1

    edge_fraction: float = 0.485
    opening_fraction: float = 0.45
    smoothing_mm: float = 0.5
    grid_mm: float = 0.7

    def run(
        self, *, study: Study, lungs: LungMask, scored: tuple[ScoredCandidate, ...], progress: Any
    ) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                nodule=Nodule(
                    id=f"N{i}",
                    center_lps_mm=each.candidate.center_lps_mm,
                    lung="left",
                    image=study.image_at(each.candidate.center_lps_mm),
                ),
                assessment=Assessment(probability=each.probability, malignancy=each.malignancy),
                mask=None,
            )
            for i, each in enumerate(scored, start=1)
        )


def light_stage_types() -> tuple[type[Any], ...]:
    return ReadCt, Resample, AirAsLungs, AlongTheAxis, EvenOdds, Unmeasured


if __name__ == "__main__":
    from pipelines.cli.main import main

    flows.detect_stage_types = light_stage_types
    main()
