"""The extent of disease: of phantoms whose diseased volume is known, and of scans as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nodule.chain import Chain
from nodule.evaluate._evaluation_result import EvaluationResult, EvaluationScope
from nodule.lidc import WholeScan
from nodule.lung_disease import DiseasedLung, LungDisease
from nodule.nodules import Lung
from nodule.phantom import DiseasePatch, NodulePlan, Phantom, PhantomSpec, make_phantom
from nodule.study import SeriesHeader, Study
from nodule.training import read_study
from nodule.volume import LungMask

_LABELS: tuple[tuple[Lung, int], ...] = (("right", LungMask.RIGHT), ("left", LungMask.LEFT))
_GROUND_GLASS, _CONSOLIDATION = 1, 2  # of a phantom's labels
_GRID = ((120, 220, 220), (2.5, 1.6, 1.6))
_NODULES = (NodulePlan(diameter_mm=18.0), NodulePlan(diameter_mm=9.0))
_PLACES_MM = ((75.0, 40.0, -20.0), (80.0, 20.0, 20.0), (80.0, 40.0, -60.0), (70.0, 0.0, 40.0))
_RADII_MM = (20.0, 55.0)
_MOST_PATCHES = 3


@dataclass(frozen=True, kw_only=True)
class LungExtent:
    """What was measured of one lung, ml, and what is true where that is known.

    Parameters
    ----------
    study : a scan, or a phantom's number.
    lung : the patient's own side.
    true_ground_glass_ml, true_consolidation_ml : None of a scan.
    ground_glass_ml, consolidation_ml, left_out_ml : as measured.
    share : of the lung that is diseased, as measured.
    diffuse : whether rules for nodules wait.
    """

    study: str
    lung: Lung
    true_ground_glass_ml: float | None
    true_consolidation_ml: float | None
    ground_glass_ml: float
    consolidation_ml: float
    left_out_ml: float
    share: float
    diffuse: bool

    @property
    def true_ml(self) -> float | None:
        """All that is diseased, None where that is not known."""
        if self.true_ground_glass_ml is None or self.true_consolidation_ml is None:
            return None
        return self.true_ground_glass_ml + self.true_consolidation_ml


@dataclass(frozen=True, kw_only=True)
class DiseaseFigures:
    """What was measured.

    Parameters
    ----------
    scope : what it rests on.
    ground_glass_found, consolidation_found : measured over true ml, of all phantoms' lungs
        together; consolidation with what lies between ribs and mask. None where there is none.
    lungs : every lung.
    """

    scope: EvaluationScope
    ground_glass_found: float | None
    consolidation_found: float | None
    lungs: tuple[LungExtent, ...]


def evaluate_disease(
    scans: Sequence[WholeScan],
    *,
    phantoms: int,
    chain: Chain,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> EvaluationResult[DiseaseFigures]:
    """Measure disease in phantoms with patches of known volume, and in scans.

    Parameters
    ----------
    scans : whole scans; what of them is diseased is for a reader to know.
    phantoms : how many to make; the first of them is healthy.
    chain : the stages, of which lungs and disease run. Nodules are not looked for.
    seed : of the phantoms.
    progress : called with the share done.

    Raises
    ------
    NoduleError : as reading and the stages raise it.
    """
    found: list[LungExtent] = []
    for number in range(phantoms):
        phantom = make_phantom(diseased_spec(seed, number))
        study = Study(volume=phantom.volume, series=SeriesHeader(source_format="nifti"))
        extent = _measured(study, chain)
        found += [
            lung_extent(f"phantom {number}", each, truth_ml(phantom, label))
            for (_, label), each in zip(_LABELS, (extent.right, extent.left), strict=True)
        ]
        progress((number + 1) / (phantoms + len(scans)))
    for number, scan in enumerate(scans, start=1):
        extent = _measured(read_study(scan), chain)
        found += [lung_extent(scan.patient, each, None) for each in (extent.right, extent.left)]
        progress((phantoms + number) / (phantoms + len(scans)))
    return EvaluationResult(figures=disease_figures(found, patients=len(scans) + phantoms))


def diseased_spec(seed: int, number: int) -> PhantomSpec:
    """Return a phantom with up to three patches of either kind; number 0 has none."""
    rng = np.random.default_rng([seed, number])
    return PhantomSpec(
        seed=seed + number,
        shape_zyx=_GRID[0],
        spacing_zyx_mm=_GRID[1],
        nodules=_NODULES,
        patches=tuple(_patches(rng)) if number else (),
    )


def _patches(rng: np.random.Generator) -> Iterator[DiseasePatch]:
    for place in rng.permutation(len(_PLACES_MM))[: rng.integers(1, _MOST_PATCHES + 1)]:
        x, y, z = _PLACES_MM[place]
        yield DiseasePatch(
            kind="ground-glass" if rng.random() < 0.5 else "consolidation",
            center_lps_mm=(x if rng.random() < 0.5 else -x, y, z),
            radius_mm=round(float(rng.uniform(*_RADII_MM)), 1),
        )


def truth_ml(phantom: Phantom, label: int) -> tuple[float, float]:
    """Return how much of a lung is ground glass and consolidation, ml."""
    own = phantom.lungs.labels_zyx == label
    ml = phantom.volume.geometry.voxel_volume_mm3 / 1000.0
    glass, dense = (
        float(np.count_nonzero(own & (phantom.disease_zyx == kind))) * ml
        for kind in (_GROUND_GLASS, _CONSOLIDATION)
    )
    return glass, dense


def _measured(study: Study, chain: Chain) -> LungDisease:
    seen = chain.on(study)
    return chain.disease.run(volume=seen.volume, lungs=seen.lungs, findings=())


def lung_extent(study: str, lung: DiseasedLung, truth: tuple[float, float] | None) -> LungExtent:
    """Put what was measured of a lung beside the truth."""
    return LungExtent(
        study=study,
        lung=lung.lung,
        true_ground_glass_ml=None if truth is None else truth[0],
        true_consolidation_ml=None if truth is None else truth[1],
        ground_glass_ml=lung.ground_glass_ml,
        consolidation_ml=lung.consolidation_ml,
        left_out_ml=lung.left_out_ml,
        share=lung.share,
        diffuse=lung.diffuse,
    )


def disease_figures(lungs: Sequence[LungExtent], *, patients: int) -> DiseaseFigures:
    """Sum up lungs."""
    known = [each for each in lungs if each.true_ml is not None]
    glass = sum(each.true_ground_glass_ml or 0.0 for each in known)
    dense = sum(each.true_consolidation_ml or 0.0 for each in known)
    found_dense = sum(each.consolidation_ml + each.left_out_ml for each in known)
    return DiseaseFigures(
        scope=EvaluationScope(evaluation="disease", patients=patients),
        ground_glass_found=sum(each.ground_glass_ml for each in known) / glass if glass else None,
        consolidation_found=found_dense / dense if dense else None,
        lungs=tuple(lungs),
    )
