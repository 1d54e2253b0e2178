import csv
import gzip
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fault_layer
import numpy as np
import pytest
import SimpleITK as sitk
from made_findings import EVEN, seen_in, with_malignancy, with_nodule

from nodule import outputs
from nodule.findings import Characteristics, Finding
from nodule.lung_disease import DiseasedLung, LungDisease
from nodule.masks import NoduleMask
from nodule.outputs import DicomResults, write_report_files
from nodule.page.html import dicom_date, person_name
from nodule.report import Provenance, Report, build_report
from nodule.report.tables import findings_csv, safe_cell
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask


def _page(
    report: Report, study: Study, lungs: LungMask, folder: Path, masks: dict[str, NoduleMask]
) -> str:
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=folder)
    return (folder / "report.html").read_text(encoding="utf-8")


def _named(report: Report, name: str) -> Report:
    patient = replace(report.study.patient, patient_name=name)
    part = replace(report.study, patient=patient)
    return report.model_copy(update={"study": part})


def test_writes_its_files_and_nothing_else(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    folder = tmp_path / "new" / "study"
    written = write_report_files(report, study=study, lungs=lungs, masks=masks, folder=folder)
    assert {path.name for path in written} == {
        "report.json",
        "findings.csv",
        "management.csv",
        "report.html",
        "lungs.nii.gz",
        "manifest.json",
        "nodules.nii.gz",
    }
    assert set(folder.iterdir()) == set(written)
    assert Report.model_validate_json((folder / "report.json").read_bytes()) == report


def test_deletes_what_an_earlier_report_left_and_nothing_else(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    for name in ("sr.dcm", "seg.dcm", "report.pdf", "comparison.csv", "review.json"):
        (tmp_path / name).touch()
    written = write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path)
    assert set(tmp_path.iterdir()) == {*written, tmp_path / "review.json"}


@pytest.mark.parametrize(
    ("error", "stays_old"), [(ValueError("a defect"), False), (OSError(28, "full"), True)]
)
def test_the_page_comes_although_objects_cannot_be_made_and_a_full_disk_changes_nothing(
    report: Report,
    study: Study,
    lungs: LungMask,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    stays_old: bool,
) -> None:
    def fail_halfway(*_: object, folder: Path, **__: object) -> None:
        (folder / "seg.dcm").touch()
        raise error

    monkeypatch.setattr("nodule.dicom.objects.write_dicom", fail_halfway)
    (tmp_path / "sr.dcm").touch()
    source: Any = object()
    with pytest.raises(type(error), match=str(error.args[-1])):
        write_report_files(
            report,
            study=study,
            lungs=lungs,
            masks=masks,
            folder=tmp_path,
            dicom=DicomResults(source=source),
        )
    names = {path.name for path in tmp_path.iterdir()}
    if stays_old:
        assert names == {"sr.dcm"}
    else:
        assert {"report.html", "report.json"} < names
        assert names.isdisjoint({"sr.dcm", "seg.dcm"})


def test_equal_input_gives_equal_bytes(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    first = write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path / "a")
    second = write_report_files(
        report, study=study, lungs=lungs, masks=masks, folder=tmp_path / "b"
    )
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_lungs_lie_where_they_were(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path)
    image = sitk.ReadImage(str(tmp_path / "lungs.nii.gz"))  # SimpleITK turns RAS into LPS
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), lungs.labels_zyx)
    for index_zyx in ((0, 0, 0), (19, 0, 3), (5, 21, 0), (7, 8, 23)):
        place = image.TransformIndexToPhysicalPoint(index_zyx[::-1])
        np.testing.assert_allclose(place, lungs.geometry.index_to_lps(index_zyx), atol=1e-4)


def test_the_lungs_file_holds_no_time_stamp(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path)
    content = (tmp_path / "lungs.nii.gz").read_bytes()
    assert content[4:8] == bytes(4)  # RFC 1952: MTIME
    assert gzip.decompress(content)[344:347] == b"n+1"


