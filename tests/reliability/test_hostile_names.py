"""Whatever a header holds, nothing is written outside the folder of results."""

import json
import shutil
import warnings
from pathlib import Path

import pydicom
import pytest
from light_command import Light

# a UID's own type does not keep these out: whoever writes a file may write any characters
NAMES = ["../../../outside", "/tmp/outside", "..\\..\\outside", "a/b/c", "CON", "..", "x" * 300]


def hostile(study: Path, folder: Path, name: str) -> Path:
    """Name series, study and patient after a path in every file."""
    shutil.copytree(study, folder)
    with warnings.catch_warnings(action="ignore"):  # of values that break the standard
        for path in folder.rglob("*.dcm"):
            dataset = pydicom.dcmread(path)
            for keyword in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
                setattr(dataset, keyword, name)
            dataset.PatientID = dataset.PatientName = dataset.SeriesDescription = name[:60]
            dataset.save_as(path)
    return folder


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_header_that_is_a_path_writes_nothing_elsewhere(
    light: Light, study: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "a" / "b" / "c"
    words = ("--name-by", "uid")
    given = hostile(study, folder / "in", name)
    before = set(tmp_path.rglob("*"))
    process = light.start([given], folder / "out", *words)
    said, told = process.communicate()
    assert process.returncode in (0, 1), told
    assert "Traceback" not in told
    summary = json.loads(said.splitlines()[-1])
    assert [row["code"] for row in summary["failed"]].count("UNEXPECTED") == 0
    new = {path for path in tmp_path.rglob("*")} - before
    allowed = (folder / "out", tmp_path / "cache", tmp_path / "prints")
    assert [path for path in new if not any(path.is_relative_to(each) for each in allowed)] == []
    for row in summary["done"]:
        assert Path(row["folder"]).resolve().is_relative_to((folder / "out").resolve())
