"""Every file of weights that ships is described by a card beside it."""

from pathlib import Path

import pytest

from nodule.weights import SHIPPED, Weights
from nodule.weights.card import Card

FILES = sorted(SHIPPED.glob("*.safetensors"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_card_tells_what_they_are_for_and_where_they_fail(path: Path) -> None:
    # the members of an ensemble share a card
    own, shared = path.with_suffix(".md"), SHIPPED / f"{path.name.split('.')[0]}.md"
    text = (own if own.is_file() else shared).read_text(encoding="utf-8")
    card = Card.parse(text)
    assert all(card.text_of(heading) for heading in ("Use", "Training", "Limits", "Sources"))
    assert card.sha256 is None or Weights.open(path).sha256 in text
