"""How well measured volumes agree with synthetic nodules whose volumes are known.

The truth is the body's own volume by quadrature over its surface, where it lies inside the lung:
it knows neither voxels nor the method's threshold. Nodules' sizes, kinds, places and shapes, dose,
sharpness, contrast medium and the lung's density are drawn as :func:`nodule.phantom.random_spec`
says; the voxels alternate between four customary ones. Each nodule is grown from where a detector
would point, as :func:`~nodule.evaluate.nodule_measurement.mask_evaluation.detector_errors` says.
Errors are relative to the truth, their 95 % limits the 2.5th and 97.5th percentile. What is not
grown, or has no stated volume, is a failure and never within the tolerance; errors are of all that
is grown. Loads
scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import numpy as np

from nodule.evaluate.bootstrap import patient_bootstrap
from nodule.evaluate.nodule_measurement.mask_evaluation import detector_errors
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


def volume_figures(
    scores: Sequence[VolumeScore], *, draws: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """Sum up scores as plain numbers.

    Parameters
    ----------
    scores : one per nodule; all of less than 5 mm are a group of their own, outside the others.
    draws, seed : of the bootstrap over scans.

    Returns
    -------
    dict : names to numbers, ready for JSON; the interval is a 95 % one.

    Raises
    ------
    InputError : ``NO_CASES`` where no nodule has 5 mm.
    """
    counted = [score for score in scores if score.truth_mm >= LEAST_MM]
    within = np.array([score.within for score in counted])
    interval = patient_bootstrap(
        lambda index: float(within[index].mean()),
        [str(score.scan) for score in counted],
        rng=np.random.default_rng(seed),
        draws=draws,
    )
    return {
        "n_scans": len({score.scan for score in scores}),
        "tolerance": TOLERANCE,
        "least_mm": LEAST_MM,
        **_group(counted),
        "within_interval": [interval.lower, interval.upper],
        "by_kind": {kind: _group([s for s in counted if s.kind == kind]) for kind in TEXTURES},
        "by_location": {
            place: _group([s for s in counted if s.location == place]) for place in LOCATIONS
        },
        "by_size": {
            name: _group([s for s in counted if low <= s.truth_mm < high])
            for name, low, high in SIZES_MM
        },
        "below_5_mm": _group([s for s in scores if s.truth_mm < LEAST_MM]),
    }


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
    return measured.volume_mm3, measured.volume_limits_mm3 is not None


def _group(scores: Sequence[VolumeScore]) -> dict[str, Any]:
    errors = [score.error for score in scores if score.error is not None]
    return {
        "n": len(scores),
        "n_not_grown": len(scores) - len(errors),
        "n_not_stated": sum(score.error is not None and not score.stated for score in scores),
        "within": float(np.mean([score.within for score in scores])) if scores else None,
        "error": _spread(errors),
    }


def _spread(errors: Sequence[float]) -> dict[str, float] | None:
    """Return median and 95 % limits, None of nothing."""
    if not errors:
        return None
    lower, median, upper = np.percentile(errors, [2.5, 50.0, 97.5])
    return {"median": float(median), "lower": float(lower), "upper": float(upper)}
