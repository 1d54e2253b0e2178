"""Registration against maps that are known exactly."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.followup import Effort, LungMap, register_lungs
from nodule.geometry import Geometry, as_vector
from nodule.phantom import Phantom
from nodule.volume import LungMask, Volume

GRID = Geometry(shape_zyx=(4, 5, 6), spacing_zyx_mm=(30.0, 20.0, 10.0), origin_lps_mm=(1, 2, 3))


def lung_points(lungs: LungMask) -> NDArray[np.float64]:
    voxels = np.argwhere(lungs.labels_zyx)
    chosen = np.random.default_rng(0).choice(len(voxels), 2000, replace=False)
    return lungs.geometry.index_to_lps(voxels[chosen])


def errors_mm(found: LungMap, to_prior: Any, lungs: LungMask) -> NDArray[np.float64]:
    points = lung_points(lungs)
    return np.asarray(np.linalg.norm(found.to_prior(points) - to_prior(points), axis=1))


def test_a_body_that_moved_and_breathed_is_found_within_a_voxel(pair: Any) -> None:
    found = register_lungs(
        current=pair.current.study.volume,
        current_lungs=pair.current.lungs,
        prior=pair.prior.study.volume,
        prior_lungs=pair.prior.lungs,
    )
    errors = errors_mm(found, pair.to_prior, pair.current.lungs)
    assert errors.mean() < 1.0
    assert np.percentile(errors, 95) < 2.0
    assert found.overlap > 0.95
    points = lung_points(pair.prior.lungs)
    assert found.to_prior(found.to_current(points)) == pytest.approx(points, abs=0.01)


def test_follows_a_breath_that_no_affine_map_can(
    still: Phantom, breathe: Callable[..., Any]
) -> None:
    volume, lungs, to_prior = breathe(still, down_mm=25.0, widen=0.03)
    found = register_lungs(
        current=volume, current_lungs=lungs, prior=still.volume, prior_lungs=still.lungs
    )
    points = lung_points(lungs)
    assert np.linalg.norm(points - to_prior(points), axis=1).max() > 15.0
    errors = errors_mm(found, to_prior, lungs)
    assert errors.mean() < 1.0
    assert np.percentile(errors, 95) < 2.0


def test_less_effort_still_lands_within_a_nodule(
    still: Phantom, breathe: Callable[..., Any]
) -> None:
    volume, lungs, to_prior = breathe(still, down_mm=10.0, widen=0.0)
    found = register_lungs(
        current=volume,
        current_lungs=lungs,
        prior=still.volume,
        prior_lungs=still.lungs,
        effort=Effort(spacing_mm=6.0, iterations=(20, 5)),
    )
    assert np.percentile(errors_mm(found, to_prior, lungs), 95) < 4.0


def test_a_prior_that_ends_within_the_lungs_is_registered_where_it_shows_them(
    pair: Any,
) -> None:
    """The prior scan's upper 60 per cent only."""
    scan, lungs = pair.prior.study.volume, pair.prior.lungs
    first = round(0.4 * scan.geometry.shape_zyx[0])
    part = replace(
        scan.geometry,
        shape_zyx=(scan.geometry.shape_zyx[0] - first, *scan.geometry.shape_zyx[1:]),
        origin_lps_mm=as_vector(scan.geometry.index_to_lps((first, 0, 0))),
    )
    found = register_lungs(
        current=pair.current.study.volume,
        current_lungs=pair.current.lungs,
        prior=Volume(array_zyx=scan.array_zyx[first:].copy(), geometry=part),
        prior_lungs=LungMask(labels_zyx=lungs.labels_zyx[first:].copy(), geometry=part),
    )
    points = lung_points(pair.current.lungs)
    goal = pair.to_prior(points)
    shown = goal[:, 2] > part.origin_lps_mm[2]
    assert 300 < shown.sum() < 1700
    errors = np.linalg.norm(found.to_prior(points) - goal, axis=1)[shown]
    assert np.median(errors) < 2.0
    assert np.percentile(errors, 90) < 5.0
    assert found.overlap > 0.9


def test_a_field_of_one_shift_moves_every_point_by_it() -> None:
    shift = np.broadcast_to(np.float32([3.0, -4.0, 12.0]), (*GRID.shape_zyx, 3))
    found = LungMap(shift_lps_mm=shift, geometry=GRID, overlap=1.0, surface_error_mm=0.0)
    points = np.array([[10.0, 20.0, 30.0], [-500.0, 0.0, 900.0]])
    assert found.to_prior(points) == pytest.approx(points + np.array([3.0, -4.0, 12.0]))
    assert found.to_current(points) == pytest.approx(points - np.array([3.0, -4.0, 12.0]))
    assert found.to_prior(points[0]).shape == (3,)


def test_interpolates_between_the_fields_voxels() -> None:
    shift = np.zeros((*GRID.shape_zyx, 3), np.float32)
    shift[1, 2, 3] = (8.0, 0.0, 0.0)
    found = LungMap(shift_lps_mm=shift, geometry=GRID, overlap=1.0, surface_error_mm=0.0)
    voxel = GRID.index_to_lps((1, 2, 3))
    assert found.to_prior(voxel) - voxel == pytest.approx([8.0, 0.0, 0.0])
    beside = voxel + np.array([0.0, 5.0, 0.0])  # a quarter of the way along y
    assert found.to_prior(beside) - beside == pytest.approx([6.0, 0.0, 0.0])


def test_refuses_a_scan_without_lungs(still: Phantom) -> None:
    empty = LungMask(
        labels_zyx=np.zeros_like(still.lungs.labels_zyx), geometry=still.lungs.geometry
    )
    with pytest.raises(InputError, match="NO_LUNGS"):
        register_lungs(
            current=still.volume, current_lungs=empty, prior=still.volume, prior_lungs=still.lungs
        )


def test_refuses_a_field_that_does_not_fit_or_is_not_finite() -> None:
    with pytest.raises(InputError, match="SHAPE_MISMATCH"):
        LungMap(
            shift_lps_mm=np.zeros((4, 5, 6), np.float32),
            geometry=GRID,
            overlap=1.0,
            surface_error_mm=0.0,
        )
    with pytest.raises(InputError, match="NOT_FINITE"):
        LungMap(
            shift_lps_mm=np.full((*GRID.shape_zyx, 3), np.nan, np.float32),
            geometry=GRID,
            overlap=1.0,
            surface_error_mm=0.0,
        )
