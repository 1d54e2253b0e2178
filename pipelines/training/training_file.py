"""A training file: task, loop, and what the network begins with.

Sections ``[start]`` and ``[finetune]`` may be left out, and so may every key that has a default.
What the command line says takes the place of what the file says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodule.errors import ConfigError, UsageError
from nodule.weights import Weights
from nodule.weights.foreign import ForeignWeights, read_foreign
from pipelines.config import build, check_sections, read_toml
from pipelines.training.finetune_config import Finetune
from pipelines.training.task import Loop, Task

_SECTIONS = ("task", "loop", "start", "finetune")
_DATA = {"crop_set": "--crop-set SET", "scans": "--scans SCAN"}
"""Fields of tasks that no shipped file can name, and the options that do."""
_HELD_OUT = "held_out_folds"  # no default decides what is honest to evaluate on
_NO_DATA = {"crop_set": ".", "scans": []}


@dataclass(frozen=True, kw_only=True)
class Start:
    """The ``[start]`` section.

    Parameters
    ----------
    weights : a file beside the training file, of ours or of others, as
        :func:`~nodule.weights.foreign.read_foreign` reads it; without a suffix, the name of
        weights that the package brings.
    """

    weights: str

    def read(self, folder: Path) -> ForeignWeights:
        """Read them; errors as :func:`~nodule.weights.foreign.read_foreign`."""
        path = folder / self.weights
        return read_foreign(path if path.suffix else Weights.shipped(self.weights).path)


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """All that the loop needs.

    Parameters
    ----------
    task, loop : what to learn, and how long.
    start : weights to begin with, None for fresh ones.
    finetune : how to go on from them, None to let everything learn at one rate.
    """

    task: Task
    loop: Loop
    start: ForeignWeights | None
    finetune: Finetune | None


def read_training(
    file: Path,
    task_class: type[Any],
    *,
    given: Mapping[str, Any],
    start_from: str | None = None,
    seed: int | None = None,
) -> Training:
    """Read a training file.

    Parameters
    ----------
    file : TOML.
    task_class : of the task that it is for.
    given : fields of the task in place of the file's.
    start_from : in place of the ``[start]`` section's weights, sought from where we are.
    seed : of task and loop, in place of the file's.

    Raises
    ------
    UsageError : ``NO_DATA`` where neither file nor ``given`` names the task's data.
    ConfigError : as :func:`pipelines.config.load_stages`, ``MISSING_KEY`` also where they do not
        say what is held out, and ``BAD_FINETUNE`` where the phases do not fit the loop.
    WeightsError : as :func:`~nodule.weights.foreign.read_foreign`.
    """
    document = read_toml(file)
    check_sections(document, _SECTIONS, file=file)
    _check_data(task_class, {*_table(document, "task"), *given}, file=file)
    seeds = {} if seed is None else {"seed": seed}

    def section(cls: type[Any], name: str, **more: Any) -> Any:
        table = document.get(name, {})
        full = {**table, **more} if isinstance(table, dict) else table
        return build(cls, full, file=file, section=name)

    start, folder = section(Start, "start") if "start" in document else None, file.parent
    if start_from is not None:
        start, folder = Start(weights=start_from), Path()
    training = Training(
        task=section(task_class, "task", **given, **seeds),
        loop=section(Loop, "loop", **seeds),
        start=None if start is None else start.read(folder),
        finetune=section(Finetune, "finetune") if "finetune" in document else None,
    )
    _check_held_out(task_class, {*_table(document, "task"), *given}, file=file)
    if training.finetune is not None:
        training.finetune.check(training.loop)
    return training


def check_training(file: Path, task_class: type[Any]) -> None:
    """Check a training file, which need not name the data that the command line will.

    Raises
    ------
    NoduleError : as :func:`read_training`.
    """
    named = _table(read_toml(file), "task")
    given = {
        name: nothing
        for name, nothing in _NO_DATA.items()
        if name in task_class.__dataclass_fields__ and name not in named
    }
    read_training(file, task_class, given=given)


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a section, empty where there is none; building refuses what is not a section."""
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def _check_held_out(task_class: type[Any], named: Collection[str], *, file: Path) -> None:
    if _HELD_OUT in task_class.__dataclass_fields__ and _HELD_OUT not in named:
        raise ConfigError(
            f"{file.name} does not state which folds are held out of training",
            code="MISSING_KEY",
            expected=f"{_HELD_OUT} in its section [task], or --held-out-fold FOLD",
            hint="An empty list holds nothing out",
        )


def _check_data(task_class: type[Any], named: Collection[str], *, file: Path) -> None:
    fields = task_class.__dataclass_fields__
    missing = [name for name in _DATA if name in fields and name not in named]
    if missing:
        raise UsageError(
            f"neither the command nor {file.name} names the data to train on",
            code="NO_DATA",
            expected=" and ".join(_DATA[name] for name in missing),
            hint=f"Or name {' and '.join(missing)} in the section [task] of the file",
        )
