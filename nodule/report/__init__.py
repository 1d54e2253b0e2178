"""What is handed to the reader: one page, JSON, a table, the lungs.

>>> from nodule.report import build_report, write_report  # doctest: +SKIP
>>> report = build_report(study=..., lungs=..., findings=..., patient=..., provenance=...)
>>> write_report(report, study=..., lungs=..., folder=Path("out"))
"""

from nodule.report.build import build_report
from nodule.report.context import Context, read_context
from nodule.report.model import Provenance, Report
from nodule.report.write import write_report

__all__ = [
    "Context",
    "Provenance",
    "Report",
    "build_report",
    "read_context",
    "write_report",
]
