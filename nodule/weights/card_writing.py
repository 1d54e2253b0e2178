"""Writing of model cards beside the weights that they describe.

``NAME.card.json`` holds what the card states, and ``NAME.md`` is rendered from it whenever it is
written. To change a text, edit the JSON and run ``nodule card NAME.card.json``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nodule.errors import WeightsError
from nodule.weights import Weights
from nodule.weights._card_rendering import TEMPLATES, render
from nodule.weights._card_sources import sources
from nodule.weights.model_card import CardEvaluation, CardMember, CardWeights, ModelCard
from nodule.weights.training_record import TrainingRun, card_training
from nodule.whole_files import write_whole

_SUFFIX = ".card.json"


def card_path(weights: Sequence[Weights]) -> Path:
    """Return where the card of weights lies: beside them, under what their names share.

    ``malignancy.card.json`` describes ``malignancy.fold0.safetensors`` and so on together; a file
    alone has a card of its own name.
    """
    first = weights[0].path
    name = first.stem if len(weights) == 1 else first.name.split(".")[0]
    return first.with_name(f"{name}{_SUFFIX}")


def rendered_path(path: Path) -> Path:
    """Return where ``NAME.card.json`` is rendered: ``NAME.md``."""
    return path.with_name(f"{path.name.removesuffix(_SUFFIX)}.md")


def write_rendered(path: Path) -> Path:
    """Render ``NAME.card.json`` as ``NAME.md`` beside it, and return that path.

    Raises
    ------
    WeightsError : ``BAD_CARD``.
    """
    text = render(ModelCard.open(path))
    return write_whole(rendered_path(path), text.encode())


def write_training(weights: Weights, run: TrainingRun) -> Path:
    """Write what a training knows of its weights, and return the rendered card's path.

    Weights and training are replaced. Evaluations are removed where other weights were evaluated.
    A new card takes its use and limits from the template of the stage, and its sources from the
    training patients.
    """
    path = card_path([weights])
    card = _read_or_new(path, weights.stage)
    described = _card_weights(weights)
    if card.weights is None or card.weights.sha256 != weights.sha256:
        card = replace(card, measured=(), remarks=())
    card = replace(card, weights=described, training=card_training(run))
    if not card.sources:
        card = replace(card, sources=sources(weights.training_patients))
    return _write(path, card)


def write_evaluation(weights: Sequence[Weights], evaluation: CardEvaluation) -> Path:
    """Write an evaluation's figures into the card beside the weights, and return its path.

    Figures under the same heading are replaced; all else stays. The card of an ensemble lists its
    members; figures of other members are removed.

    Parameters
    ----------
    weights : one file, or the members of an ensemble that were evaluated together.
    evaluation : the figures.

    Raises
    ------
    WeightsError : ``CARD_OF_OTHER_WEIGHTS`` where the card of one file states another digest;
        ``CARD_WITHOUT_JSON`` where there is a card that was not rendered from JSON.
    """
    path = card_path(weights)
    if not path.is_file() and rendered_path(path).is_file():
        raise WeightsError(
            f"{rendered_path(path).name} was not rendered from JSON and would be overwritten",
            code="CARD_WITHOUT_JSON",
            expected=f"{path.name} beside it",
            hint="Move the card to another folder; its texts can be taken over into the JSON",
        )
    card = _read_or_new(path, weights[0].stage)
    card = _describe_one(card, weights[0]) if len(weights) == 1 else _describe_all(card, weights)
    return _write(path, card.with_evaluation(evaluation))


def _describe_one(card: ModelCard, weights: Weights) -> ModelCard:
    if card.weights is not None and card.weights.sha256 != weights.sha256:
        raise WeightsError(
            f"the model card of {weights.path.name} describes other weights",
            code="CARD_OF_OTHER_WEIGHTS",
            expected=weights.sha256,
            got=card.weights.sha256,
            hint="Put the card beside the weights that nodule train wrote with it",
        )
    return replace(card, weights=_card_weights(weights))


def _describe_all(card: ModelCard, members: Sequence[Weights]) -> ModelCard:
    listed = tuple(
        CardMember(
            file=each.path.name,
            sha256=each.sha256,
            training_patients=len(each.training_patients),
        )
        for each in sorted(members, key=lambda each: each.path.name)
    )
    if card.members == listed:
        return card
    return replace(card, weights=None, members=listed, measured=(), remarks=())


def _read_or_new(path: Path, stage: str) -> ModelCard:
    if path.is_file():
        return ModelCard.open(path)
    template = TEMPLATES / f"{stage}{_SUFFIX}"
    return ModelCard.open(template) if template.is_file() else ModelCard(stage=stage, title=stage)


def _card_weights(weights: Weights) -> CardWeights:
    return CardWeights(
        sha256=weights.sha256,
        numbers=_count_numbers(weights.path),
        training_patients=len(weights.training_patients),
    )


def _count_numbers(path: Path) -> dict[str, int]:
    """Count a file's numbers by type, from its header alone; counters are left out."""
    from math import prod

    from safetensors import safe_open

    kinds = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
    counts: Counter[str] = Counter()
    with safe_open(path, framework="numpy") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - not a mapping
            part = tensors.get_slice(name)
            if part.get_dtype() in kinds:
                counts[kinds[part.get_dtype()]] += prod(part.get_shape())
    return dict(counts)


def _write(path: Path, card: ModelCard) -> Path:
    write_whole(path, card.to_json())
    return write_rendered(path)
