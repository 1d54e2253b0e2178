"""Cards are taken apart and put together again without loss."""

import pytest

from nodule.errors import WeightsError
from nodule.weights.card import Card

TEXT = """\
# lungs: a network

Finds lungs.

## Weights

sha256 `0000000000000000000000000000000000000000000000000000000000000001`

## Measured

Looked at by a person.

### Against A

| figure | value |
|---|---|

## Limits

- Few.

```
## no heading within a fence
```
"""


def test_a_card_reads_back_as_it_was_written() -> None:
    card = Card.parse(TEXT)
    assert [each.heading for each in card.sections] == ["Weights", "Measured", "Limits"]
    assert card.render() == TEXT
    assert card.sha256 == "0" * 63 + "1"


def test_a_section_that_is_written_leaves_the_others_alone() -> None:
    card = Card.parse(TEXT).with_section("Weights", "new")
    assert card.text_of("Weights") == "new"
    assert card.text_of("Limits") == Card.parse(TEXT).text_of("Limits")
    assert card.intro == "# lungs: a network\n\nFinds lungs."


def test_a_new_section_takes_its_place_in_the_order() -> None:
    card = Card.parse(TEXT).with_section("Training", "t").with_section("Of my own", "o")
    headings = [each.heading for each in card.sections]
    assert headings == ["Weights", "Training", "Measured", "Limits", "Of my own"]


def test_a_part_is_replaced_under_its_heading_only() -> None:
    card = Card.parse(TEXT).with_part("Measured", "Against B", "b")
    again = card.with_part("Measured", "Against A", "a")
    assert again.text_of("Measured") == (
        "Looked at by a person.\n\n### Against A\n\na\n\n### Against B\n\nb"
    )
    assert again.with_part("Measured", "Against A", "a") == again


def test_refuses_a_card_that_says_a_thing_twice() -> None:
    with pytest.raises(WeightsError, match="BAD_CARD"):
        Card.parse("# x\n\n## Use\n\na\n\n## Use\n\nb\n")
