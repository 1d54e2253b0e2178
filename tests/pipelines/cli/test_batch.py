import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from nodule.phantom import make_phantom, random_spec, write_study

Nodule = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def archive(phantom_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients of one study each, and one whose series has lost a slice."""
    folder = tmp_path_factory.mktemp("archive")
    shutil.copytree(phantom_study, folder / "P1" / "ct")
    write_study(make_phantom(random_spec(4, size="small")), folder / "P2" / "ct")
    write_study(make_phantom(random_spec(5, size="small")), folder / "P3" / "ct")
    (folder / "P3" / "ct" / "0020.dcm").unlink()
    return folder


def summary(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def test_an_archive_becomes_folders_and_tables(
    light_nodule: Nodule, archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = (archive, "-o", out, "--workers", 0, "--context", "incidental")
    first = light_nodule("batch", *words)
    assert first.returncode == 3, first.stderr  # some failed
    said = summary(first)
    assert said["done"] == 2
    (failed,) = said["failed"]
    assert failed["code"] == "MISSING_SLICES"
    assert failed["file"] == str(archive / "P3")
    assert "3 of 3 studies, 1 set aside" in first.stderr

    folders = sorted(path.name for path in out.glob("study-*"))
    names = ("findings", "management", "failures", "seconds")
    tables = {name: pq.read_table(out / "tables" / name).to_pylist() for name in names}
    assert len(tables["findings"]) == 4  # two a study, as the stand-ins have it
    assert [row["code"] for row in tables["failures"]] == ["MISSING_SLICES"]
    of_exams = [row for row in tables["management"] if row["about"] == "exam"]
    assert [row["rule_set"] for row in of_exams] == ["Fleischner", "Fleischner"]
    assert {row["study"] for row in tables["findings"]} == set(folders)
    for folder in folders:
        report = json.loads((out / folder / "report.json").read_text())
        places = [finding["nodule"]["center_lps_mm"] for finding in report["findings"]]
        rows = [row for row in tables["findings"] if row["study"] == folder]
        assert [[row["x_lps_mm"], row["y_lps_mm"], row["z_lps_mm"]] for row in rows] == places
    assert {row["stage"] for row in tables["seconds"]} >= {"whole", "fetch", "read_ct", "measure"}

    before = {path: path.read_bytes() for path in out.rglob("*") if path.suffix == ".parquet"}
    second = light_nodule("batch", *words)
    assert second.returncode == 3
    assert summary(second) == said
    assert "studies" not in second.stderr  # nothing was done
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nowhere",), "NOT_FOUND"),
        (("ARCHIVE", "--fp-per-scan", "1", "--threshold", "0.5"), "TWO_OPERATING_POINTS"),
    ],
)
def test_wrong_usage_is_told_before_the_work(
    words: tuple[str, ...], code: str, light_nodule: Nodule, archive: Path, tmp_path: Path
) -> None:
    given = [archive if word == "ARCHIVE" else word for word in words]
    done = light_nodule("batch", *given, "-o", tmp_path / "out", "--workers", 0)
    assert done.returncode == 2
    assert code in done.stderr
    assert not (tmp_path / "out").exists()
