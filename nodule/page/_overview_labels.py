"""Names beside their places on the picture of the chest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

RADIUS_MM = 8.0
FONT_MM = 17.0
_GAP_MM = 3.0
_LETTER = 0.66  # width over size of a bold letter or digit
_HEIGHT = 0.74  # of capitals and digits over size

Anchor = Literal["start", "middle", "end"]
_Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A ring and the name beside it, in mm of the picture.

    ``text_mm`` is where the name's baseline starts, is halved or ends, as ``anchor`` says.
    """

    id: str
    center_mm: tuple[float, float]
    text_mm: tuple[float, float]
    anchor: Anchor


def place_marks(
    places_mm: Sequence[tuple[str, float, float]], *, size_mm: tuple[float, float]
) -> tuple[Mark, ...]:
    """Put each name where it covers least: right of its ring, left, below or above.

    Parameters
    ----------
    places_mm : name, mm from the left and from the top; earlier ones choose first.
    size_mm : width and height of the picture.
    """
    rings = [_around(x, y) for _, x, y in places_mm]
    taken: list[_Box] = []
    marks = []
    for name, x, y in places_mm:

        def covered_mm2(way: tuple[Mark, _Box]) -> float:
            box = way[1]
            return sum(_overlap(box, each) for each in (*taken, *rings)) + _outside(box, size_mm)

        mark, box = min(_ways(name, x, y), key=covered_mm2)
        marks.append(mark)
        taken.append(box)
    return tuple(marks)


def _ways(name: str, x: float, y: float) -> Iterator[tuple[Mark, _Box]]:
    width, height = _LETTER * FONT_MM * len(name), _HEIGHT * FONT_MM
    away = RADIUS_MM + _GAP_MM
    middle = round(y + height / 2, 2)
    lies: tuple[tuple[Anchor, float, float, float], ...] = (
        ("start", x + away, middle, x + away),
        ("end", x - away, middle, x - away - width),
        ("middle", x, y + away + height, x - width / 2),
        ("middle", x, y - away, x - width / 2),
    )
    for anchor, text_x, baseline, left in lies:
        mark = Mark(
            id=name,
            center_mm=(x, y),
            text_mm=(round(text_x, 2), round(baseline, 2)),
            anchor=anchor,
        )
        yield mark, (left, baseline - height, left + width, baseline)


def _around(x: float, y: float) -> _Box:
    return x - RADIUS_MM, y - RADIUS_MM, x + RADIUS_MM, y + RADIUS_MM


def _overlap(one: _Box, other: _Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def _outside(box: _Box, size_mm: tuple[float, float]) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1])
    return area - _overlap(box, (0.0, 0.0, *size_mm))
