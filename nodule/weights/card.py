"""The model card: a Markdown document of sections with stable headings.

A card is a title, a few lines about the network, and sections (``## Heading``). The commands own
``Weights``, ``Training`` and, in ``Measured``, one part (``### Heading``) for each evaluation;
they replace what they own and leave everything else as it stands, so that a person may write the
rest. Writing the same twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nodule.errors import WeightsError

ORDER = ("Weights", "Use", "Training", "Measured", "Limits", "Sources", "Notes")
"""Where a new section goes; one that is not listed stands last."""

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_FENCE = "```"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and what stands below it, without blank lines around."""

    heading: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """A card, or one of its sections with the parts in it.

    Parameters
    ----------
    intro : what stands before the first section, the title included.
    sections : in order; no two have the same heading.
    level : how deep the sections are: 2 for ``## Heading``.
    """

    intro: str
    sections: tuple[Section, ...] = ()
    level: int = 2

    @classmethod
    def parse(cls, text: str, *, level: int = 2) -> Card:
        """Take a text apart.

        Raises
        ------
        WeightsError : ``BAD_CARD`` where a heading comes twice.
        """
        intro, *pieces = _split(text, mark="#" * level + " ")
        sections = []
        for piece in pieces:
            heading, _, below = piece.partition("\n")
            sections.append(Section(heading=heading.lstrip("#").strip(), text=below.strip()))
        headings = [section.heading for section in sections]
        if len(set(headings)) < len(headings):
            raise WeightsError(
                "a model card has two sections of one heading", code="BAD_CARD", got=headings
            )
        return cls(intro=intro.strip(), sections=tuple(sections), level=level)

    def render(self) -> str:
        """Return the text; parsing it gives this card again."""
        mark = "#" * self.level
        pieces = [f"{mark} {each.heading}\n\n{each.text}".strip() for each in self.sections]
        return "\n\n".join(piece for piece in (self.intro, *pieces) if piece) + "\n"

    def text_of(self, heading: str) -> str | None:
        """Return what stands in a section, None where there is none."""
        return next((each.text for each in self.sections if each.heading == heading), None)

    def with_section(self, heading: str, text: str) -> Card:
        """Return a card in which a section says this, all others being what they were."""
        section = Section(heading=heading, text=text.strip())
        if self.text_of(heading) is not None:
            kept = (section if each.heading == heading else each for each in self.sections)
            return replace(self, sections=tuple(kept))
        place = next(
            (k for k, each in enumerate(self.sections) if _rank(each.heading) > _rank(heading)),
            len(self.sections),
        )
        sections = (*self.sections[:place], section, *self.sections[place:])
        return replace(self, sections=sections)

    def without_section(self, heading: str) -> Card:
        """Return a card that lacks a section."""
        return replace(
            self, sections=tuple(each for each in self.sections if each.heading != heading)
        )

    def with_part(self, heading: str, part: str, text: str) -> Card:
        """Return a card in which a part of a section, ``### part``, says this."""
        inner = Card.parse(self.text_of(heading) or "", level=self.level + 1)
        return self.with_section(heading, inner.with_section(part, text).render())

    @property
    def sha256(self) -> str | None:
        """The digest of the weights that the card is about: the first one it states."""
        found = _DIGEST.search(self.render())
        return found[0] if found else None


def table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _rank(heading: str) -> int:
    return ORDER.index(heading) if heading in ORDER else len(ORDER)


def _split(text: str, *, mark: str) -> list[str]:
    """Return what stands before the first heading, then each heading with what is below it."""
    pieces: list[list[str]] = [[]]
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith(_FENCE)
        if line.startswith(mark) and not fenced:
            pieces.append([])
        pieces[-1].append(line)
    return ["\n".join(lines) for lines in pieces]
