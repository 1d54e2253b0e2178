"""What is handed to the reader: what a report says, as JSON and as tables.

>>> from nodule.report import build_report  # doctest: +SKIP
>>> report = build_report(study=..., lungs=..., findings=..., patient=..., provenance=...)
"""

from typing import TYPE_CHECKING

import lazy_loader

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

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "build": ["build_report"],
        "model": ["Provenance", "Report"],
        "reader_review": ["AppliedReview", "Decision", "Review"],
        "reported_nodule": ["ReportedNodule"],
    },
)
