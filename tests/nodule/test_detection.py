"""A detection shows itself, as a line, a table and an image, and never its patient."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from made_findings import ball_mask, made_finding

from nodule.detection import Detection
from nodule.errors import ConfigError
from nodule.findings import Finding
from nodule.measure.stage import measure_mask
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask


@pytest.fixture(scope="module")
def found(
    study: Study, lungs: LungMask, findings: tuple[Finding, ...], patient: PatientHeader
) -> Detection:
    return Detection(study=study, lungs=lungs, findings=findings, patient=patient)


def test_shows_what_was_found_and_never_the_patient(found: Detection) -> None:
    line, table = repr(found), found._repr_html_()
    assert line == f"Detection(3 findings, {found.study!r})"
    assert "<th>N1</th><td>left upper</td><td>12.6 × 11.9</td><td>905 (490 to 1670)</td>" in table
    assert "<td>solid</td><td>0.93</td><td>3.9 of 5</td>" in table
    # a mass whose volume cannot be stated, and a nodule that was not measured
    assert "<td>34.2 × 28.0</td><td>–</td>" in table
    assert table.count("<tr>") == 4
    for shown in (line, table):
        assert "Doe" not in shown
        assert "P-17" not in shown


def test_what_a_detection_holds_shows_no_voxels(found: Detection) -> None:
    for held in (*found.findings, *found.masks.values(), found.lungs, found.study.volume):
        assert "array(" not in repr(held)
        assert "\n" not in repr(held)


def test_a_study_without_a_finding_shows_an_empty_table(found: Detection) -> None:
    nothing = replace(found, findings=())
    assert repr(nothing).startswith("Detection(0 findings, ")
    assert nothing._repr_html_().count("<tr>") == 1
    assert list(nothing.to_pandas().index) == []


def test_a_table_has_a_row_a_finding_and_no_volume_that_cannot_be_stated(
    found: Detection,
) -> None:
    table = found.to_pandas()
    assert list(table.index) == ["N1", "N2", "N3"]
    first = table.loc["N1"]
    place = (first["x_lps_mm"], first["y_lps_mm"], first["z_lps_mm"])
    assert place == (20.0, 30.0, -40.4)
    assert (first["lung"], first["lung_zone"], first["texture"]) == ("left", "upper", "solid")
    assert (first["probability"], first["long_axis_mm"]) == (0.93, 12.6)
    assert first["malignancy"] == pytest.approx(3.9)
    assert (first["volume_low_mm3"], first["volume_high_mm3"]) == (490.0, 1670.0)
    mass, unmeasured = table.loc["N2"], table.loc["N3"]
    assert mass["long_axis_mm"] == 34.2
    for name in ("volume_mm3", "effective_diameter_mm", "volume_low_mm3"):
        assert np.isnan(mass[name])
    assert np.isnan(unmeasured["long_axis_mm"])


def test_without_pandas_a_table_is_refused_by_the_extra_that_brings_it(
    found: Detection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match=r"NO_PANDAS.*nodule\[notebook\]"):
        found.to_pandas()


def test_masks_are_those_of_the_findings_by_id(found: Detection) -> None:
    masks = {each.nodule.id: each.mask for each in found.findings if each.mask is not None}
    assert found.masks == masks
    assert masks


def test_one_image_holds_lungs_and_findings_on_the_grid_of_the_study(
    study: Study, lungs: LungMask, tmp_path: Path
) -> None:
    grid = study.volume.geometry
    # the second ball reaches into the first, which is the more probable
    first = ball_mask(grid, (20.0, 30.0, -40.0), radius_mm=6.0)
    second = ball_mask(grid, (20.0, 30.0, -33.0), radius_mm=6.0)
    centers = ((20.0, 30.0, -40.0), (5.0, 20.0, -60.0), (20.0, 30.0, -33.0))
    findings = tuple(
        made_finding(
            f"N{number}",
            center,
            measurement=None if mask is None else measure_mask(mask, study.volume),
            mask=mask,
        )
        for number, (center, mask) in enumerate(
            zip(centers, (first, None, second), strict=True), start=1
        )
    )
    found = Detection(study=study, lungs=lungs, findings=findings)
    labels = found.save_nifti(tmp_path / "labels.nii.gz")
    assert labels == {"right lung": 1, "left lung": 2, "N1": 11, "N3": 13}
    image = sitk.ReadImage(tmp_path / "labels.nii.gz")
    array_zyx = sitk.GetArrayFromImage(image)
    assert array_zyx.shape == grid.shape_zyx
    np.testing.assert_allclose(image.GetOrigin(), grid.origin_lps_mm, atol=1e-4)
    np.testing.assert_allclose(image.GetSpacing(), grid.spacing_zyx_mm[::-1], atol=1e-4)
    whole = np.zeros(grid.shape_zyx, bool)
    whole[first.box] = first.array_zyx
    np.testing.assert_array_equal(array_zyx == 11, whole)
    other = np.zeros(grid.shape_zyx, bool)
    other[second.box] = second.array_zyx
    assert (other & whole).any()
    np.testing.assert_array_equal(array_zyx == 13, other & ~whole)
    assert {1, 2} <= set(np.unique(array_zyx))
