"""``nodule`` with quick stand-ins for the networks, whose findings have masks for a SEG.

As a script it takes the arguments of ``nodule``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import light_flow

from nodule.findings import Finding, ScoredCandidate
from nodule.masks import NoduleMask
from nodule.nodules import Measurement
from nodule.study import Study
from nodule.volume import LungMask
from pipelines import flows


@dataclass(frozen=True, kw_only=True)
class Masked(light_flow.Unmeasured):
    """Takes the voxel at a candidate for its mask."""

    def run(
        self, *, study: Study, lungs: LungMask, scored: tuple[ScoredCandidate, ...], progress: Any
    ) -> tuple[Finding, ...]:
        found = super().run(study=study, lungs=lungs, scored=scored, progress=progress)
        return tuple(_measured(each, study) for each in found)


def _measured(finding: Finding, study: Study) -> Finding:
    grid = study.volume.geometry
    center = finding.nodule.center_lps_mm
    array = np.zeros(grid.shape_zyx, np.bool_)
    array[tuple(np.rint(grid.lps_to_index(np.asarray(center))).astype(int))] = True
    size = Measurement(center_lps_mm=center, long_axis_mm=9.0, short_axis_mm=8.0)
    return replace(
        finding,
        nodule=replace(finding.nodule, measurement=size),
        mask=NoduleMask.cropped(array, start_zyx=(0, 0, 0), source=grid, texture="solid"),
    )


if __name__ in ("__main__", "__mp_main__"):  # the latter in processes that the former starts
    flows.detect_stage_types = lambda: (*light_flow.light_stage_types()[:-1], Masked)

if __name__ == "__main__":
    from pipelines.cli.main import main

    main()
