"""What is handed to the reader: what a report says, as JSON and as tables.

>>> from nodule.report import build_report  # doctest: +SKIP
>>> report = build_report(study=..., lungs=..., findings=..., patient=..., provenance=...)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.report.build import build_report
    from nodule.report.model import Provenance, Report
    from nodule.report.reader_review import AppliedReview, Decision, Review
    from nodule.report.reported_nodule import ReportedNodule

__all__ = [
    "AppliedReview",
    "Decision",
    "Provenance",
    "Report",
    "ReportedNodule",
    "Review",
    "build_report",
]

_HOMES = {
    "AppliedReview": "reader_review",
    "Decision": "reader_review",
    "Provenance": "model",
    "Report": "model",
    "ReportedNodule": "reported_nodule",
    "Review": "reader_review",
    "build_report": "build",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
