"""``nodule run`` on quick stand-ins for the networks, as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent / "pipelines" / "light_flow.py"
sys.path.insert(0, str(SCRIPT.parent))

import light_flow  # noqa: E402


@dataclass(frozen=True)
class Light:
    """The command with a configuration and a cache in a folder."""

    words: tuple[str, ...]

    @classmethod
    def in_folder(cls, folder: Path) -> "Light":
        config = folder / "light.toml"
        config.write_text(light_flow.CONFIG)
        words = ("run", "--config", str(config), "--cache", str(folder / "cache"))
        return cls((sys.executable, str(SCRIPT), *words))

    def start(self, studies: Sequence[Path], out: Path, *more: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*self.words, *map(str, studies), "-o", str(out), "--no-viewer", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, studies: Sequence[Path], out: Path, *more: str) -> dict[str, Any]:
        said, told = (process := self.start(studies, out, *more)).communicate()
        assert process.returncode == 0, told
        summary: dict[str, Any] = json.loads(said.splitlines()[-1])
        return summary
