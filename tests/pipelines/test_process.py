"""Where a study's results go, and which networks made them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nodule.weights import Weights
from pipelines.process import provenance_of, result_folder


def weights(sha256: str) -> Weights:
    return Weights(
        sha256=sha256, path=Path("some.safetensors"), stage="net", architecture={},
        training_patients=(),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class One:
    name: ClassVar[str] = "one"
    version: ClassVar[int] = 1

    weights: Weights

    def run(self, **_: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Several:
    name: ClassVar[str] = "several"
    version: ClassVar[int] = 1

    weights: tuple[Weights, ...]

    def run(self, **_: Any) -> None: ...


def test_every_member_of_an_ensemble_is_named_by_its_digest() -> None:
    stages = {
        "one": One(weights=weights("a" * 64)),
        "several": Several(weights=(weights("b" * 64), weights("c" * 64))),
    }
    told = provenance_of(stages, input_sha256="d" * 64)
    assert told.weights == {"one": "a" * 64, "several.1": "b" * 64, "several.2": "c" * 64}
    # paths say where something lay on one machine
    members = told.config["several"]["weights"]
    assert list(members) == [{"sha256": "b" * 64}, {"sha256": "c" * 64}]


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
