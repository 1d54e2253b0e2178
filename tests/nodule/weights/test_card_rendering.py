"""Model cards are rendered as Markdown, those that ship as they stand."""

from pathlib import Path

import pytest

from nodule.weights import SHIPPED, Weights
from nodule.weights._card_rendering import prose, render
from nodule.weights.card_writing import rendered_path
from nodule.weights.model_card import CardTraining, ModelCard

CARDS = sorted(SHIPPED.glob("*.card.json"))
FILES = sorted(SHIPPED.glob("*.safetensors"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.name)
def test_a_shipped_card_is_what_its_json_states(path: Path) -> None:
    assert rendered_path(path).read_text(encoding="utf-8") == render(ModelCard.open(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_card_says_what_shipped_weights_are_for_and_where_they_fail(path: Path) -> None:
    # the members of an ensemble share a card
    own, shared = path.with_suffix(".card.json"), SHIPPED / f"{path.name.split('.')[0]}.card.json"
    card = ModelCard.open(own if own.is_file() else shared)
    assert card.use
    assert card.training
    assert card.measured
    assert card.limits
    assert card.sources
    weights = Weights.open(path)
    described = [each.sha256 for each in (card.weights, *card.members) if each is not None]
    assert weights.sha256 in described


def test_paragraphs_stand_apart_and_items_below_each_other() -> None:
    text = prose(["One.", "- first " + "word " * 25, "- second", "Two."])
    assert text == (
        "One.\n\n- first " + "word " * 17 + "word\n  " + "word " * 6 + "word\n- second\n\nTwo."
    )


def test_a_card_without_a_section_has_no_heading_for_it() -> None:
    card = ModelCard(stage="line", title="line: a network", training=CardTraining(text=("Once.",)))
    assert render(card) == "# line: a network\n\n## Training\n\nOnce.\n"


def test_what_would_end_a_cell_of_a_table_is_escaped() -> None:
    training = CardTraining(text=(), settings={"task.note": "a | b"})
    card = ModelCard(stage="line", title="line", training=training)
    assert "| task.note | a \\| b |" in render(card)