def test_a_script_in_a_name_is_shown_not_run(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    name = "<script>alert(1)</script>"
    page = _page(_named(report, name), study, lungs, tmp_path, masks)
    assert name not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("name", ["山田^太郎", "قباني^لنزار", "Müller^Jürgen"])
def test_names_of_any_script_are_shown(
    report: Report,
    study: Study,
    lungs: LungMask,
    tmp_path: Path,
    name: str,
    masks: dict[str, NoduleMask],
) -> None:
    page = _page(_named(report, name), study, lungs, tmp_path, masks)
    assert name.replace("^", ", ") in page


def test_the_page_loads_nothing(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    page = _page(report, study, lungs, tmp_path, masks)
    assert "default-src 'none'" in page
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert "url(" not in page
    assert " style=" not in page  # the policy would refuse it


def test_the_page_says_where_and_how_large(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    page = _page(report, study, lungs, tmp_path, masks)
    for text in (
        "image 16, series 7",
        "12.6 × 11.9 mm",
        "905 mm³",
        "93 %",
        "Doe, Jane",
        "−31 HU",
        "left, upper&nbsp;third",
        "7 mm",
    ):
        assert text in page
    assert "never a diagnosis" in page
    assert "a mass, not a nodule" in page


def test_the_page_and_the_tables_state_the_calibrated_suspicion_or_that_there_is_none(
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    said = [
        replace(EVEN, suspicion=0.87654321),
        replace(EVEN, suspicion=0.31, ensemble_sd=0.7, indeterminate=True),
        replace(EVEN, suspicion=0.0012),
        replace(EVEN, suspicion=None),
    ]
    shown = (*findings, with_nodule(findings[2], id="N4"))
    report = build_report(
        study=study,
        lungs=lungs,
        findings=tuple(with_malignancy(f, m) for f, m in zip(shown, said, strict=True)),
        patient=patient,
        provenance=provenance,
    )
    page = _page(report, study, lungs, tmp_path, masks)
    stated = "Probability that radiologists’ mean rating is above 3</dt><dd>"
    answers = [part.split("</dd>")[0] for part in page.split(stated)[1:]]
    abstained = "networks abstain"
    assert answers == ["88 %", abstained, "under 1 %", "not calibrated"]
    assert re.findall(r"above 3: ([^<]*)<", page) == ["88 %", "under 1 %"]
    assert "it is not that of cancer" in page
    rows = list(csv.DictReader(io.StringIO(findings_csv(report))))
    assert [row["malignancy_suspicion"] for row in rows] == ["0.8765", "0.31", "0.0012", ""]
    assert [row["malignancy_indeterminate"] for row in rows] == ["False", "True", "False", "False"]
    assert [f.assessment and f.assessment.malignancy.suspicion for f in report.findings] == [
        *(0.8765, 0.31, 0.0012),
        None,
    ]


def test_slices_are_counted_where_there_are_no_image_numbers(
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    bare = replace(study, slices=())
    report = build_report(
        study=bare,
        lungs=lungs,
        findings=seen_in(bare, findings),
        patient=patient,
        provenance=provenance,
    )
    assert "slice 15 of 30" in _page(report, bare, lungs, tmp_path, masks)


def test_a_study_without_findings_gets_a_whole_report(
    study: Study,
    lungs: LungMask,
    patient: PatientHeader,
    provenance: Provenance,
    tmp_path: Path,
) -> None:
    report = build_report(
        study=study, lungs=lungs, findings=(), patient=patient, provenance=provenance
    )
    page = _page(report, study, lungs, tmp_path, {})
    assert "lung nodule found" in page
    assert "does not exclude a nodule" in page
    rows = (tmp_path / "findings.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1


def test_a_page_without_a_viewer_holds_no_script(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path, viewer=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "script-src" not in page
    assert "data-jump=" not in page


def test_patients_are_named_in_the_header_and_the_margins_of_prints_only(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    page = _page(report, study, lungs, tmp_path, masks)
    assert "Doe" not in page.split("<main>")[1]
    head = page.split("<body>")[0]
    assert head.count("Doe") == 1
    assert "Doe" in head.split("@bottom-left")[1].split(";")[0]
    assert "Doe" not in (tmp_path / "findings.csv").read_text(encoding="utf-8-sig")


def test_the_table_has_a_row_for_each_finding(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(findings_csv(report))))
    assert [row["id"] for row in rows] == ["N1", "N2", "N3"]
    assert float(rows[0]["z_lps_mm"]) == -40.4
    assert rows[0]["instance_number"] == "16"
    assert rows[2]["volume_mm3"] == ""


def test_page_and_table_state_no_volume_without_limits(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    row = list(csv.DictReader(io.StringIO(findings_csv(report))))[1]
    assert (row["long_axis_mm"], row["volume_mm3"], row["effective_diameter_mm"]) == (
        "34.2",
        "",
        "",
    )
    page = _page(report, study, lungs, tmp_path, masks)
    second = page.split('<article id="N2"')[1].split("</article>")[0]
    for name in ("Volume", "Effective diameter"):
        assert f"<dt>{name}</dt><dd>not measurable</dd>" in second


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_like_a_formula_is_disarmed(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_numbers_and_plain_text_stay_as_they_are() -> None:
    assert [safe_cell(c) for c in (-40.4, 3, None, "1.2.3")] == [-40.4, 3, None, "1.2.3"]


def test_a_hostile_uid_is_disarmed_in_the_table(report: Report) -> None:
    part = replace(
        report.study, series=replace(report.study.series, series_instance_uid="=HYPERLINK(1)")
    )
    (row, *_) = csv.DictReader(io.StringIO(findings_csv(report.model_copy(update={"study": part}))))
    assert row["series_instance_uid"] == "'=HYPERLINK(1)"


def test_reads_dates_and_names_as_dicom_writes_them() -> None:
    assert dicom_date("20260102") == "2026-01-02"
    assert dicom_date("January") == "January"
    # DICOM PS3.5 Annex H.3
    assert (
        person_name("Yamada^Tarou=山田^太郎=やまだ^たろう")
        == "Yamada, Tarou · 山田, 太郎 · やまだ, たろう"
    )
    assert person_name("Adams^John Robert Quincy^^Rev.^B.A. M.Div.") == (
        "Adams, John Robert Quincy Rev. B.A. M.Div."
    )


def test_the_look_that_networks_expect_stands_on_page_and_in_table(
    findings: tuple[Finding, ...],
    study: Study,
    lungs: LungMask,
    patient: PatientHeader,
    provenance: Provenance,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    round_one = (0.0, 0.0, 0.0, 0.5, 0.5)
    none = (1.0, 0.0, 0.0, 0.0, 0.0)
    look = Characteristics(
        subtlety=round_one,
        sphericity=round_one,
        margin=round_one,
        lobulation=none,
        spiculation=none,
        texture=round_one,
        internal_structure=(0.9, 0.1, 0.0, 0.0),
        calcification=(0.0, 0.0, 0.25, 0.0, 0.0, 0.75),
    )
    first, *others = findings
    assert first.assessment is not None
    first = replace(first, assessment=replace(first.assessment, characteristics=look))
    report = build_report(
        study=study,
        lungs=lungs,
        findings=(first, *others),
        patient=patient,
        provenance=provenance,
    )
    rows = list(csv.DictReader(io.StringIO(findings_csv(report))))
    assert [row["rated_sphericity"] for row in rows] == ["4.5", "", ""]
    assert [row["rated_spiculation"] for row in rows] == ["1.0", "", ""]
    assert [row["likely_calcification"] for row in rows] == ["absent", "", ""]
    page = _page(report, study, lungs, tmp_path, masks)
    assert page.count("How radiologists would describe it, by the networks") == 1
    assert "<dt>Sphericity</dt><dd>4.5 " in page
    assert 'absent <span class="quiet">75 %' in page


def test_findings_in_diffusely_diseased_lung_are_grouped_and_marked(
    findings: tuple[Finding, ...],
    study: Study,
    lungs: LungMask,
    patient: PatientHeader,
    provenance: Provenance,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    extents = {"aerated_ml": 900.0, "consolidation_ml": 100.0, "left_out_ml": 0.0}
    report = build_report(
        study=study,
        lungs=lungs,
        findings=findings,
        patient=patient,
        provenance=provenance,
        disease=LungDisease(
            right=DiseasedLung(lung="right", ground_glass_ml=0.0, **extents),
            left=DiseasedLung(lung="left", ground_glass_ml=40.0, **extents),
            inside=("N1",),
        ),
    )
    rows = list(csv.DictReader(io.StringIO(findings_csv(report))))
    assert [row["in_diffuse_disease"] for row in rows] == ["True", "False", "False"]
    page = _page(report, study, lungs, tmp_path, masks)
    impression = page.split('<h2 id="impression">')[1].split("</section>")[0]
    assert "The pattern is diffuse: right lung 10 % (100 ml consolidation)" in impression
    assert "1 of the findings lies in diseased lung" in impression
    table = page.split('<table class="list">')[1].split("</table>")[0]
    group = table.index("In diffusely diseased lung")
    assert table.index('href="#N2"') < group < table.index('href="#N1"')
    assert page.count("in diffusely diseased lung</strong>") == 1


@pytest.mark.parametrize(
    "fault",
    [fault_layer.kill_this_process, fault_layer.refuse_for_space],
    ids=["kill", "full disk"],
)
def test_a_fault_at_any_call_leaves_the_old_or_the_new_report(
    report: Report,
    study: Study,
    lungs: LungMask,
    masks: dict[str, NoduleMask],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[], None],
) -> None:
    """R7, R11: every file of a report, written again and again."""
    monkeypatch.setattr(outputs, "render_html", lambda said, **_: said.study.patient.patient_name)
    folder, wholes = tmp_path / "out" / "CT", []

    def write(name: str) -> None:
        said = _named(report, name)
        write_report_files(said, study=study, lungs=lungs, masks=masks, folder=folder, fhir=True)

    def content() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    for name in ("new", "old"):
        write(name)
        wholes.append(content())

    def look() -> None:
        assert content() in wholes
        write("old")  # the next run clears up
        assert content() == wholes[1]
        assert list(folder.parent.iterdir()) == [folder]

    codes = fault_layer.fault_at_every_call(lambda: write("new"), look, fault=fault)
    assert len(codes) > 30  # four calls a file, and those of the folder
    assert content() == wholes[0]  # the one without a fault
