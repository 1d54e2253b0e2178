"""``nodule config`` as a user types it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipelines.config import shipped_config


def config(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pipelines.cli.main import main; main()", "config",
         *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["detect", "detect.toml", "train/lungs", "person"])
def test_shows_a_shipped_file_as_it_is(name: str) -> None:
    assert config("show", name).stdout == shipped_config(name).read_text()


def test_shows_the_detect_flow_by_default() -> None:
    assert tomllib.loads(config("show").stdout)["candidates"]["score_threshold"] == 0.05


def test_an_unknown_name_is_an_error_that_names_the_nearest() -> None:
    done = config("show", "detct")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("NO_CONFIG: ")
    assert done.stderr.endswith("The nearest is detect.toml\n")


def test_says_ok_of_a_file_that_leaves_out_nearly_everything(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[measure]\nprobability_threshold = 0.3\n")
    done = config("check", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "OK: own.toml is a valid detect configuration\n"


def test_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[candidates]\nscore_threshold = 5\n")
    done = config("check", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "BAD_VALUE: own.toml: score_threshold has a wrong value in [candidates]; "
        "expected a number from 0 to 1; got 5\n"
    )


def test_a_training_file_without_its_kind_is_wrong_usage(tmp_path: Path) -> None:
    done = config("check", shipped_config("train/lungs"))
    assert done.returncode == 2
    assert "--kind train-lungs" in done.stderr
    assert config("check", shipped_config("train/lungs"), "--kind", "train-lungs").returncode == 0
