"""What the commands say in a model card."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from nodule.weights import Weights
from nodule.weights.card import table

_WIDTH = 100
_MOST_NAMED = 12


@dataclass(frozen=True, kw_only=True)
class CardFigure:
    """One row of a table of results.

    Parameters
    ----------
    name : what it is, with its unit.
    value : a number, a text such as ``39/40`` that stands as it is, or None where there is none.
    interval : of 95 %, None where none can be given.
    n : how many nodules, scans or patients it rests on.
    digits : after the point.
    """

    name: str
    value: float | str | None
    interval: tuple[float, float] | None = None
    n: int | None = None
    digits: int = 3

    def cells(self) -> tuple[str, ...]:
        """Return the row: name, value, interval and n."""
        interval = ""
        if self.interval is not None:
            low, high = (self._shown(limit) for limit in self.interval)
            interval = f"{low} to {high}"
        return self.name, self._shown(self.value), interval, "" if self.n is None else str(self.n)

    def _shown(self, value: float | str | None) -> str:
        if value is None:
            return "none"
        if isinstance(value, str | int):
            return str(value)
        return f"{value:.{self.digits}f}"


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One stretch of a run that was broken off, or all of an unbroken one.

    Parameters
    ----------
    first_step : the step at which it began.
    settings : those of the loop on this stretch.
    """

    first_step: int
    settings: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """What is to be told of a training.

    Parameters
    ----------
    stage : as in ``nodule train STAGE``.
    task : the task's settings; paths are told by their names.
    legs : the stretches of the run, at least one.
    steps, epochs : run in all.
    kept_step : the step whose weights were kept.
    chosen_by : what chose it, such as ``the lowest validation loss``.
    versions : of the packages, by name.
    """

    stage: str
    task: Mapping[str, object]
    legs: tuple[Leg, ...]
    steps: int
    epochs: int
    kept_step: int
    chosen_by: str
    versions: Mapping[str, str]


def weights_text(
    *, stage: str, sha256: str, numbers: Mapping[str, int], training_patients: int
) -> str:
    """Return the section ``Weights``.

    Parameters
    ----------
    numbers : how many there are of each type, such as ``float16``.
    """
    stored = ", ".join(f"{count:,} as {kind}" for kind, count in sorted(numbers.items()))
    facts = {
        "stage": stage,
        "sha256": f"`{sha256}`",
        "parameters and running statistics": f"{sum(numbers.values()):,} ({stored})",
        "training patients": (
            f"{training_patients}, listed in the weights file (`Weights.training_patients`)"
        ),
    }
    return table(("fact", "value"), iter(facts.items()))


def members_text(members: Mapping[str, tuple[str, int]]) -> str:
    """Return the section ``Weights`` of an ensemble.

    Parameters
    ----------
    members : by file name, the digest and the number of training patients.
    """
    rows = (
        (name, f"`{sha256}`", str(patients)) for name, (sha256, patients) in sorted(members.items())
    )
    told = "An ensemble; each member's file lists its patients (`Weights.training_patients`)."
    return f"{told}\n\n{table(('member', 'sha256', 'training patients'), rows)}"


def training_text(run: TrainingRun) -> str:
    """Return the section ``Training``."""
    first, last = run.legs[0], run.legs[-1]
    told = (
        f"`nodule train {run.stage}`: {run.steps} steps in {run.epochs} epochs; breaks "
        f"and resumptions: {len(run.legs) - 1}. The weights are those of step {run.kept_step}, "
        f"chosen by {run.chosen_by}."
    )
    if first.first_step:
        told += f" How the first {first.first_step} steps ran is not on record."
    settings = [*_settings("task", run.task), *_settings("loop", last.settings)]
    pieces = [wrapped(told), *map(wrapped, _changes(run.legs))]
    pieces.append(table(("setting", "value"), iter(settings)))
    pieces += [
        wrapped(
            f"The weights {value.path.name} only chose places on the training scans that are "
            f"shown more often; whom {value.path.name} was trained on is not counted among the "
            "training patients."
        )
        for value in run.task.values()
        if isinstance(value, Weights)
    ]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(run.versions.items()))
    return "\n\n".join([*pieces, wrapped(f"Packages: {versions}.")])


def measured_text(
    rows: Sequence[CardFigure],
    *,
    command: str,
    measured_on: str,
    seen: int,
    patients: int,
    notes: Sequence[str] = (),
) -> str:
    """Return a part of the section ``Measured``.

    Parameters
    ----------
    command : the command line.
    measured_on : a sentence: which data, how many, which reference.
    seen : patients of ``patients`` whom the weights saw in training.
    """
    columns = ("figure", "value", "95 % interval", "n")
    pieces = [f"`{command}`", wrapped(f"{measured_on} {_sight(seen, patients)}")]
    pieces.append(table(columns, (row.cells() for row in rows)))
    return "\n\n".join([*pieces, *map(wrapped, notes)])


def _sight(seen: int, patients: int) -> str:
    if seen:
        return f"**Of {patients} patients, training saw {seen}: these figures are no performance.**"
    return f"Of {patients} patients, training saw none."


def wrapped(text: str) -> str:
    """Break a paragraph into lines, never within a word or a path."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _settings(section: str, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        yield f"{section}.{name}", _shown(value)


def _shown(value: object) -> str:
    """Return a setting's value, of a path its name: folders are nobody's business."""
    if isinstance(value, Weights):
        return f"{value.path.name}, sha256 `{value.sha256}`"
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, tuple | list):
        if len(value) > _MOST_NAMED:
            return f"{len(value)} of them"
        return ", ".join(map(_shown, value)) or "none"
    return "none" if value is None else str(value)


def _changes(legs: tuple[Leg, ...]) -> Iterator[str]:
    """Tell of each resumption at which a setting of the loop changed."""
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
