"""Where a study's results go."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from nodule.ct import inventory
from nodule.phantom import make_phantom, random_spec, write_nifti
from pipelines.process import result_folder, result_name
from pipelines.request import RunRequest


def write_report(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "report.json").write_bytes(content)


def report_of(input_sha256: str) -> bytes:
    return json.dumps({"provenance": {"input_sha256": input_sha256}}).encode()


def test_a_study_keeps_its_folder(tmp_path: Path) -> None:
    assert result_folder(tmp_path, "CT", input_sha256="a" * 64) == tmp_path / "CT"
    write_report(tmp_path / "CT", report_of("a" * 64))
    assert result_folder(tmp_path, "CT", input_sha256="a" * 64) == tmp_path / "CT"


def test_another_study_of_that_name_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    write_report(tmp_path / "CT", report_of("a" * 64))
    assert result_folder(tmp_path, "CT", input_sha256="b" * 64) == tmp_path / "CT-bbbbbbbb"


@pytest.mark.parametrize("damaged", [b"", b'{"provenance": {"input_', b"\xff\xfe\x00", b"\0" * 512])
def test_a_damaged_report_is_replaced(
    tmp_path: Path, damaged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    write_report(tmp_path / "CT", damaged)
    assert result_folder(tmp_path, "CT", input_sha256="a" * 64) == tmp_path / "CT"
    assert "damaged report.json in CT" in caplog.text


@pytest.mark.parametrize("foreign", [b"[]", b"7", b"{}", b'{"provenance": []}'])
def test_a_file_of_another_program_is_left_alone(tmp_path: Path, foreign: bytes) -> None:
    write_report(tmp_path / "CT", foreign)
    assert result_folder(tmp_path, "CT", input_sha256="a" * 64) == tmp_path / "CT-aaaaaaaa"


def test_a_pseudonym_shows_neither_the_name_nor_the_uid_and_stays_the_same(tmp_path: Path) -> None:
    made = make_phantom(random_spec(3, size="small"))
    patient = tmp_path / "Doe^Jane" / "ct.nii.gz"
    patient.parent.mkdir()
    write_nifti(made.volume, patient)
    copy = tmp_path / "other.nii.gz"
    copy.write_bytes(patient.read_bytes())
    image = inventory(patient).choose()
    assert image.series_uid is None
    by_uid = RunRequest(studies=(patient,), name_by="uid")
    name = result_name(patient, image, by_uid)
    assert re.fullmatch("study-[0-9a-f]{16}", name)
    assert result_name(copy, inventory(copy).choose(), by_uid) == name
    assert result_name(patient, image, RunRequest(studies=(patient,))) == "ct"
    with_uid = replace(image, series_uid="1.2.3")
    # sha256 of the five characters, as sha256sum prints it
    assert result_name(patient, with_uid, by_uid) == "study-c47f5b18b8a430e6"
