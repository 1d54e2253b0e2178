"""A small phantom, and ``nodule run`` on it with quick stand-ins for the networks."""

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
def command(tmp_path: Path) -> list[str]:
    """Return the words that start ``nodule run`` with a cache of its own."""
    config = tmp_path / "light.toml"
    config.write_text(light_flow.CONFIG)
    script = str(Path(light_flow.__file__))
    cache = str(tmp_path / "cache")
    return [sys.executable, script, "run", "--config", str(config), "--cache", cache]


@pytest.fixture
def nodule_run(command: list[str]) -> Nodule:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *map(str, arguments)], capture_output=True, text=True, check=False
        )

    return run
