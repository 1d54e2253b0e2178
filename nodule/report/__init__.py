"""What is handed to the reader: what a report says, as JSON and as tables.

>>> from nodule.report import build_report  # doctest: +SKIP
>>> report = build_report(study=..., lungs=..., findings=..., patient=..., provenance=...)
"""

from nodule.report.build import build_report
from nodule.report.model import Provenance, Report

__all__ = ["Provenance", "Report", "build_report"]
