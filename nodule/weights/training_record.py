"""What a training run records of itself, and how a model card states it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from nodule.weights import Weights
from nodule.weights.model_card import CardTraining

_MOST_NAMED = 12


@dataclass(frozen=True, kw_only=True)
class TrainingLeg:
    """One stretch of a run that was interrupted, or all of an uninterrupted one.

    Parameters
    ----------
    first_step : the step at which it began.
    settings : those of the loop on this stretch.
    """

    first_step: int
    settings: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """How weights were trained.

    Parameters
    ----------
    stage : as in ``nodule train STAGE``.
    task : the task's settings; paths are shown by their names.
    legs : the stretches of the run, at least one.
    steps, epochs : run in all.
    kept_step : the step whose weights were kept.
    chosen_by : what chose it, such as ``the lowest validation loss``.
    versions : of the packages, by name.
    """

    stage: str
    task: Mapping[str, object]
    legs: tuple[TrainingLeg, ...]
    steps: int
    epochs: int
    kept_step: int
    chosen_by: str
    versions: Mapping[str, str]


def card_training(run: TrainingRun) -> CardTraining:
    """Return the section ``Training`` of a model card."""
    first, last = run.legs[0], run.legs[-1]
    history = (
        f"`nodule train {run.stage}`: {run.steps} steps in {run.epochs} epochs; interruptions and "
        f"resumptions: {len(run.legs) - 1}. The weights are those of step {run.kept_step}, "
        f"chosen by {run.chosen_by}."
    )
    if first.first_step:
        history += f" How the first {first.first_step} steps ran is not on record."
    mining = tuple(
        f"The weights {value.path.name} only chose places on the training scans that are shown "
        f"more often; the patients that {value.path.name} was trained on are not counted among "
        "the training patients."
        for value in run.task.values()
        if isinstance(value, Weights)
    )
    versions = ", ".join(f"{name} {version}" for name, version in sorted(run.versions.items()))
    return CardTraining(
        text=(history, *_changes(run.legs)),
        settings=dict([*_settings("task", run.task), *_settings("loop", last.settings)]),
        closing=(*mining, f"Packages: {versions}."),
    )


def _settings(section: str, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        yield f"{section}.{name}", _shown(value)


def _shown(value: object) -> str:
    """Return a setting's value; of a path only its name, as folders may be private."""
    if isinstance(value, Weights):
        return f"{value.path.name}, sha256 `{value.sha256}`"
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, tuple | list):
        if len(value) > _MOST_NAMED:
            return f"{len(value)} of them"
        return ", ".join(map(_shown, value)) or "none"
    return "none" if value is None else str(value)


def _changes(legs: tuple[TrainingLeg, ...]) -> Iterator[str]:
    """Yield a sentence for each resumption at which a setting of the loop changed."""
    for before, after in itertools.pairwise(legs):
        names = [
            name for name in after.settings if after.settings[name] != before.settings.get(name)
        ]
        if names:
            changed = ", ".join(
                f"{name} {_shown(before.settings.get(name))} to {_shown(after.settings[name])}"
                for name in names
            )
            yield f"From step {after.first_step} on the loop ran with {changed}."
