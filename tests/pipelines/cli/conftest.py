"""A small phantom, and ``nodule run`` on it with quick stand-ins for the networks."""

import functools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import light_flow
import pytest
from typer.testing import CliRunner

from nodule.phantom import (
    NodulePlan,
    Phantom,
    PhantomSpec,
    make_phantom,
    random_spec,
    write_study,
)
from pipelines.cli._dataset import dataset_app

sys.path.insert(0, str(Path(__file__).parent))  # for made_up_crops


@dataclass(frozen=True, kw_only=True)
class ReadPhantom:
    """A chest, and the folder of its images and readings."""

    phantom: Phantom
    folder: Path


Nodule = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def phantom_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "CASE-1"
    write_study(make_phantom(random_spec(3, size="small")), folder)
    return folder


@pytest.fixture(scope="session")
def read_phantom(tmp_path_factory: pytest.TempPathFactory) -> ReadPhantom:
    """Write a chest with nodules of 16, 12 and 10 mm as the archive would, with four readers."""
    spec = PhantomSpec(
        seed=11,
        shape_zyx=(110, 180, 240),
        spacing_zyx_mm=(2.0, 1.6, 1.6),
        nodules=tuple(NodulePlan(diameter_mm=mm) for mm in (16.0, 12.0, 10.0)),
    )
    phantom = make_phantom(spec)
    folder = tmp_path_factory.mktemp("archive") / "LIDC-IDRI-9001"
    write_study(phantom, folder)
    return ReadPhantom(phantom=phantom, folder=folder)


@pytest.fixture(scope="session")
def phantom_crops(read_phantom: ReadPhantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cut the nodules out of that chest with ``nodule dataset lidc``; not to be changed."""
    folder = tmp_path_factory.mktemp("crops") / "set"
    words = ["lidc", str(read_phantom.folder), "-o", str(folder)]
    assert CliRunner().invoke(dataset_app, words).exit_code == 0
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
