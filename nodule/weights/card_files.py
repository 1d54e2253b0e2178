"""Writing model cards beside the weights that they describe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nodule.errors import WeightsError
from nodule.weights import Weights
from nodule.weights.card import Card
from nodule.weights.card_sources import sources_text
from nodule.weights.card_text import (
    CardFigure,
    TrainingRun,
    measured_text,
    members_text,
    training_text,
    weights_text,
)
from nodule.whole_files import write_whole

_TEMPLATES = Path(__file__).parent / "templates"


def card_path(weights: Path) -> Path:
    """Return where the card of a weights file lies: beside it, under its name."""
    return weights.with_suffix(".md")


def write_training(weights: Weights, run: TrainingRun) -> Path:
    """Write what a training knows of its weights, and return the card's path.

    Sections ``Weights`` and ``Training`` are replaced. ``Measured`` is taken out where it was
    measured on other weights. Use, limits and sources are filled in where the card has none.
    """
    path = card_path(weights.path)
    card = _existing(path) or _template(weights.stage)
    if card.sha256 != weights.sha256:
        card = card.without_section("Measured")
    card = card.with_section("Weights", _weights_text(weights))
    card = card.with_section("Training", training_text(run))
    if card.text_of("Sources") is None:
        card = card.with_section("Sources", sources_text(weights.training_patients))
    return _write(path, card)


def write_measured(
    weights: Weights,
    *,
    heading: str,
    rows: Sequence[CardFigure],
    command: str,
    measured_on: str,
    patients: Iterable[str],
    notes: Sequence[str] = (),
) -> Path:
    """Write an evaluation's figures into the card beside the weights, and return its path.

    The part of ``Measured`` with this heading is replaced, or added; all else stays.

    Parameters
    ----------
    weights : those that were evaluated.
    heading : names the evaluation; one that is repeated under it replaces its figures.
    rows : the figures.
    command : the command line that gave them, paths reduced to names.
    measured_on : a sentence: which data, how many, against which reference.
    patients : everybody evaluated. Whoever of them the weights saw in training is counted, and
        the card says so.
    notes : sentences below the table.

    Raises
    ------
    WeightsError : ``CARD_OF_OTHER_WEIGHTS`` where the card states another digest.
    """
    path = card_path(weights.path)
    card = _existing(path) or _template(weights.stage)
    if card.sha256 not in (None, weights.sha256):
        raise WeightsError(
            f"{path.name} is the card of other weights",
            code="CARD_OF_OTHER_WEIGHTS",
            expected=weights.sha256,
            got=card.sha256,
            hint="Put the card beside the weights that nodule train wrote with them",
        )
    evaluated = frozenset(patients)
    text = measured_text(
        rows,
        command=command,
        measured_on=measured_on,
        seen=len(evaluated & frozenset(weights.training_patients)),
        patients=len(evaluated),
        notes=notes,
    )
    card = card.with_section("Weights", _weights_text(weights))
    return _write(path, card.with_part("Measured", heading, text))


def write_measured_together(
    members: Sequence[Weights],
    *,
    heading: str,
    rows: Sequence[CardFigure],
    command: str,
    measured_on: str,
    patients: Iterable[str],
    seen: int,
    notes: Sequence[str] = (),
) -> Path:
    """Write the figures of an ensemble into the card beside it, and return its path.

    It lies beside the members, called by what their names share: ``malignancy.md`` beside
    ``malignancy.fold0.safetensors`` and so on. It lists the members; figures of others are taken
    out. A member alone has its figures on its own card. Parameters are :func:`write_measured`'s,
    and ``seen`` counts who was judged by a member that saw them in training: a member may have
    seen patients whom only others judged.
    """
    if len(members) == 1:
        return write_measured(
            members[0],
            heading=heading,
            rows=rows,
            command=command,
            measured_on=measured_on,
            patients=patients,
            notes=notes,
        )
    first = members[0]
    path = first.path.with_name(f"{first.path.name.split('.')[0]}.md")
    card = _existing(path) or _template(first.stage)
    listed = members_text(
        {each.path.name: (each.sha256, len(each.training_patients)) for each in members}
    )
    if card.text_of("Weights") != listed:
        card = card.without_section("Measured").with_section("Weights", listed)
    told = measured_text(
        rows,
        command=command,
        measured_on=measured_on,
        seen=seen,
        patients=len(frozenset(patients)),
        notes=notes,
    )
    return _write(path, card.with_part("Measured", heading, told))


def _existing(path: Path) -> Card | None:
    return Card.parse(path.read_text(encoding="utf-8")) if path.is_file() else None


def _template(stage: str) -> Card:
    """Return what holds for any weights of a stage: its purpose, use and limits."""
    path = _TEMPLATES / f"{stage}.md"
    return _existing(path) or Card(intro=f"# {stage}")


def _weights_text(weights: Weights) -> str:
    return weights_text(
        stage=weights.stage,
        sha256=weights.sha256,
        numbers=_count_numbers(weights.path),
        training_patients=len(weights.training_patients),
    )


def _count_numbers(path: Path) -> Mapping[str, int]:
    """Count a file's numbers by type, from its header alone; counters are left out."""
    from math import prod

    from safetensors import safe_open

    kinds = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
    counts: Counter[str] = Counter()
    with safe_open(path, framework="numpy") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - no mapping
            part = tensors.get_slice(name)
            if part.get_dtype() in kinds:
                counts[kinds[part.get_dtype()]] += prod(part.get_shape())
    return counts


def _write(path: Path, card: Card) -> Path:
    return write_whole(path, card.render().encode())
