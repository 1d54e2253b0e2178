"""Whole scans lend their lung, and the places that a detector took for nodules."""

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.malignancy.training._backgrounds import Background
from nodule.malignancy.training._pieces import scan_place
from nodule.training import Lesion, Region

SPACING_ZYX_MM = (2.5, 1.5, 2.0)
NODULE_ZYX, VESSEL_ZYX = (20.0, 40.0, 25.0), (20.0, 40.0, 50.0)


def mm(index_zyx: tuple[float, float, float]) -> tuple[float, float, float]:
    z, y, x = (i * s for i, s in zip(index_zyx, SPACING_ZYX_MM, strict=True))
    return z, y, x


NODULE = Lesion(center_mm=mm(NODULE_ZYX), diameter_mm=8.0)


def chest(*, lesions: tuple[Lesion, ...] = (), ignored: tuple[Lesion, ...] = ()) -> Region:
    """Return tissue round one cavity of lung, 100 x 90 x 100 mm, with two bright rods in it."""
    hu = np.full((60, 90, 80), 40.0, np.float32)
    hu[10:50, 15:75, 15:65] = -850.0
    for _, y, x in (NODULE_ZYX, VESSEL_ZYX):
        hu[10:50, int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2] = 50.0
    return Region.of_scan(hu, spacing_zyx_mm=SPACING_ZYX_MM, lesions=lesions, ignored=ignored)


def test_every_place_is_what_its_kind_says_and_far_from_nodules() -> None:
    region = chest(lesions=(NODULE,))
    scan = Background.of(region)
    for kind, index in scan.places.items():
        z, y, x = np.rint(index).astype(int).T
        gap_mm = np.linalg.norm((index - NODULE_ZYX) * SPACING_ZYX_MM, axis=1)
        assert gap_mm.min() > 20.0
        assert (region.array_hu[z, y, x] == -850).all() == (kind == "parenchyma")
    assert set(scan.places) == {"parenchyma", "structure"}


def test_a_large_nodule_is_kept_off_by_its_edge() -> None:
    large = Lesion(center_mm=mm(NODULE_ZYX), diameter_mm=50.0)
    index = Background.of(chest(lesions=(large,))).places["parenchyma"]
    gap_mm = np.linalg.norm((index - NODULE_ZYX) * SPACING_ZYX_MM, axis=1)
    assert gap_mm.min() > 30.0


def test_what_readers_rejected_is_a_place_like_any_other() -> None:
    rejected = Lesion(center_mm=mm(VESSEL_ZYX), diameter_mm=10.0, rejected=True)
    index = Background.of(chest(ignored=(rejected,))).places["structure"]
    gap_mm = np.linalg.norm((index - VESSEL_ZYX) * SPACING_ZYX_MM, axis=1)
    assert gap_mm.min() < 5.0


def test_detections_are_hard_negatives_unless_they_lie_on_a_nodule() -> None:
    beside = (NODULE_ZYX[0], NODULE_ZYX[1] + 4, NODULE_ZYX[2])  # 6 mm
    scan = Background.of(chest(lesions=(NODULE,)), detections_mm=[mm(beside), mm(VESSEL_ZYX)])
    np.testing.assert_allclose(scan.places["hard negative"], [VESSEL_ZYX])


def test_a_scan_nobody_found_fault_with_has_no_hard_negatives() -> None:
    assert "hard negative" not in Background.of(chest()).places


def test_a_hard_negative_is_drawn_from_a_scan_that_has_one() -> None:
    plain = Background.of(chest())
    marked = Background.of(chest(), detections_mm=[mm(VESSEL_ZYX)])
    rng = np.random.default_rng(0)
    for _ in range(20):
        piece = scan_place(rng, [plain, marked, plain], "hard negative", half_mm=(10.0, 10.0, 10.0))
        z, y, x = (round(i) for i in piece.center_zyx)
        assert piece.hu[z, y, x] == 50.0


def test_refuses_a_scan_without_lung() -> None:
    solid = np.full((60, 90, 80), 40.0, np.float32)
    with pytest.raises(InputError, match="NO_LUNG"):
        Background.of(Region.of_scan(solid, spacing_zyx_mm=SPACING_ZYX_MM))
