"""What cannot be written, and a device that is not there, are told by every command at once."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
import torch
from typer.main import get_command
from typer.testing import CliRunner

from nodule.errors import NoduleError
from pipelines.batch import coded
from pipelines.cache import Cache
from pipelines.cli.main import app

Nodule = Callable[..., "subprocess.CompletedProcess[str]"]


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command; Typer may bring Click under another name."""
    if hasattr(command, "commands"):
        for name, each in command.commands.items():
            yield from commands(each, (*words, name))
    else:
        yield words


def takes(words: tuple[str, ...], flag: str) -> bool:
    command: Any = get_command(app)
    for word in words:
        command = command.commands[word]
    return any(flag in option.opts for option in command.params)


ALL = list(commands(get_command(app)))
WRITING = [words for words in ALL if takes(words, "--out")]
COMPUTING = [words for words in ALL if takes(words, "--device")]


def refusal(*words: str) -> NoduleError:
    result = CliRunner().invoke(app, list(words))
    assert isinstance(result.exception, Exception), result.output
    return coded(result.exception)


def test_commands_that_write_or_compute_are_known() -> None:
    """What writes by other options is below; these read, print, or write beside what they read."""
    others = {
        "check",
        "locate",
        "verify",
        "push",
        "serve",
        "forecast",
        "info",
        "about",
        "card",
        "benchmark",
    }
    named = {words for words in ALL if words[0] in {"cache", "config"} or words[0] in others}
    assert set(ALL) - set(WRITING) - named <= {("evaluate", "lungs")}  # which writes a card alone


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
@pytest.mark.parametrize("place", ["file/below", "x" * 300])
def test_an_output_that_cannot_be_written_is_told_at_once(
    tmp_path: Path, words: tuple[str, ...], place: str
) -> None:
    (tmp_path / "file").touch()
    assert refusal(*words, "-o", str(tmp_path / place)).code == "DISK_FAILED"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("words", COMPUTING, ids=" ".join)
def test_a_device_that_is_not_there_is_told_at_once(words: tuple[str, ...]) -> None:
    assert refusal(*words, "--device", "cuda").code == "NO_CUDA"


@pytest.mark.parametrize(
    "words", [("demo", "--picture"), ("train", "lungs", "--store"), ("phantom",)], ids=" ".join
)
def test_other_places_to_write_are_tried_at_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    assert refusal(*words, str(tmp_path / "file" / "below")).code == "DISK_FAILED"


def test_a_finding_that_is_none_is_told_before_a_prior_study_is_searched(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    prior = shutil.copytree(phantom_study, tmp_path / "prior")
    for path in prior.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID += ".1"
        dataset.save_as(path)
    person = tmp_path / "person.toml"
    person.write_text('[findings.N9]\nlobe = "RUL"\n')
    out = tmp_path / "out"
    done = nodule_run(phantom_study, "--prior", prior, "--person", person, "-o", out)
    told = json.loads(done.stdout.splitlines()[-1])
    assert [row["code"] for row in told["failed"]] == ["UNKNOWN_FINDING"]
    assert list(out.iterdir()) == []
    stages = [entry.recipe.stage for entry in Cache(tmp_path / "cache").entries()]
    assert stages.count("measure") == 1  # of one study
