"""When two studies are hard to compare: each limit just within and just beyond."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nodule.detection import Detection
from nodule.errors import InputError
from nodule.followup import LungMap, compare_exams, days_between
from nodule.followup._exam_pair import lungs_cut, warnings_of
from nodule.geometry import Geometry
from nodule.study import PatientHeader, SeriesHeader, Study
from nodule.volume import LungMask, Volume


def exam(*, depth_mm: float = 2.0, last_slice: int = 0, **header: Any) -> Detection:
    """Five slices of lung, 100 pixels wide in the middle."""
    geometry = Geometry(shape_zyx=(5, 10, 20), spacing_zyx_mm=(depth_mm, 1.0, 1.0))
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    for z, area in enumerate((0, 40, 100, 60, last_slice)):
        labels[z].reshape(-1)[:area] = LungMask.LEFT
    array = np.zeros(geometry.shape_zyx, np.float32)
    return Detection(
        study=Study(
            volume=Volume(array_zyx=array, geometry=geometry),
            series=replace(SeriesHeader(source_format="dicom"), **header),
        ),
        lungs=LungMask(labels_zyx=labels, geometry=geometry),
        findings=(),
        patient=PatientHeader(study_date="20260102"),
    )


def codes(current: Detection, prior: Detection, *, days: int | None = 365) -> set[str]:
    return {warning.code for warning in warnings_of(current, prior, days=days)}


@pytest.mark.parametrize(("area", "cut"), [(9, False), (10, False), (11, True)])
def test_lungs_wider_than_a_tenth_at_the_end_are_cut(area: int, cut: bool) -> None:
    ended = exam(last_slice=area)
    assert lungs_cut(ended.lungs) == cut
    upside_down = replace(ended.lungs, labels_zyx=ended.lungs.labels_zyx[::-1])
    assert lungs_cut(upside_down) == cut
    assert ("LUNGS_CUT" in codes(exam(), ended)) == cut
    assert ("LUNGS_CUT" in codes(ended, exam())) == cut


@pytest.mark.parametrize(("depth_mm", "differs"), [(2.99, False), (3.0, False), (3.01, True)])
def test_slices_more_than_half_as_far_again_apart_differ(depth_mm: float, differs: bool) -> None:
    one, other = exam(depth_mm=2.0), exam(depth_mm=depth_mm)
    assert ("SPACING_DIFFERS" in codes(one, other)) == differs
    assert ("SPACING_DIFFERS" in codes(other, one)) == differs


@pytest.mark.parametrize(("days", "told"), [(None, True), (0, True), (1, False)])
def test_without_days_between_there_is_no_doubling_time(days: int | None, told: bool) -> None:
    assert ("NO_INTERVAL" in codes(exam(), exam(), days=days)) == told


def test_names_what_else_differs() -> None:
    other = exam(convolution_kernel="B70f", contrast_agent="Iohexol")
    assert codes(exam(), other) == {"KERNEL_DIFFERS", "CONTRAST_DIFFERS"}
    assert codes(exam(), exam()) == set()


@pytest.mark.parametrize(("prior", "days"), [("20260102", 0), ("20260101", 1), ("20250102", 365)])
def test_counts_days(prior: str, days: int) -> None:
    dates = (PatientHeader(study_date="20260102"), PatientHeader(study_date=prior))
    assert days_between(current=dates[0], prior=dates[1]) == days
    if days:
        with pytest.raises(InputError, match="PRIOR_IS_LATER"):
            days_between(current=dates[1], prior=dates[0])


@pytest.mark.parametrize(("overlap", "poor"), [(0.899, True), (0.9, False), (0.901, False)])
def test_lungs_that_overlap_by_less_than_nine_tenths_are_registered_poorly(
    monkeypatch: pytest.MonkeyPatch, overlap: float, poor: bool
) -> None:
    def register(**_: object) -> LungMap:
        grid = Geometry(shape_zyx=(2, 2, 2), spacing_zyx_mm=(50.0, 50.0, 50.0))
        still = np.zeros((2, 2, 2, 3), np.float32)
        return LungMap(shift_lps_mm=still, geometry=grid, overlap=overlap, surface_error_mm=1.0)

    monkeypatch.setattr(sys.modules[compare_exams.__module__], "register_lungs", register)
    current, prior = exam(), replace(exam(), patient=PatientHeader(study_date="20250102"))
    warnings = compare_exams(current=current, prior=prior).warnings
    assert ("REGISTRATION_POOR" in {warning.code for warning in warnings}) == poor
