"""The README's Python example runs as it is printed, and gives what the command gives."""

import subprocess
import sys
from pathlib import Path

import pytest
from readme_example import example

LINES = 10


def test_the_example_is_short() -> None:
    assert len([line for line in example().splitlines() if line.strip()]) <= LINES


@pytest.mark.slow
def test_the_example_writes_what_the_command_writes(tmp_path: Path) -> None:
    script = Path(__file__).with_name("readme_example.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "N1" in done.stdout
    assert (tmp_path / "labels.nii.gz").is_file()
    run = [sys.executable, "-m", "nodule", "run", "STUDY", "-o", "BY_COMMAND", "--dicom"]
    subprocess.run([*run, "--cache", "CACHE"], cwd=tmp_path, capture_output=True, check=True)
    from_python, by_command = tmp_path / "OUT", tmp_path / "BY_COMMAND" / "STUDY"
    names = {path.name for path in from_python.iterdir()}
    assert {"report.json", "report.html", "sr.dcm", "seg.dcm", "nodules.nii.gz"} <= names
    assert names == {path.name for path in by_command.iterdir()}
    for name in names:
        assert (from_python / name).read_bytes() == (by_command / name).read_bytes(), name
