"""What published rules make of findings and of what is known of a person."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.advice.case import Case
    from nodule.advice.context import Context, read_context
    from nodule.advice.management import Management, manage
    from nodule.advice.statement import Advice

__all__ = [
    "Advice",
    "Case",
    "Context",
    "Management",
    "manage",
    "read_context",
]

_HOMES = {
    "Advice": "statement",
    "Case": "case",
    "Context": "context",
    "Management": "management",
    "manage": "management",
    "read_context": "context",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
