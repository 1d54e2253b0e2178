"""What readers' ratings of texture, 1 to 5, say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

TextureClass = Literal["ground-glass", "part-solid", "solid", "unrated"]


def texture_class(ratings: Sequence[int]) -> TextureClass:
    """Return the class of the mean rating: up to 2, below 4, from 4 on."""
    if not ratings:
        return "unrated"
    mean = sum(ratings) / len(ratings)
    return "ground-glass" if mean <= 2 else "part-solid" if mean < 4 else "solid"
