"""``nodule run`` on quick stand-ins for the networks, each run a process of its own.

The processes are forked from one that has loaded everything already, so that a hundred of them are
affordable.
"""

import contextlib
import json
import multiprocessing
import os
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent / "pipelines" / "light_flow.py"
sys.path.insert(0, str(SCRIPT.parent))

import light_flow  # noqa: E402

_LOADED = (
    "light_flow",
    "nodule.front_door",
    "pipelines.cli.main",
    "pipelines.process",
    "rich.table",
)
_PATIENCE_S = 600.0
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(_LOADED))


@dataclass(frozen=True, kw_only=True)
class LightRun:
    """A run that goes on by itself.

    Parameters
    ----------
    process : that runs it.
    said, told : files of what it prints on stdout and on stderr.
    """

    process: ForkServerProcess
    said: Path
    told: Path

    def communicate(self) -> tuple[str, str]:
        """Wait for its end, and return what it has printed."""
        self.process.join(_PATIENCE_S)
        assert self.process.exitcode is not None, "it does not end"
        return self.said.read_text(), self.told.read_text()

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal; None as long as it runs."""
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, which comes too late where the process has ended."""
        assert self.process.pid is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)


@dataclass(frozen=True)
class Light:
    """The command with a configuration and a cache in a folder."""

    words: tuple[str, ...]
    folder: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "Light":
        config = folder / "light.toml"
        config.write_text(light_flow.CONFIG)
        words = ("run", "--config", str(config), "--cache", str(folder / "cache"))
        return cls((sys.executable, str(SCRIPT), *words), folder)

    def start(self, studies: Sequence[Path], out: Path, *more: str) -> LightRun:
        prints = self.folder / "prints"
        prints.mkdir(exist_ok=True)
        name = uuid.uuid4().hex
        said, told = (prints / f"{name}.{stream}" for stream in ("out", "err"))
        words = [*self.words[2:], *map(str, studies), "-o", str(out), "--no-viewer", *more]
        process = _CONTEXT.Process(target=_be_the_command, args=(words, said, told))
        process.start()
        return LightRun(process=process, said=said, told=told)

    def run(self, studies: Sequence[Path], out: Path, *more: str) -> dict[str, Any]:
        said, told = (process := self.start(studies, out, *more)).communicate()
        assert process.returncode == 0, told
        summary: dict[str, Any] = json.loads(said.splitlines()[-1])
        return summary


def _be_the_command(words: Sequence[str], said: Path, told: Path) -> None:
    from pipelines import flows
    from pipelines.cli.main import main

    for descriptor, path in ((1, said), (2, told)):
        with path.open("wb") as stream:
            os.dup2(stream.fileno(), descriptor)
    flows.detect_stage_types = light_flow.light_stage_types
    sys.argv = ["nodule", *words]
    main()
