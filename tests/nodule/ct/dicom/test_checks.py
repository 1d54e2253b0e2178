"""The limits of what is trusted as one CT volume, each just within and just beyond."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from nodule.ct import inventory, read_ct

Slices = list[Dataset]
Check = Callable[[Slices], set[str]]


@pytest.fixture
def problems(synthetic: Any, tmp_path: Path) -> Check:
    """Return a function that names what speaks against a series of these slices."""

    def find(slices: Slices) -> set[str]:
        (series,) = inventory(synthetic.save(slices, tmp_path / "series")).series
        return {problem.code for problem in series.problems}

    return find


def _normal(ds: Dataset) -> np.ndarray:
    row, column = np.asarray(ds.ImageOrientationPatient, float).reshape(2, 3)
    return np.cross(row, column)


def _place(ds: Dataset, position_lps_mm: np.ndarray) -> None:
    ds.ImagePositionPatient = [f"{v:.9f}" for v in position_lps_mm]


def _move(ds: Dataset, along: np.ndarray, mm: float) -> None:
    _place(ds, np.asarray(ds.ImagePositionPatient, float) + mm * along)


def _restack(slices: Slices, gap_mm: float) -> None:
    first, normal = np.asarray(slices[0].ImagePositionPatient, float), _normal(slices[0])
    for z, ds in enumerate(slices):
        _place(ds, first + z * gap_mm * normal)


@pytest.mark.parametrize(("off_mm", "refused"), [(0.099, False), (0.101, True)])
def test_a_slice_may_lie_a_tenth_of_a_millimetre_off_the_grid(
    synthetic: Any, problems: Check, off_mm: float, refused: bool
) -> None:
    slices = synthetic.make_slices()
    _move(slices[4], _normal(slices[4]), off_mm)
    assert problems(slices) == ({"NON_UNIFORM_SPACING"} if refused else set())


@pytest.mark.parametrize(
    ("off_mm", "code"),
    [(0.0, "MISSING_SLICES"), (0.19, "MISSING_SLICES"), (0.21, "NON_UNIFORM_SPACING")],
)
def test_gaps_are_of_missing_slices_where_the_others_lie_on_the_grid(
    synthetic: Any, problems: Check, off_mm: float, code: str
) -> None:
    slices = synthetic.make_slices()
    _move(slices[5], _normal(slices[5]), off_mm)
    del slices[4]
    assert problems(slices) == {code}


@pytest.mark.parametrize(("off_mm", "refused"), [(0.099, False), (0.101, True)])
def test_a_slice_may_lie_a_tenth_of_a_millimetre_aside(
    synthetic: Any, problems: Check, off_mm: float, refused: bool
) -> None:
    slices = synthetic.make_slices()
    _move(slices[4], np.asarray(slices[4].ImageOrientationPatient[:3], float), off_mm)
    assert problems(slices) == ({"NON_UNIFORM_SPACING"} if refused else set())


@pytest.mark.parametrize(("slide_mm", "refused"), [(0.099, False), (0.101, True)])
def test_a_stack_may_slide_a_tenth_of_a_millimetre_in_all(
    synthetic: Any, problems: Check, slide_mm: float, refused: bool
) -> None:
    slices = synthetic.make_slices()
    last = len(slices) - 1
    for z, ds in enumerate(slices):
        _move(ds, np.asarray(ds.ImageOrientationPatient[3:], float), slide_mm * z / last)
    assert problems(slices) == ({"GANTRY_TILT"} if refused else set())


@pytest.mark.parametrize(("off_mm", "warned"), [(0.0099, False), (0.0101, True)])
def test_a_hundredth_of_a_millimetre_passes_as_rounding_and_more_is_told(
    synthetic: Any, tmp_path: Path, off_mm: float, warned: bool
) -> None:
    slices = synthetic.make_slices()
    _move(slices[4], _normal(slices[4]), off_mm)
    codes = {w.code for w in read_ct(synthetic.save(slices, tmp_path)).warnings}
    assert ("UNEVEN_SPACING" in codes) == warned


@pytest.mark.parametrize(("apart_mm", "doubled"), [(0.0099, True), (0.0101, False)])
def test_slices_a_hundredth_of_a_millimetre_apart_lie_at_one_position(
    synthetic: Any, problems: Check, apart_mm: float, doubled: bool
) -> None:
    slices = synthetic.make_slices()
    third = np.asarray(slices[3].ImagePositionPatient, float)
    _place(slices[4], third + apart_mm * _normal(slices[4]))
    assert ("DUPLICATE_POSITIONS" in problems(slices)) == doubled


@pytest.mark.parametrize(("far_mm", "verdict"), [(99_000, "OK"), (101_000, "BAD_ORIGIN")])
def test_a_scan_lies_within_reach_of_a_scanner(
    synthetic: Any, tmp_path: Path, far_mm: float, verdict: str
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        _move(ds, np.array([1.0, 0, 0]), far_mm)
    (record,) = inventory(synthetic.save(slices, tmp_path)).series
    assert record.verdict == verdict


@pytest.mark.parametrize(("gap_mm", "refused"), [(19.999, False), (20.001, True)])
def test_slices_lie_less_than_20_mm_apart(
    synthetic: Any, problems: Check, gap_mm: float, refused: bool
) -> None:
    slices = synthetic.make_slices()
    _restack(slices, gap_mm)
    assert problems(slices) == ({"BAD_SPACING"} if refused else set())


@pytest.mark.parametrize(
    ("spacing_mm", "refused"),
    [(0.01, True), (0.0101, False), (19.99, False), (20.0, True)],
)
def test_pixels_measure_between_a_hundredth_and_20_mm(
    synthetic: Any, problems: Check, spacing_mm: float, refused: bool
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.PixelSpacing = [0.7, spacing_mm]
    assert problems(slices) == ({"BAD_SPACING"} if refused else set())


@pytest.mark.parametrize(("difference_mm", "refused"), [(0.000004, False), (0.00002, True)])
def test_pixel_spacings_agree_to_five_decimals(
    synthetic: Any, problems: Check, difference_mm: float, refused: bool
) -> None:
    slices = synthetic.make_slices()
    slices[4].PixelSpacing = [0.7, f"{0.9 + difference_mm:.6f}"]
    assert problems(slices) == ({"INCONSISTENT_SPACING"} if refused else set())


@pytest.mark.parametrize(("degrees", "refused"), [(44.9, False), (45.1, True)])
def test_planes_beyond_45_degrees_are_not_axial(
    synthetic: Any, problems: Check, degrees: float, refused: bool
) -> None:
    slices, angle = synthetic.make_slices(), np.radians(degrees)
    column = np.array([0.0, np.cos(angle), np.sin(angle)])
    for z, ds in enumerate(slices):
        ds.ImageOrientationPatient = ["1", "0", "0", *(f"{v:.9f}" for v in column)]
        _place(ds, z * 2.5 * np.array([0.0, -np.sin(angle), np.cos(angle)]))
    assert problems(slices) == ({"NOT_AXIAL_VOLUME"} if refused else set())


@pytest.mark.parametrize(("difference", "refused"), [(0.00049, False), (0.00051, True)])
def test_orientations_agree_to_five_ten_thousandths(
    synthetic: Any, problems: Check, difference: float, refused: bool
) -> None:
    slices = synthetic.make_slices()
    turned = np.asarray(slices[4].ImageOrientationPatient, float)
    turned[2] += difference
    slices[4].ImageOrientationPatient = [f"{v:.9f}" for v in turned]
    assert ("INCONSISTENT_ORIENTATION" in problems(slices)) == refused


@pytest.mark.parametrize(("length", "refused"), [(1.0009, False), (1.0012, True)])
def test_an_orientation_is_of_unit_vectors_to_a_thousandth(
    synthetic: Any, problems: Check, length: float, refused: bool
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        stated = np.asarray(ds.ImageOrientationPatient, float)
        stated[:3] *= length
        ds.ImageOrientationPatient = [f"{v:.9f}" for v in stated]
    assert problems(slices) == ({"NO_POSITION"} if refused else set())


@pytest.mark.parametrize(("depth", "refused"), [(2, True), (3, False)])
def test_three_slices_make_a_volume(
    synthetic: Any, problems: Check, depth: int, refused: bool
) -> None:
    found = problems(synthetic.make_slices()[:depth])
    assert found == ({"TOO_FEW_SLICES"} if refused else set())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "LOCALIZER"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, "NOT_AXIAL_VOLUME"),
        ({"ImageType": ["DERIVED", "PRIMARY", "IODINE"]}, "NOT_HU"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "NOT_AXIAL_VOLUME"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "NOT_HU"),
        ({"RescaleType": "OD"}, "NOT_HU"),
        ({"RescaleSlope": 0}, "NOT_HU"),
        ({"Modality": "MR"}, "NOT_CT"),
    ],
)
def test_what_is_no_stack_of_hounsfield_units_is_refused(
    synthetic: Any, problems: Check, change: dict[str, Any], code: str
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        for keyword, value in change.items():
            setattr(ds, keyword, value)
    assert code in problems(slices)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"StudyInstanceUID": "1.2.3.9"}, "MIXED_STUDIES"),
        ({"FrameOfReferenceUID": "1.2.3.9"}, "INCONSISTENT_FRAME"),
    ],
)
def test_slices_of_several_series_are_no_volume(
    synthetic: Any, problems: Check, change: dict[str, Any], code: str
) -> None:
    slices = synthetic.make_slices()
    for keyword, value in change.items():
        setattr(slices[4], keyword, value)
    assert problems(slices) == {code}


def test_a_slice_of_another_size_is_refused(synthetic: Any, problems: Check) -> None:
    slices = synthetic.make_slices()
    slices[4].Rows -= 1
    slices[4].PixelData = slices[4].PixelData[: 2 * slices[4].Rows * slices[4].Columns]
    assert problems(slices) == {"INCONSISTENT_MATRIX"}


@pytest.mark.parametrize(("columns", "code"), [(8192, "TRUNCATED"), (8193, "TOO_LARGE")])
def test_a_frame_holds_at_most_128_mebibytes(
    synthetic: Any, problems: Check, columns: int, code: str
) -> None:
    """8192 x 8192 pixels of 16 bits; the few bytes that are there are refused as cut short."""
    slices = synthetic.make_slices()
    for ds in slices:
        ds.Rows, ds.Columns = 8192, columns
    assert code in problems(slices)
