"""Phantom pairs: one person twice, with a body that moved, a breath and nodules that changed."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from made_findings import made_finding
from numpy.typing import NDArray
from scipy import ndimage

from nodule.detection import Detection
from nodule.findings import Finding
from nodule.followup import Effort
from nodule.geometry import Geometry, as_vector
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.measure.stage import measure_mask
from nodule.phantom import NodulePlan, Phantom, PhantomSpec, make_phantom
from nodule.study import PatientHeader, SeriesHeader, Study
from nodule.volume import LungMask, Volume

Points = NDArray[np.float64]
PointMap = Callable[[Points], Points]

GRID = PhantomSpec(
    seed=5, shape_zyx=(136, 150, 170), spacing_zyx_mm=(2.1, 2.0, 1.9), vessels_per_ml=1.2
)
IN_BOTH = (  # centre, diameter before, diameter after: places in lung, clear of thick vessels
    ((-68.8, 7.4, 78.8), 9.0, 12.0),
    ((49.2, 59.6, -19.5), 11.0, 11.0),
    ((-79.5, 6.0, 7.3), 14.0, 11.0),
    ((95.4, 13.0, -34.2), 8.0, 13.0),
)
RESOLVED = NodulePlan(diameter_mm=10.0, center_lps_mm=(75.7, 33.5, 22.7))
NEW = NodulePlan(diameter_mm=12.0, center_lps_mm=(-71.6, 61.4, -50.7))
STRETCH = 1.06  # of the lungs' height by a deeper breath


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two scans of a person; ``true_volumes_mm3`` now and then, of the nodules in both."""

    current: Detection
    prior: Detection
    to_prior: PointMap
    true_volumes_mm3: tuple[tuple[float, float], ...]
    new_lps_mm: Points
    resolved_lps_mm: Points


def turn(degrees: tuple[float, float, float]) -> Points:
    """Rotate about x, then y, then z."""
    matrix = np.eye(3)
    for (i, j), angle in zip(((1, 2), (2, 0), (0, 1)), np.radians(degrees), strict=True):
        step = np.eye(3)
        step[i, i] = step[j, j] = math.cos(angle)
        step[i, j], step[j, i] = -math.sin(angle), math.sin(angle)
        matrix = step @ matrix
    return matrix


@cache
def scans() -> tuple[Phantom, Phantom]:
    """Return the person then and now, still in one frame."""
    then = [NodulePlan(diameter_mm=d, center_lps_mm=c) for c, d, _ in IN_BOTH]
    now = [NodulePlan(diameter_mm=d, center_lps_mm=c) for c, _, d in IN_BOTH]
    return (
        make_phantom(replace(GRID, nodules=(*then, RESOLVED))),
        make_phantom(replace(GRID, nodules=(*now, NEW))),
    )


def moved(geometry: Geometry, *, matrix: Points, shift_mm: Points) -> Geometry:
    """Lay a grid anew, so that what it shows moves by the matrix and the shift exactly."""
    affine = geometry.affine
    affine[:3, :3] = matrix @ affine[:3, :3]
    affine[:3, 3] = matrix @ affine[:3, 3] + shift_mm
    return Geometry.from_affine(affine, shape_zyx=geometry.shape_zyx)


def exam(
    volume: Volume,
    lungs: LungMask,
    nodules: list[tuple[Points, float]],
    *,
    study_date: str | None,
) -> Detection:
    study = Study(volume=volume, series=SeriesHeader(source_format="dicom"))
    return Detection(
        study=study,
        lungs=lungs,
        findings=tuple(
            finding(f"N{i}", study, center, diameter)
            for i, (center, diameter) in enumerate(nodules, start=1)
        ),
        patient=PatientHeader(study_date=study_date),
    )


def finding(id_: str, study: Study, center: Points, diameter_mm: float) -> Finding:
    mask = segment_nodule(
        study.volume, center_lps_mm=as_vector(center), diameter_mm=diameter_mm, rules=GrowthRules()
    )
    assert mask is not None
    return made_finding(
        id_, as_vector(center), measurement=measure_mask(mask, study.volume), mask=mask, study=study
    )


