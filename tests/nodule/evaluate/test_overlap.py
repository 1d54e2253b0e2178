"""Mask agreement against arithmetic and the shared vectors."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.errors import GeometryError
from nodule.evaluate._overlap import compare_masks
from nodule.geometry import Vector

UNIT: Vector = (1.0, 1.0, 1.0)


def cube(size: int, z: int, y: int, x: int) -> NDArray[np.bool_]:
    mask = np.zeros((32, 32, 32), bool)
    mask[z : z + size, y : y + size, x : x + size] = True
    return mask


REFERENCE = cube(10, 10, 10, 10)
CASES = {  # rows of the shared vectors, in their order
    "shifted along x": (cube(10, 10, 10, 11), UNIT),
    "grown by one": (cube(12, 9, 9, 9), UNIT),
    "shifted along z, anisotropic": (cube(10, 12, 10, 10), (2.5, 0.7, 0.7)),
    "identical": (REFERENCE, UNIT),
}


@pytest.mark.parametrize("row", range(4))
def test_the_shared_vectors(shared: Path, row: int) -> None:
    with (shared / "clinical/vectors/segmentation_metric_vectors.csv").open() as stream:
        expected = {
            k: float(v) for k, v in list(csv.DictReader(stream))[row].items() if k != "case"
        }
    mask, spacing = list(CASES.values())[row]
    for tolerance_mm, column in ((1.0, "nsd_tau1"), (2.0, "nsd_tau2")):
        overlap = compare_masks(mask, REFERENCE, spacing_zyx_mm=spacing, tolerance_mm=tolerance_mm)
        assert overlap.surface_dice == pytest.approx(expected[column], abs=1e-5)
    assert overlap.dice == pytest.approx(expected["dice"], abs=1e-6)
    assert overlap.iou == pytest.approx(expected["iou"], abs=1e-6)
    assert overlap.hausdorff_mm == pytest.approx(expected["hd_mm"], abs=1e-4)
    assert overlap.hd95_mm == pytest.approx(expected["hd95_max_of_directed_mm"], abs=1e-4)
    assert overlap.mean_surface_mm == pytest.approx(expected["assd_mm"], abs=1e-5)
    assert overlap.relative_volume_error == pytest.approx(
        expected["signed_rel_volume_error"], abs=1e-6
    )


@pytest.mark.parametrize(
    ("case", "dice", "iou", "hausdorff_mm", "volume_error"),
    [
        ("shifted along x", 0.9, 900 / 1100, 1.0, 0.0),
        ("grown by one", 2000 / 2728, 1000 / 1728, math.sqrt(3), 0.728),  # to a corner
        ("shifted along z, anisotropic", 0.8, 800 / 1200, 5.0, 0.0),  # two slices of 2.5 mm
        ("identical", 1.0, 1.0, 0.0, 0.0),
    ],
)
def test_boxes_by_hand(
    case: str, dice: float, iou: float, hausdorff_mm: float, volume_error: float
) -> None:
    mask, spacing = CASES[case]
    overlap = compare_masks(mask, REFERENCE, spacing_zyx_mm=spacing)
    assert overlap.dice == pytest.approx(dice)
    assert overlap.iou == pytest.approx(iou)
    assert overlap.hausdorff_mm == pytest.approx(hausdorff_mm)
    assert overlap.relative_volume_error == pytest.approx(volume_error)


@pytest.mark.parametrize(("tolerance_mm", "share"), [(0.99, 0.0), (1.0, 1.0), (1.01, 1.0)])
def test_surfaces_a_tolerance_apart_agree(tolerance_mm: float, share: float) -> None:
    """A plate of one voxel against the same plate beside it."""
    plates = np.zeros((2, 9, 9, 9), bool)
    plates[0, 4, 2:7, 2:7] = plates[1, 5, 2:7, 2:7] = True
    overlap = compare_masks(*plates, spacing_zyx_mm=UNIT, tolerance_mm=tolerance_mm)
    assert overlap.surface_dice == pytest.approx(share)


def test_distances_at_the_image_border_are_those_inside_it() -> None:
    inner = compare_masks(cube(4, 10, 10, 10), cube(4, 10, 10, 13), spacing_zyx_mm=(2.0, 1.0, 0.5))
    corner = compare_masks(cube(4, 0, 0, 0), cube(4, 0, 0, 3), spacing_zyx_mm=(2.0, 1.0, 0.5))
    assert inner.hausdorff_mm == pytest.approx(1.5)
    assert corner == inner


def test_two_empty_masks_agree_and_one_does_not() -> None:
    empty = np.zeros_like(REFERENCE)
    both = compare_masks(empty, empty, spacing_zyx_mm=UNIT)
    assert (both.dice, both.hd95_mm, both.relative_volume_error) == (1.0, 0.0, 0.0)
    missed = compare_masks(empty, REFERENCE, spacing_zyx_mm=UNIT)
    assert (missed.dice, missed.hd95_mm, missed.relative_volume_error) == (0.0, math.inf, -1.0)
    invented = compare_masks(REFERENCE, empty, spacing_zyx_mm=UNIT)
    assert (invented.dice, invented.hd95_mm) == (0.0, math.inf)
    assert math.isnan(invented.relative_volume_error)


def test_refuses_masks_of_different_shape() -> None:
    with pytest.raises(GeometryError) as error:
        compare_masks(REFERENCE, REFERENCE[1:], spacing_zyx_mm=UNIT)
    assert error.value.code == "SHAPE_MISMATCH"
