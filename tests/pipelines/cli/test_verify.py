"""``nodule verify`` names what differs from the run, by a code."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from nodule.manifest import manifest_of

Nodule = Callable[..., "subprocess.CompletedProcess[str]"]
Verify = Callable[..., list[str]]


@pytest.fixture
def results(nodule_run: Nodule, phantom_study: Path, tmp_path: Path) -> Path:
    done = nodule_run(phantom_study, "-o", tmp_path / "out", "--no-viewer")
    assert done.returncode == 0, done.stderr
    return tmp_path / "out" / "CASE-1"


@pytest.fixture
def verify(command: Sequence[str], results: Path) -> Verify:
    """Return what verifies the results, and returns the codes of what differs."""
    python, script, _, option, config, *_ = command

    def run(*more: object) -> list[str]:
        done = subprocess.run(
            [python, script, "verify", str(results), option, config, *map(str, more)],
            capture_output=True,
            text=True,
            check=False,
        )
        said = json.loads(done.stdout.splitlines()[-1])
        codes = [each["code"] for each in said["differ"]]
        assert done.returncode == (1 if codes else 0)
        assert [line.split(":")[0] for line in done.stderr.splitlines()] == codes
        return codes

    return run


def restate(results: Path, **provenance: Any) -> None:
    """Have the report and its manifest state another provenance."""
    report = json.loads((results / "report.json").read_bytes())
    for part, values in provenance.items():
        report["provenance"][part] |= values
    (results / "report.json").write_text(json.dumps(report))
    manifest = json.loads((results / "manifest.json").read_bytes())
    (results / "manifest.json").write_bytes(manifest_of(results, manifest["files"]))


def test_fresh_results_are_as_written(verify: Verify, phantom_study: Path) -> None:
    assert verify() == []
    assert verify("--study", phantom_study) == []


def test_what_cannot_be_told_is_said(command: Sequence[str], results: Path) -> None:
    """Nobody signs a manifest; images are compared where they are given, and a report is read."""
    python, script, _, option, config, *_ = command
    for first in ("images: give", "what made the report"):
        done = subprocess.run(
            [python, script, "verify", str(results), option, config],
            capture_output=True,
            text=True,
            check=False,
        )
        said = json.loads(done.stdout.splitlines()[-1])["not_checked"]
        assert said[0].startswith(first)
        assert any("no signature" in each for each in said)
        (results / "report.json").unlink(missing_ok=True)
    assert [each["code"] for each in json.loads(done.stdout)["differ"]] == ["FILE_MISSING"]


def test_files_that_changed_are_told(verify: Verify, results: Path) -> None:
    (results / "findings.csv").write_text("id\n")
    (results / "nodules.nii.gz").unlink()
    (results / "seg.dcm").touch()
    assert verify() == ["FILE_CHANGED", "FILE_MISSING", "FILE_ADDED"]


def test_a_report_that_is_none_any_more_is_told(verify: Verify, results: Path) -> None:
    (results / "report.json").write_text("{}")
    assert verify() == ["FILE_CHANGED", "BAD_REPORT"]


def test_what_made_the_report_is_compared_with_what_is_here(verify: Verify, results: Path) -> None:
    restate(
        results,
        stages={"lungs": 99},
        constants={"measure": "0" * 64},
        weights={"malignancy.1": "0" * 64},
        config={"lungs": {"below_hu": -400.0}},
        versions={"numpy": "0.1"},
    )
    assert verify() == [
        *("STAGE_DIFFERS", "CODE_DIFFERS", "WEIGHTS_DIFFER"),
        *("CONFIG_DIFFERS", "VERSION_DIFFERS"),
    ]


def test_other_images_are_told(verify: Verify, phantom_study: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in sorted(phantom_study.rglob("*.dcm"))[:-1]:
        (other / path.name).write_bytes(path.read_bytes())
    assert verify("--study", other) == ["OTHER_IMAGES"]
