"""R15: one study gives one answer, whatever the threads and the order and names of its files."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nodule.phantom import NodulePlan, PhantomSpec, make_phantom, write_study

pytestmark = pytest.mark.slow


def report_of(study: Path, folder: Path, *, threads: int) -> dict[str, Any]:
    words = ["run", str(study), "-o", str(folder / "out"), "--cache", str(folder / "cache")]
    done = subprocess.run(
        [sys.executable, "-m", "nodule", *words, "--no-viewer"],
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (found,) = (folder / "out").iterdir()
    report: dict[str, Any] = json.loads((found / "report.json").read_bytes())
    return report


def test_threads_and_the_order_of_files_change_no_answer(tmp_path: Path) -> None:
    spec = PhantomSpec(
        seed=11,
        shape_zyx=(110, 180, 240),
        spacing_zyx_mm=(2.0, 1.6, 1.6),
        nodules=tuple(NodulePlan(diameter_mm=mm) for mm in (16.0, 12.0)),
    )
    study = write_study(make_phantom(spec), tmp_path / "study").folder
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    paths = sorted(study.glob("*.dcm"))
    random.Random(15).shuffle(paths)
    for number, path in enumerate(paths):
        shutil.copy(path, shuffled / f"{number}.dcm")
    reports = [
        report_of(study, tmp_path / "one", threads=1),
        report_of(shuffled, tmp_path / "two", threads=2),
    ]
    one, two = (report["findings"] for report in reports)
    assert len(one) == len(two) >= 1
    for before, after in zip(one, two, strict=True):
        here, there = (each["nodule"]["center_lps_mm"] for each in (before, after))
        assert there == pytest.approx(here, abs=1e-3)
        for score in ("probability",):
            assert after["assessment"][score] == pytest.approx(
                before["assessment"][score], abs=1e-5
            )
        rated = [each["assessment"]["malignancy"]["distribution"] for each in (before, after)]
        assert rated[1] == pytest.approx(rated[0], abs=1e-5)
    assert reports[0]["provenance"]["input_sha256"] == reports[1]["provenance"]["input_sha256"]
