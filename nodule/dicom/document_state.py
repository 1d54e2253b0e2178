"""Whose word a document is: what its flags, its series and its dates say of readers.

Decisions
---------
* **Completion** (PS3.3 C.17.2) is measured by what readers have decided: COMPLETE where a reader
  has accepted, rejected or added every finding, PARTIAL otherwise, as in every first report.
* **Attestation** is a person's who answers for the content: VERIFIED where the last review names
  its reader and attests to the report on behalf of an organization. A review alone is none.
* **Preliminary** is whatever is not both.
* **Dates** are those of the last review, or else of the time when the objects are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nodule.dicom.readers import judgements, reader_name
from nodule.report.model import Report

_REVIEW_STEP = 10  # between the series numbers of a report and of its next review


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """Who answers for a document.

    Parameters
    ----------
    reader : the verifying observer.
    organization : to which the reader answers.
    at : when.
    """

    reader: str
    organization: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class DocumentState:
    """How far readers have come with a report.

    Parameters
    ----------
    complete : whether a reader decided on everything.
    verification : None where nobody attests.
    reviews : how many were applied.
    reviewed_at : when the last of them was saved.
    """

    complete: bool
    verification: Attestation | None
    reviews: int
    reviewed_at: datetime | None

    @classmethod
    def of(cls, report: Report) -> DocumentState:
        """Return the state of a report."""
        said = judgements(report)
        stated = (*report.active, *report.rejected)
        decided = all(
            each.nodule.id in said and said[each.nodule.id].verdict is not None for each in stated
        )
        last = report.reviews[-1] if report.reviews else None
        return cls(
            complete=last is not None and decided,
            verification=_verification(report),
            reviews=len(report.reviews),
            reviewed_at=None if last is None else last.saved_at,
        )

    @property
    def words(self) -> str:
        """What is to be known before a result is relied on, in at most 48 characters."""
        if self.verification is not None:
            return "AI draft, verified by a reader"
        if self.reviews:
            return "AI draft, reviewed by a reader, not verified"
        return "AI draft, not verified"

    @property
    def label(self) -> str:
        """The same as a code string."""
        return "AI_REVIEWED" if self.reviews else "AI_DRAFT"

    def series_number(self, first: int) -> int:
        """Return the number of a series: that of the first report, or of one of its reviews."""
        return first + _REVIEW_STEP * self.reviews


def _verification(report: Report) -> Attestation | None:
    last = report.reviews[-1] if report.reviews else None
    reader = None if last is None else reader_name(last.reader)
    if last is None or reader is None or last.attested_for is None:
        return None
    return Attestation(reader=reader, organization=last.attested_for, at=last.saved_at)