@pytest.fixture(scope="session")
def pair() -> Pair:
    """Return a pair a year apart: turned, shifted and stretched along z, nothing resampled.

    Stretching the grid stretches the nodules too: their true volumes grow by the same factor.
    """
    then, now = scans()
    matrix = turn((4.0, -3.0, 6.0))
    shift_mm = np.array([12.0, -25.0, 40.0])
    # the stretch comes first, in the frame of the body
    stretched = replace(
        now.volume.geometry,
        spacing_zyx_mm=(GRID.spacing_zyx_mm[0] * STRETCH, *GRID.spacing_zyx_mm[1:]),
        origin_lps_mm=as_vector(np.array(now.volume.geometry.origin_lps_mm) * (1, 1, STRETCH)),
    )
    geometry = moved(stretched, matrix=matrix, shift_mm=shift_mm)

    def to_current(points: Points) -> Points:
        return np.asarray(points * (1, 1, STRETCH) @ matrix.T + shift_mm)

    def to_prior(points: Points) -> Points:
        return np.asarray((points - shift_mm) @ matrix / (1, 1, STRETCH))

    centers = [to_current(np.array(n.center_lps_mm)) for n in now.nodules]
    current = exam(
        Volume(array_zyx=now.volume.array_zyx, geometry=geometry),
        LungMask(labels_zyx=now.lungs.labels_zyx, geometry=geometry),
        [(c, n.diameter_mm) for c, n in zip(centers, now.nodules, strict=True)],
        study_date="20250301",
    )
    prior = exam(
        then.volume,
        then.lungs,
        [(np.array(n.center_lps_mm), n.diameter_mm) for n in then.nodules],
        study_date="20240301",
    )
    return Pair(
        current=current,
        prior=prior,
        to_prior=to_prior,
        true_volumes_mm3=tuple(
            (n.volume_mm3 * STRETCH, t.volume_mm3)
            for n, t in zip(now.nodules[:4], then.nodules[:4], strict=True)
        ),
        new_lps_mm=centers[4],
        resolved_lps_mm=np.array(then.nodules[4].center_lps_mm),
    )


@pytest.fixture(scope="session")
def still() -> Phantom:
    """Return the prior scan as a phantom."""
    return scans()[0]


@pytest.fixture(scope="session")
def breathe() -> Callable[..., tuple[Volume, LungMask, PointMap]]:
    """Resample a phantom as it looks after a breath: the deeper, the nearer to the diaphragm."""

    def breathe(
        phantom: Phantom, *, down_mm: float, widen: float
    ) -> tuple[Volume, LungMask, PointMap]:
        def to_prior(points: Points) -> Points:
            depth = np.clip((150.0 - points[..., 2]) / 315.0, 0.0, 1.0)
            out = points.copy()
            out[..., 2] += down_mm * depth**2
            out[..., :2] *= 1.0 - widen * depth[..., None]
            return out

        geometry = phantom.volume.geometry
        index = np.moveaxis(np.indices(geometry.shape_zyx), 0, -1)
        source = np.moveaxis(geometry.lps_to_index(to_prior(geometry.index_to_lps(index))), -1, 0)
        hu = ndimage.map_coordinates(phantom.volume.array_zyx, source, order=1, cval=-1000.0)
        sides = ndimage.map_coordinates(phantom.lungs.labels_zyx, source, order=0)
        noise = np.random.default_rng(3).normal(0.0, 10.0, hu.shape)
        volume = Volume(array_zyx=(hu + noise).astype(np.float32), geometry=geometry)
        return volume, LungMask(labels_zyx=sides, geometry=geometry), to_prior

    return breathe


@pytest.fixture(scope="session")
def quick() -> Effort:
    """Spend little: for scans that lie in one place."""
    return Effort(spacing_mm=6.0, iterations=(5, 0))
