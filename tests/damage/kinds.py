"""Kinds of damage by name: functions that take a seed's random numbers and what they damage."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Damage = Callable[[random.Random, Any], None]


@dataclass(frozen=True)
class Kind:
    """One kind of damage, and by name the inputs that can meet it."""

    damage: Damage
    bases: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.damage.__name__


class Registry(Mapping[str, Kind]):
    """Kinds by name, which is what their functions are called."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def of(self, *bases: str) -> Callable[[Damage], Damage]:
        """Return a decorator that adds a kind."""

        def add(damage: Damage) -> Damage:
            assert damage.__name__ not in self._kinds
            self._kinds[damage.__name__] = Kind(damage, bases)
            return damage

        return add

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)
