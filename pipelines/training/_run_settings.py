"""The settings of a training run, kept in its folder, so that no run goes on with others unseen.

``RUN/settings.json`` lists the settings of every stretch of the run, the last one last. What cannot
change the weights, such as the number of worker processes, is not among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_only

from nodule.errors import ConfigError
from nodule.weights import Weights
from nodule.weights.foreign import ForeignWeights
from nodule.whole_files import write_whole
from pipelines.training.finetune_config import Finetune
from pipelines.training.task import Loop, Task

_FILE = "settings.json"

Values = Mapping[str, Any]
"""Settings in JSON's terms by dotted name, such as ``loop.learning_rate``."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """All that decides what a run's weights become, but its data's content.

    Parameters
    ----------
    values : by dotted name.
    """

    values: Values

    @classmethod
    def of(
        cls,
        task: Task,
        loop: Loop,
        *,
        start: ForeignWeights | None,
        finetune: Finetune | None,
        devices: int,
    ) -> RunSettings:
        """Collect the settings of a run; parameters as :func:`pipelines.training.loop.train`."""
        begun = None if start is None else start.sha256
        sections = {"task": task, "loop": loop, "finetune": finetune}
        named = {
            f"{section}.{name}": value
            for section, holder in sections.items()
            for name, value in _settings(holder)
        }
        return cls(values={**named, "start.sha256": begun, "devices": devices})

    def claim(self, folder: Path, *, accept_changes: bool) -> None:
        """Compare with the settings of the run in a folder, and write these down there.

        Parameters
        ----------
        folder : of the run; without a checkpoint there is nothing to go on with, and any settings
            may begin.
        accept_changes : go on with these settings although the run had others so far.

        Raises
        ------
        ConfigError : ``RUN_DIFFERS``.
        """
        stretches: list[Values] = []
        if (folder / "checkpoints" / "last.ckpt").is_file():
            stretches = _read(folder / _FILE)
            differences = list(self._differences(stretches[-1] if stretches else None))
            if not differences and stretches:
                return
            if not accept_changes:
                raise ConfigError(
                    f"the run in {folder.name} has other settings",
                    code="RUN_DIFFERS",
                    got="; ".join(differences),
                    hint="Name another folder for a new run, or continue nevertheless "
                    "with --accept-changes",
                )
        _write(folder / _FILE, [*stretches, self.values])

    def _differences(self, before: Values | None) -> Iterator[str]:
        if before is None:
            yield f"no {_FILE} beside its checkpoint"
            return
        for name in sorted(before.keys() | self.values.keys()):
            old, new = before.get(name), self.values.get(name)
            if old != new:
                yield f"{name} {json.dumps(old)} -> {json.dumps(new)}"


def _settings(section: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields that may change the weights, in JSON's terms."""
    for each in fields(section) if is_dataclass(section) else ():
        if not each.metadata.get("speed_only", False):
            yield each.name, _plain(getattr(section, each.name))


def _plain(value: Any) -> Any:
    if isinstance(value, Weights):
        return value.sha256
    if isinstance(value, Path):
        return str(value.resolve())
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _read(file: Path) -> list[Values]:
    stretches: list[Values] = json.loads(file.read_bytes()) if file.is_file() else []
    return stretches


@rank_zero_only
def _write(file: Path, stretches: list[Values]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(stretches, indent=1).encode())
