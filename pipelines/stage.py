"""What the runner asks of a stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol


class Stage(Protocol):
    """A frozen dataclass whose fields are its configuration.

    ``run`` takes its inputs by keyword, and ``progress``. Fields whose metadata says
    ``speed_only`` stay out of the cache key; every other field is in it. ``version`` rises
    whenever the same fields and inputs give another output.
    """

    name: ClassVar[str]
    version: ClassVar[int]

    @property
    def run(self) -> Callable[..., Any]:
        """Return the bound method that maps inputs to one output."""
        ...
