"""Where a study's results go, and which networks made them."""

import json
from pathlib import Path

import numpy as np
import pytest

from nodule.detection import Detection
from nodule.geometry import Geometry
from nodule.stage_record import StageRecord
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume
from pipelines.process import provenance_of, result_folder

GRID = Geometry(shape_zyx=(2, 2, 2), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(0.0, 0.0, 0.0))


def test_every_network_and_setting_is_named() -> None:
    found = Detection(
        study=Study(
            volume=Volume(array_zyx=np.zeros(GRID.shape_zyx, np.float32), geometry=GRID),
            series=SeriesHeader(source_format="nifti"),
        ),
        lungs=LungMask(labels_zyx=np.zeros(GRID.shape_zyx, np.uint8), geometry=GRID),
        findings=(),
        stages=(
            StageRecord(name="one", version=1, settings={"mm": 2.0}, weights={"one": "a" * 64}),
            StageRecord(name="two", version=3, settings={}, weights={"two.1": "b" * 64}),
        ),
    )
    told = provenance_of(found)
    assert told.weights == {"one": "a" * 64, "two.1": "b" * 64}
    assert told.config == {"one": {"mm": 2.0}, "two": {}}
    assert told.input_sha256 == found.study.input_sha256


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
