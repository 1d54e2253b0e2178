"""A small phantom, and ``nodule run`` on it with quick stand-ins for the networks."""

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import light_flow
import pytest

from nodule.phantom import make_phantom, random_spec, write_study

Nodule = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def phantom_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "CASE-1"
    write_study(make_phantom(random_spec(3, size="small")), folder)
    return folder


@pytest.fixture
def light_words(tmp_path: Path) -> list[str]:
    """Return the options of the stand-ins and of a cache of its own."""
    config = tmp_path / "light.toml"
    config.write_text(light_flow.CONFIG)
    return ["--config", str(config), "--cache", str(tmp_path / "cache")]


@pytest.fixture
def command(light_words: list[str]) -> list[str]:
    """Return the words that start ``nodule run`` with the stand-ins."""
    return [sys.executable, str(Path(light_flow.__file__)), "run", *light_words]


@pytest.fixture
def light_nodule(light_words: list[str]) -> Nodule:
    """Return ``nodule`` with the stand-ins, called with a command and its words."""

    def run(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, str(Path(light_flow.__file__)), command, *light_words]
        return subprocess.run(
            [*words, *map(str, arguments)], capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def nodule_run(light_nodule: Nodule) -> Nodule:
    return functools.partial(light_nodule, "run")
