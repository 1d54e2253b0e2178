"""What is handed to the reader: what a report says, as JSON and as tables.

>>> from nodule.report import build_report  # doctest: +SKIP
>>> report = build_report(study=..., lungs=..., findings=..., patient=..., provenance=...)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.report.build import build_report
    from nodule.report.model import Provenance, Report

__all__ = ["Provenance", "Report", "build_report"]

_HOMES = {"Provenance": "model", "Report": "model", "build_report": "build"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
