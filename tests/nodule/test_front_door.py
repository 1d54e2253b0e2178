"""A study, its detection and its report from Python, as the command makes them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stand_in_chain import FINDING, STUDY, stand_ins

import nodule
from nodule.advice.context import Context
from nodule.chain import Chain
from nodule.detection import Detection
from nodule.errors import ConfigError, InputError, UsageError
from nodule.findings import Finding
from nodule.report.software import provenance_of
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask


@pytest.fixture(scope="module")
def found(
    study: Study, lungs: LungMask, findings: tuple[Finding, ...], patient: PatientHeader
) -> Detection:
    return Detection(study=study, lungs=lungs, findings=findings, patient=patient)


def test_detecting_runs_the_chain_that_is_given() -> None:
    given: list[tuple[str, dict[str, Any]]] = []
    shares: list[tuple[str, float]] = []
    found = nodule.detect(STUDY, chain=stand_ins(given), progress=lambda *each: shares.append(each))
    assert found.findings == (FINDING,)
    assert found.study is STUDY
    assert [name for name, _ in shares] == [name for name, _ in given]


def test_what_is_asked_for_reaches_the_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chain, "run", lambda self, study, progress: self)
    asked: Any = nodule.detect(STUDY, threshold=0.3, saliency="nodule", device="cpu")
    assert asked.measure.probability_threshold == 0.3
    assert asked.explain.answer == "nodule"
    assert {asked.lungs.device, asked.candidates.device, asked.malignancy.device} == {"cpu"}
    shipped: Any = nodule.detect(STUDY)
    assert shipped == Chain()


@pytest.mark.parametrize("threshold", [-0.01, 1.01, 5.0, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="BAD_VALUE"):
        nodule.detect(STUDY, threshold=threshold)


def test_a_path_is_read_as_the_command_reads_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NO_SERIES"):
        nodule.detect(tmp_path, chain=stand_ins([]))
    with pytest.raises(InputError, match="NOT_FOUND"):
        nodule.detect(str(tmp_path / "none"), chain=stand_ins([]))


def test_a_report_says_what_was_found_and_of_whom(found: Detection, tmp_path: Path) -> None:
    report = nodule.write_report(found, str(tmp_path / "OUT"), viewer=False)
    assert [each.nodule.id for each in report.findings] == ["N1", "N2", "N3"]
    assert report.study.patient.patient_id == "P-17"
    assert report.provenance == provenance_of(found)
    assert report.comparison is None
    written = (tmp_path / "OUT" / "report.json").read_bytes()
    assert nodule.Report.model_validate_json(written) == report
    names = {each.name for each in (tmp_path / "OUT").iterdir()}
    assert {"report.html", "findings.csv", "nodules.nii.gz"} <= names


def test_guidelines_answer_where_a_setting_is_stated(found: Detection, tmp_path: Path) -> None:
    stated = Context(setting="screening-baseline")
    report = nodule.write_report(found, tmp_path, context=stated, viewer=False)
    assert report.context.setting == "screening-baseline"
    assert any(each.rule_set == "Lung-RADS" for each in report.management.exam)


def test_a_study_is_not_compared_with_itself(found: Detection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SAME_STUDY"):
        nodule.compare(found, found)
    with pytest.raises(UsageError, match="SAME_STUDY"):
        nodule.write_report(found, tmp_path / "OUT", prior=found)
    assert not (tmp_path / "OUT").exists()


def test_one_content_under_another_uid_is_the_same_study(found: Detection) -> None:
    series = replace(found.study.series, series_instance_uid="9.9")
    renamed = replace(found, study=replace(found.study, series=series))
    with pytest.raises(UsageError, match="SAME_STUDY"):
        nodule.compare(found, renamed)


def test_dicom_results_need_the_files_of_the_study(found: Detection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NO_DICOM_SOURCE"):
        nodule.write_report(found, tmp_path / "OUT", dicom=True)
    assert not (tmp_path / "OUT").exists()
