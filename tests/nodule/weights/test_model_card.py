"""Model cards are read from JSON as they were written."""

from pathlib import Path

import pytest

from nodule.errors import WeightsError
from nodule.weights.model_card import CardEvaluation, CardFigure, ModelCard


def evaluation(heading: str, value: float) -> CardEvaluation:
    return CardEvaluation(
        heading=heading,
        command="nodule evaluate line",
        measured_on="Fold 4.",
        patients=3,
        seen=0,
        figures=(CardFigure(name="AUC", value=value, interval=(0.1, 0.9), n=7),),
    )


def test_a_card_reads_back_as_it_was_written(tmp_path: Path) -> None:
    card = ModelCard(
        stage="line",
        title="line: a network",
        limits=("- Few.",),
        measured=(
            evaluation("A", 0.5),
            CardEvaluation(
                heading="B", command="c", measured_on="m", patients=1, seen=1,
                figures=(CardFigure(name="in", value="39/40"), CardFigure(name="x", value=None)),
            ),
        ),
    )  # fmt: skip
    (tmp_path / "w.card.json").write_bytes(card.to_json())
    assert ModelCard.open(tmp_path / "w.card.json") == card


def test_an_evaluation_is_replaced_under_its_heading_and_keeps_its_place() -> None:
    card = ModelCard(stage="line", title="line")
    card = card.with_evaluation(evaluation("A", 0.5)).with_evaluation(evaluation("B", 0.6))
    again = card.with_evaluation(evaluation("A", 0.7))
    values = [(each.heading, each.figures[0].value) for each in again.measured]
    assert values == [("A", 0.7), ("B", 0.6)]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('{"stage": "s", "title": "t", "tittle": 1}', "tittle"),
        ('{"title": "t"}', "stage"),
        ('{"stage": "s", "title": "t", "format": "nodule-card-v0"}', "format"),
        ("# a Markdown card", "JSON"),
    ],
)
def test_refuses_what_is_not_a_card_and_names_the_field(
    tmp_path: Path, content: str, named: str
) -> None:
    (tmp_path / "w.card.json").write_text(content)
    with pytest.raises(WeightsError, match=named) as refused:
        ModelCard.open(tmp_path / "w.card.json")
    assert refused.value.code == "BAD_CARD"


@pytest.mark.parametrize(
    ("figure", "cells"),
    [
        (CardFigure(name="Dice", value=0.98412, n=1), ("Dice", "0.984", "", "1")),
        (
            CardFigure(name="AUC", value=0.9, interval=(0.85, 0.94567)),
            ("AUC", "0.900", "0.850 to 0.946", ""),
        ),
        (CardFigure(name="inside", value="39/40", n=40), ("inside", "39/40", "", "40")),
        (CardFigure(name="HD95, mm", value=12.04, digits=1), ("HD95, mm", "12.0", "", "")),
        (CardFigure(name="HD95, mm", value=None), ("HD95, mm", "none", "", "")),
    ],
)
def test_a_figure_is_shown_with_its_digits(figure: CardFigure, cells: tuple[str, ...]) -> None:
    assert figure.cells() == cells
