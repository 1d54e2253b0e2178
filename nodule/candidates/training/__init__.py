"""How the candidates network is trained."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.candidates.training._candidates_task import CandidatesTask

__all__ = [
    "CandidatesTask",
]

_HOMES = {
    "CandidatesTask": "_candidates_task",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
