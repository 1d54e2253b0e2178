"""Whether images are what the software was made for: each limit just within and just beyond."""

from dataclasses import replace

import numpy as np
import pytest

from nodule.geometry import Geometry
from nodule.report._quality import quality_checks
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume


def kept(
    name: str,
    *,
    slices_mm: float = 1.0,
    thickness_mm: float | None = None,
    lung_slices: int = 0,
) -> bool | None:
    """Return what is said of a scan of 200 slices by name."""
    geometry = Geometry(shape_zyx=(200, 4, 4), spacing_zyx_mm=(slices_mm, 1.0, 1.0))
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    labels[10 : 10 + lung_slices] = LungMask.LEFT
    series = replace(SeriesHeader(source_format="dicom"), slice_thickness_mm=thickness_mm)
    array = np.zeros(geometry.shape_zyx, np.float32)
    study = Study(volume=Volume(array_zyx=array, geometry=geometry), series=series)
    parts = quality_checks(study, LungMask(labels_zyx=labels, geometry=geometry))
    (found,) = (part for part in parts if part.name == name)
    return found.kept


@pytest.mark.parametrize(
    ("mm", "within"),
    [(0.498, False), (0.5, True), (0.51, True), (2.99, True), (3.0, True), (3.002, False)],
)
def test_slices_measure_half_to_3_mm(mm: float, within: bool) -> None:
    """To a thousandth of a millimetre, since spacings come from positions."""
    assert kept("Slice spacing", slices_mm=mm) == within
    assert kept("Slice thickness", thickness_mm=mm) == within


@pytest.mark.parametrize(("off_mm", "within"), [(0.0009, True), (0.0011, False)])
def test_a_thousandth_of_a_millimetre_is_rounding(off_mm: float, within: bool) -> None:
    assert kept("Slice spacing", slices_mm=3.0 + off_mm) == within
    assert kept("Slice spacing", slices_mm=0.5 - off_mm) == within


def test_a_thickness_that_nobody_states_is_not_judged() -> None:
    assert kept("Slice thickness") is None


@pytest.mark.parametrize(
    ("slices", "slices_mm", "within"),
    [
        (79, 1.0, False),
        (80, 1.0, True),
        (81, 1.0, True),
        (97, 11.0, True),  # 1067 mm
        (98, 11.0, False),
        (0, 1.0, False),
    ],
)
def test_lungs_measure_80_to_1067_mm(slices: int, slices_mm: float, within: bool) -> None:
    assert kept("Extent of the lungs", slices_mm=slices_mm, lung_slices=slices) == within
