"""Tables that a notebook shows in place of an object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def html_table(
    rows: Iterable[Sequence[object]], *, caption: str, headings: Sequence[str] = ()
) -> str:
    """Return a table as HTML, every cell escaped.

    Parameters
    ----------
    rows : the first cell of each names the row; None is shown as a dash.
    caption : above the table.
    headings : of the columns; none without.
    """
    head = "".join(f"<th>{escape(each)}</th>" for each in headings)
    body = "".join(
        f"<tr><th>{_text(first)}</th>{''.join(f'<td>{_text(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
    )


def _text(cell: object) -> str:
    return "–" if cell is None else escape(str(cell))
