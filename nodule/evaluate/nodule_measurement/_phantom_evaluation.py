"""How well measured volumes agree with synthetic nodules whose volumes are known.

The truth is the body's own volume by quadrature over its surface, where it lies inside the lung:
it knows neither voxels nor the method's threshold. Nodules' sizes, kinds, places and shapes, dose,
sharpness, contrast medium and the lung's density are drawn as :func:`nodule.phantom.random_spec`
says; the voxels alternate between four customary ones. Each nodule is grown from where a detector
would point, as :func:`~nodule.evaluate.nodule_measurement._outline_scores.detector_errors` says.
Errors are relative to the truth, their 95 % limits the 2.5th and 97.5th percentile. A nodule
without a mask, or without a stated volume, is a failure and never within the tolerance; errors are
those of all masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import numpy as np

from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstrap
from nodule.evaluate._estimate import ErrorPercentiles, Estimate
from nodule.evaluate._evaluation_result import EvaluationResult, EvaluationScope, write_csv
from nodule.evaluate.nodule_measurement._outline_scores import detector_errors
from nodule.geometry import Vector, as_vector
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.measure.stage import measure_mask
from nodule.phantom import PhantomNodule, PhantomSpec, make_phantom, random_spec
from nodule.phantom.spec import LOCATIONS, TEXTURES, Location
from nodule.phantom.spec import Texture as Kind
from nodule.progress import Progress, silent
from nodule.volume import Volume

TOLERANCE = 0.10
LEAST_MM = 5.0
SIZES_MM = (
    ("5 to 6", 5.0, 6.0),
    ("6 to 8", 6.0, 8.0),
    ("8 to 12", 8.0, 12.0),
    ("from 12", 12.0, 99.0),
)
PER_SCAN = 15
_COLUMNS = (
    *("scan", "kind", "location", "truth_mm3", "truth_diameter_mm", "volume_mm3", "error"),
    *("stated", "z_spacing_mm", "y_spacing_mm", "x_spacing_mm", "noise_hu"),
)
_SPACINGS_ZYX_MM: tuple[Vector, ...] = (
    (1.25, 0.7, 0.7),
    (2.5, 0.7, 0.7),
    (1.25, 0.8, 0.8),
    (2.0, 0.75, 0.75),
)
_VIEW_ZYX_MM: Vector = (120.0, 240.0, 300.0)  # the middle of both lungs, from wall to wall
_OWN_DRAWS = 0x9A11  # apart from other phantoms of the same seed


@dataclass(frozen=True, kw_only=True)
class VolumeScore:
    """A synthetic nodule's volume, as measured and in truth.

    Parameters
    ----------
    scan : number of the phantom it lies in.
    kind, location : what it is made of, and what it touches.
    truth_mm3, truth_mm : its volume, and the diameter of the sphere of that volume.
    volume_mm3 : as measured, None where no mask grew.
    stated : whether the volume came with limits, as "not measurable" has none.
    spacing_zyx_mm, noise_hu : of the scan.
    """

    scan: int
    kind: Kind
    location: Location
    truth_mm3: float
    truth_mm: float
    volume_mm3: float | None
    stated: bool
    spacing_zyx_mm: Vector
    noise_hu: float

    @property
    def error(self) -> float | None:
        """Difference to the truth over the truth, None where nothing was measured."""
        return None if self.volume_mm3 is None else self.volume_mm3 / self.truth_mm3 - 1.0

    @property
    def within(self) -> bool:
        """Whether a volume was stated and is right to within the tolerance."""
        return self.stated and self.error is not None and abs(self.error) <= TOLERANCE


@dataclass(frozen=True, kw_only=True)
class VolumeGroup:
    """Some synthetic nodules' volumes.

    Parameters
    ----------
    n, n_not_grown : nodules, and those of them where no mask could be segmented.
    n_not_stated : those with a mask but without a volume that can be stated.
    within : share whose stated volume is within the tolerance of the truth.
    error : of every mask's volume, relative to the truth.
    """

    n: int
    n_not_grown: int
    n_not_stated: int
    within: Estimate | None
    error: ErrorPercentiles | None


@dataclass(frozen=True, kw_only=True)
class VolumeFigures:
    """All figures of an evaluation of volumes.

    Parameters
    ----------
    scope : what was evaluated; a phantom counts as a patient.
    tolerance : relative to the truth.
    least_mm : diameter from which nodules count.
    overall : all nodules from there on; the interval of ``within`` is over phantoms.
    by_kind, by_location, by_size : these by group, sizes in mm.
    below_5_mm : the smaller nodules.
    """

    scope: EvaluationScope
    tolerance: float
    least_mm: float
    overall: VolumeGroup
    by_kind: Mapping[str, VolumeGroup]
    by_location: Mapping[str, VolumeGroup]
    by_size: Mapping[str, VolumeGroup]
    below_5_mm: VolumeGroup


def phantom_specs(scans: int, *, seed: int, per_scan: int = PER_SCAN) -> tuple[PhantomSpec, ...]:
    """Draw synthetic chests; another seed draws others.

    Parameters
    ----------
    scans : how many.
    seed : of all draws.
    per_scan : nodules in each.
    """
    seeds = np.random.default_rng([seed, _OWN_DRAWS]).integers(2**31, size=scans)
    return tuple(
        _in_view(random_spec(int(drawn), n_nodules=per_scan), spacing_zyx_mm)
        for drawn, spacing_zyx_mm in zip(seeds, cycle(_SPACINGS_ZYX_MM), strict=False)
    )


def score_volumes(
    specs: Sequence[PhantomSpec], *, rules: GrowthRules | None = None, progress: Progress = silent
) -> Iterator[VolumeScore]:
    """Build each phantom and measure each of its nodules as the Measure stage does."""
    errors = detector_errors()
    for scan, spec in enumerate(specs):
        progress(scan / len(specs))
        phantom = make_phantom(spec)
        for nodule in phantom.nodules:
            aside, guess = next(errors)
            volume_mm3, stated = _measured(
                phantom.volume, nodule, rules or GrowthRules(), aside, guess
            )
            yield VolumeScore(
                scan=scan,
                kind=nodule.texture,
                location=nodule.location,
                truth_mm3=nodule.volume_mm3,
                truth_mm=nodule.diameter_mm,
                volume_mm3=volume_mm3,
                stated=stated,
                spacing_zyx_mm=spec.spacing_zyx_mm,
                noise_hu=spec.noise_hu,
            )


def evaluate_phantoms(
    scans: int, *, seed: int, bootstrap: BootstrapSettings, progress: Progress = silent
) -> EvaluationResult[VolumeFigures]:
    """Build phantoms and compare measured volumes with the true ones.

    Parameters
    ----------
    scans, seed : as :func:`phantom_specs`.
    bootstrap : draws of the phantoms.

    Raises
    ------
    InputError : as :func:`volume_figures`.
    """
    scores = tuple(score_volumes(phantom_specs(scans, seed=seed), progress=progress))

    def tabulate(path: Path) -> None:
        write_csv(path, _COLUMNS, map(_row, scores))

    return EvaluationResult(
        figures=volume_figures(scores, bootstrap=bootstrap), files={"nodules.csv": tabulate}
    )


def volume_figures(scores: Sequence[VolumeScore], *, bootstrap: BootstrapSettings) -> VolumeFigures:
    """Sum up scores.

    Parameters
    ----------
    scores : one per nodule; all of less than 5 mm are a group of their own, outside the others.
    bootstrap : draws of the scans.

    Raises
    ------
    InputError : ``NO_CASES`` where no nodule has 5 mm.
    """
    counted = [score for score in scores if score.truth_mm >= LEAST_MM]
    within = np.array([score.within for score in counted])
    share = patient_bootstrap(
        lambda index: float(within[index].mean()),
        [str(score.scan) for score in counted],
        bootstrap=bootstrap,
    )
    return VolumeFigures(
        scope=EvaluationScope(
            evaluation="phantoms",
            patients=len({score.scan for score in scores}),
            bootstrap=bootstrap,
        ),
        tolerance=TOLERANCE,
        least_mm=LEAST_MM,
        overall=replace(_group(counted), within=share),
        by_kind={kind: _group([s for s in counted if s.kind == kind]) for kind in TEXTURES},
        by_location={
            place: _group([s for s in counted if s.location == place]) for place in LOCATIONS
        },
        by_size={
            name: _group([s for s in counted if low <= s.truth_mm < high])
            for name, low, high in SIZES_MM
        },
        below_5_mm=_group([s for s in scores if s.truth_mm < LEAST_MM]),
    )


def _in_view(spec: PhantomSpec, spacing_zyx_mm: Vector) -> PhantomSpec:
    depth, height, width = (
        round(view_mm / spacing_mm)
        for view_mm, spacing_mm in zip(_VIEW_ZYX_MM, spacing_zyx_mm, strict=True)
    )
    return replace(spec, shape_zyx=(depth, height, width), spacing_zyx_mm=spacing_zyx_mm)


def _measured(
    volume: Volume, nodule: PhantomNodule, rules: GrowthRules, aside: Vector, guess: float
) -> tuple[float | None, bool]:
    """Return the volume from a point aside of the nodule, and whether it can be stated."""
    offset_mm = np.asarray(aside) * nodule.diameter_mm
    mask = segment_nodule(
        volume,
        center_lps_mm=as_vector(np.asarray(nodule.center_lps_mm) + offset_mm),
        diameter_mm=guess * nodule.diameter_mm,
        rules=rules,
    )
    if mask is None:
        return None, False
    measured = measure_mask(mask, volume)
    return mask.volume_mm3, measured.volume_mm3 is not None


def _group(scores: Sequence[VolumeScore]) -> VolumeGroup:
    errors = [score.error for score in scores if score.error is not None]
    within = sum(score.within for score in scores)
    return VolumeGroup(
        n=len(scores),
        n_not_grown=len(scores) - len(errors),
        n_not_stated=sum(score.error is not None and not score.stated for score in scores),
        within=Estimate.share(within, len(scores)) if scores else None,
        error=ErrorPercentiles.of(errors),
    )


def _row(score: VolumeScore) -> tuple[object, ...]:
    return (
        *(score.scan, score.kind, score.location),
        *(f"{score.truth_mm3:.2f}", f"{score.truth_mm:.3f}"),
        "" if score.volume_mm3 is None else f"{score.volume_mm3:.2f}",
        "" if score.error is None else f"{score.error:.4f}",
        int(score.stated),
        *(f"{spacing:g}" for spacing in score.spacing_zyx_mm),
        f"{score.noise_hu:g}",
    )
