"""Whole scans lend their lung, and the places that a detector took for nodules."""

from pathlib import Path

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.lidc.whole_scans import WholeScan
from nodule.malignancy.training import backgrounds
from nodule.malignancy.training.backgrounds import Background, open_background
from nodule.malignancy.training.cube_sampler import scan_place
from nodule.study import SeriesHeader, Study
from nodule.volume import Volume

SPACING_ZYX_MM = (2.5, 1.5, 2.0)
ORIGIN_LPS_MM = (-70.0, 20.0, 5.0)
NODULE_ZYX, VESSEL_ZYX = (20.0, 40.0, 25.0), (20.0, 40.0, 50.0)


def chest() -> Volume:
    """Return tissue round one cavity of lung, 100 x 90 x 100 mm, with two bright rods in it."""
    array = np.full((60, 90, 80), 40.0, np.float32)
    array[10:50, 15:75, 15:65] = -850.0
    for _, y, x in (NODULE_ZYX, VESSEL_ZYX):
        array[10:50, int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2] = 50.0
    geometry = Geometry(
        shape_zyx=array.shape, spacing_zyx_mm=SPACING_ZYX_MM, origin_lps_mm=ORIGIN_LPS_MM
    )
    return Volume(array_zyx=array, geometry=geometry)


def test_every_place_is_what_its_kind_says_and_far_from_nodules() -> None:
    scan = Background.from_volume(chest(), nodules_zyx=[NODULE_ZYX], clear_mm=20.0)
    hu = chest().array_zyx
    for kind, index in scan.places.items():
        z, y, x = index.astype(int).T
        gap_mm = np.linalg.norm((index - NODULE_ZYX) * SPACING_ZYX_MM, axis=1)
        assert gap_mm.min() > 20.0
        assert (hu[z, y, x] == -850.0).all() == (kind == "parenchyma")
    assert set(scan.places) == {"parenchyma", "structure"}


def test_marks_are_mistakes_unless_they_lie_on_a_nodule() -> None:
    beside = (NODULE_ZYX[0], NODULE_ZYX[1] + 4, NODULE_ZYX[2])  # 6 mm
    scan = Background.from_volume(
        chest(), nodules_zyx=[NODULE_ZYX], marks_zyx=[beside, VESSEL_ZYX], clear_mm=20.0
    )
    np.testing.assert_array_equal(scan.places["mistake"], [VESSEL_ZYX])


def test_no_nodule_no_reading_and_a_table_in_mm(monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(volume=chest(), series=SeriesHeader(source_format="nifti"))
    monkeypatch.setattr(backgrounds, "read_ct", lambda _: study)
    z, y, x = VESSEL_ZYX
    # x, y and z of LPS, by hand
    place_mm = (-70.0 + 2.0 * x, 20.0 + 1.5 * y, 5.0 + 2.5 * z)
    scan = WholeScan(path=Path("SOMEBODY"), patient="SOMEBODY", fold=0)
    marked = open_background(scan, marks={"SOMEBODY": np.array([place_mm])})
    np.testing.assert_allclose(marked.places["mistake"], [VESSEL_ZYX], atol=1e-4)
    assert "mistake" not in open_background(scan, marks={"ANOTHER": np.zeros((1, 3))}).places


def test_a_mistake_is_drawn_from_a_scan_that_has_one() -> None:
    plain = Background.from_volume(chest())
    marked = Background.from_volume(chest(), marks_zyx=[VESSEL_ZYX])
    rng = np.random.default_rng(0)
    for _ in range(20):
        piece = scan_place(rng, [plain, marked, plain], "mistake", half_mm=(10.0, 10.0, 10.0))
        z, y, x = (round(i) for i in piece.center_zyx)
        assert piece.hu[z, y, x] == 50.0


def test_refuses_a_scan_without_lung() -> None:
    solid = chest()
    with pytest.raises(InputError, match="NO_LUNG"):
        Background.from_volume(
            Volume(array_zyx=np.full_like(solid.array_zyx, 40.0), geometry=solid.geometry)
        )
