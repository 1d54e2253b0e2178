"""Rendering of a model card as Markdown, by the template ``templates/card.md.j2``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nodule.weights.model_card import CardEvaluation, ModelCard

TEMPLATES = Path(__file__).parent / "templates"

_WIDTH = 100
_ITEM = "- "


def render(card: ModelCard) -> str:
    """Return the card as Markdown, lines of at most 100 characters outside tables."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"prose": prose, "row": table_row, "thousands": "{:,}".format}
    template = environment.get_template("card.md.j2")
    return template.render(card=card, patients_seen=patients_seen).rstrip() + "\n"


def prose(paragraphs: Sequence[str]) -> str:
    """Return paragraphs apart and items of a list below each other, their lines broken."""
    blocks: list[str] = []
    for paragraph in paragraphs:
        is_item = paragraph.startswith(_ITEM)
        text = textwrap.fill(
            paragraph,
            _WIDTH,
            subsequent_indent=" " * len(_ITEM) if is_item else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        if is_item and blocks and blocks[-1].startswith(_ITEM):
            blocks[-1] += f"\n{text}"
        else:
            blocks.append(text)
    return "\n\n".join(blocks)


def table_row(cells: Iterable[object]) -> str:
    """Return one row of a Markdown table."""
    return "| " + " | ".join(_cell(str(cell)) for cell in cells) + " |"


def patients_seen(evaluation: CardEvaluation) -> str:
    """Return the sentence that says whether training saw the patients evaluated."""
    if evaluation.seen:
        return (
            f"**Training saw {evaluation.seen} of the {evaluation.patients} patients: these "
            "figures do not measure performance.**"
        )
    return f"Patients evaluated: {evaluation.patients}, none of them seen in training."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
