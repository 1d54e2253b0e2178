"""What a model card states: the content of ``NAME.card.json``, from which ``NAME.md`` is rendered.

Free text is a sequence of paragraphs in Markdown without line breaks; a paragraph that begins with
``- `` is an item of a list. Every figure comes from an evaluation, which writes it here with its
command; nothing is typed into the rendered card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from nodule.errors import WeightsError
from nodule.input_files import read_given_file

_STRICT = ConfigDict(extra="forbid")

Prose = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
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
        return value if isinstance(value, str) else f"{value:.{self.digits}f}"


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CardRows:
    """What an evaluation adds to a model card.

    Parameters
    ----------
    heading : names the evaluation; one that is repeated under it replaces its figures.
    measured_on : a sentence: which data, how many, against which reference.
    figures : rows of the table.
    notes : paragraphs below the table.
    """

    heading: str
    measured_on: str
    figures: tuple[CardFigure, ...]
    notes: Prose = ()


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CardEvaluation(CardRows):
    """The same with the command that measured it, and on whom.

    Parameters
    ----------
    command : the command line that gave them, paths reduced to names.
    patients, seen : patients evaluated, and those of them whom the weights saw in training.
    """

    command: str
    patients: int
    seen: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CardWeights:
    """One file of weights.

    Parameters
    ----------
    sha256 : digest of the file.
    numbers : how many there are of each type, such as ``float16``.
    training_patients : how many the file lists.
    """

    sha256: str
    numbers: dict[str, int]
    training_patients: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CardMember:
    """One member of an ensemble: its file's name and digest, and the number of its patients."""

    file: str
    sha256: str
    training_patients: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CardTraining:
    """How weights were trained.

    Parameters
    ----------
    text : paragraphs before the table of settings.
    settings : the table, by name.
    closing : paragraphs after it.
    """

    text: Prose
    settings: dict[str, str] | None = None
    closing: Prose = ()


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ModelCard:
    """A model card.

    Parameters
    ----------
    format : version of this structure.
    stage : the stage that uses the weights.
    title, summary : what the network is and does.
    weights : the file that the card describes, or None for an ensemble or a template.
    members : files of an ensemble.
    use, limits, notes : free text.
    training : how the weights were trained.
    remarks : free text on what was measured, before the evaluations.
    measured : the evaluations.
    sources : whose data the weights were trained on.
    """

    format: Literal["nodule-card-v1"] = "nodule-card-v1"
    stage: str
    title: str
    summary: Prose = ()
    weights: CardWeights | None = None
    members: tuple[CardMember, ...] = ()
    use: Prose = ()
    training: CardTraining | None = None
    remarks: Prose = ()
    measured: tuple[CardEvaluation, ...] = ()
    notes: Prose = ()
    limits: Prose = ()
    sources: Prose = ()

    @classmethod
    def open(cls, path: Path) -> ModelCard:
        """Read ``NAME.card.json``.

        Raises
        ------
        WeightsError : ``BAD_CARD`` where the file does not hold a card.
        """
        try:
            return _ADAPTER.validate_json(read_given_file(path))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise WeightsError(
                f"{path.name} is not a valid model card",
                code="BAD_CARD",
                expected="the fields of nodule.weights.model_card.ModelCard as JSON",
                got=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            ) from error

    def to_json(self) -> bytes:
        """Return the content of ``NAME.card.json``."""
        return _ADAPTER.dump_json(self, indent=1, exclude_defaults=False) + b"\n"

    def with_evaluation(self, evaluation: CardEvaluation) -> ModelCard:
        """Return a card with an evaluation, in place of an earlier one of the same heading."""
        return replace(self, measured=_replaced(self.measured, evaluation))


def _replaced(
    measured: Sequence[CardEvaluation], evaluation: CardEvaluation
) -> tuple[CardEvaluation, ...]:
    if evaluation.heading not in {each.heading for each in measured}:
        return (*measured, evaluation)
    return tuple(evaluation if each.heading == evaluation.heading else each for each in measured)


_ADAPTER = TypeAdapter(ModelCard)
