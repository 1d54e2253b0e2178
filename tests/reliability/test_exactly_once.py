"""A node between senders and an archive, with everything killed now and then."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "exactly_once.py"


@pytest.mark.slow
def test_each_study_ends_with_one_sr_and_one_seg(request: pytest.FixtureRequest) -> None:
    if shutil.which("Orthanc") is None:
        pytest.skip("Orthanc (orthanc, orthanc-dicomweb) is not installed")
    rounds = request.config.getoption("--rounds")
    words = ["--studies", str(rounds), "--kills", str(2 * rounds), "--seed", "1"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["exactly_once"] is True
    assert sum(result["kills"].values()) == 2 * rounds
