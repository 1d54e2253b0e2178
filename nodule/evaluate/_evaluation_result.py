"""What every evaluation returns, and the one writer of JSON, tables, figures and card rows.

An evaluation's figures are a frozen dataclass whose first field is its :class:`EvaluationScope`:
what was evaluated, on how many patients, by which weights, with which draws. The same JSON is
printed by the command and written beside the tables.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.weights import Weights
from nodule.weights.card_writing import write_evaluation
from nodule.weights.model_card import CardEvaluation, CardRows
from nodule.whole_files import whole_text, write_whole

FileWriter = Callable[[Path], None]
"""Writes one file of an evaluation's output at the path that it is given."""


@dataclass(frozen=True, kw_only=True)
class EvaluationScope:
    """What an evaluation rests on.

    Parameters
    ----------
    evaluation : its name, as in ``nodule evaluate NAME``.
    patients : patients evaluated; phantoms where there are none.
    weights : digests of the networks that were evaluated, by stage.
    seen_patients : patients of these whom a network saw in training.
    perhaps_seen_patients : patients of whom that cannot be determined.
    bootstrap : draws of the intervals, None where there are none.
    """

    evaluation: str
    patients: int
    weights: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen_patients: int = 0
    perhaps_seen_patients: int = 0
    bootstrap: BootstrapSettings | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the figures must know about the patients."""
        warnings = []
        if self.seen_patients:
            warnings.append(
                f"{self.seen_patients} patients were seen in training: these figures do not "
                "measure performance"
            )
        if self.perhaps_seen_patients:
            warnings.append(
                f"{self.perhaps_seen_patients} patients are known by a series here and by a "
                "number in the list of some network, or the reverse: whether it saw them in "
                "training cannot be determined"
            )
        return tuple(warnings)


class EvaluationFigures(Protocol):
    """The figures of an evaluation: a frozen dataclass."""

    @property
    def scope(self) -> EvaluationScope:
        """What they rest on."""


Figures = TypeVar("Figures", bound=EvaluationFigures)


@dataclass(frozen=True, kw_only=True)
class EvaluationResult(Generic[Figures]):
    """Figures, with what can be written of them.

    Parameters
    ----------
    figures : the typed figures.
    files : tables and pictures, by file name.
    card : rows of the model card, None for an evaluation that has no place in one.
    warnings : further sentences for the user.
    """

    figures: Figures
    files: Mapping[str, FileWriter] = field(default_factory=dict)
    card: CardRows | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the figures as JSON; a number that is not finite is null."""
        adapter = TypeAdapter(type(self.figures))
        return adapter.dump_json(self.figures, indent=indent).decode()

    def write(self, folder: Path) -> None:
        """Write the figures as ``NAME.json``, and all tables and pictures, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        text = self.to_json(indent=1) + "\n"
        write_whole(folder / f"{self.figures.scope.evaluation}.json", text.encode())
        for name, write in self.files.items():
            write(folder / name)

    def write_card(self, weights: Sequence[Weights], *, command: str) -> None:
        """Write the rows into the model card beside the weights that were evaluated.

        Parameters
        ----------
        weights : one file, or the members of an ensemble.
        command : the command line, paths reduced to names.

        Raises
        ------
        WeightsError : as :func:`nodule.weights.card_writing.write_evaluation`.
        """
        if self.card is None:
            return
        scope = self.figures.scope
        evaluation = CardEvaluation(
            **vars(self.card),
            command=command,
            patients=scope.patients,
            seen=scope.seen_patients,
        )
        write_evaluation(weights, evaluation)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table with a heading."""
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)
