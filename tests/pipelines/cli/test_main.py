"""The command answers at once, says what it is, and shows an error as one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    *("torch", "monai", "SimpleITK", "lightning", "numpy", "scipy", "skimage", "sklearn"),
    *("matplotlib", "PIL", "nibabel", "pydicom", "highdicom", "pydantic", "jinja2"),
)
HELP_S = 0.5


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pipelines.cli.main import main; main()", *argv],
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from pipelines.cli.main import app\n"
        "app(['--help'], standalone_mode=False)\n"
        f"sys.exit(', '.join(sorted(set(sys.modules) & set({HEAVY!r}))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.stderr == b""
    assert done.returncode == 0


def test_help_takes_at_most_half_a_second_of_processor_time() -> None:
    def once() -> float:
        before = os.times()
        assert run("--help").returncode == 0
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])  # of children, user and system

    assert min(once() for _ in range(3)) <= HELP_S


def test_help_says_that_it_is_no_diagnosis() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "never a diagnosis" in " ".join(done.stdout.split())


def test_an_unknown_command_is_a_usage_error() -> None:
    assert run("diagnose").returncode == 2


def test_a_coded_error_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    done = run("locate", str(tmp_path), "--lps", "1", "2", "3")  # an empty folder
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.split(":")[0].isupper()


@pytest.mark.parametrize(
    "words", [("check", ""), ("run", "study", "-o", ""), ("config", "show", "")]
)
def test_an_empty_argument_is_not_the_current_folder(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("EMPTY_ARGUMENT: ")


def test_wrong_usage_is_one_line_and_another_status(tmp_path: Path) -> None:
    done = run("check", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("NOT_FOUND")


def test_results_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("phantom", "-o", str(tmp_path / "file" / "below"), "--size", "small")
    assert done.returncode == 1
    assert done.stderr.startswith("DISK_FAILED")
    assert len(done.stderr.splitlines()) == 1


def test_locate_asks_for_exactly_one_frame(tmp_path: Path) -> None:
    assert run("locate", str(tmp_path)).returncode == 2
    both = run("locate", str(tmp_path), "--lps", "1", "2", "3", "--ras", "1", "2", "3")
    assert both.returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        *("check PIPE", "check DEVICE", "config check PIPE", "config check DEVICE", "card PIPE"),
        *("run PIPE -o OUT", "run x -o OUT --config PIPE", "run x -o OUT --person DEVICE"),
        *("review apply PIPE FILE --study x -o OUT", "review apply FILE DEVICE --study x -o OUT"),
        *("locate PIPE --lps 1 2 3", "cache explain x --config PIPE", "explain PIPE -o OUT"),
        "compare PIPE DEVICE -o OUT",
    ],
)
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path, words: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    named = {"PIPE": "pipe", "FILE": "file", "OUT": "out"}
    places = {name: str(tmp_path / file) for name, file in named.items()} | {"DEVICE": "/dev/zero"}
    done = subprocess.run(
        [sys.executable, "-m", "nodule", *(places.get(word, word) for word in words.split())],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "UNEXPECTED" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_defect_is_one_line_that_quotes_nothing(tmp_path: Path) -> None:
    script = (
        "from pipelines.cli import main\n"
        "def fail(): raise ValueError('Doe^Jane')\n"
        "main.app = fail\n"
        "main.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("UNEXPECTED")
    assert "Doe" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", ["--device", "--config"])
def test_a_device_that_is_not_there_is_told_before_the_work(tmp_path: Path, option: str) -> None:
    config = tmp_path / "own.toml"
    config.write_text('[lungs]\ndevice = "cuda"\n')
    value = {"--device": "cuda", "--config": str(config)}[option]
    done = run("run", str(tmp_path / "nowhere"), "-o", str(tmp_path / "out"), option, value)
    if "NOT_FOUND" in done.stderr:
        pytest.skip("there is a CUDA device")
    assert done.returncode == 1
    assert done.stderr.startswith("NO_CUDA")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["file/below", "x" * 300])
def test_results_that_cannot_be_written_are_told_before_the_work(
    phantom_study: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    done = run(
        "run", str(phantom_study), "-o", str(tmp_path / place), "--cache", str(tmp_path / "cache")
    )
    assert done.returncode == 1
    assert "DISK_FAILED" in done.stderr
    assert not (tmp_path / "cache").exists()
