"""What readers decide about a report, as the page saves it and as a report keeps it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from nodule.nodules import Point, Size

FindingId = Annotated[str, Field(pattern="^[NR][1-9][0-9]*$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Organization = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\\]+$")
]
Verdict = Literal["accepted", "rejected"]


class Part(BaseModel):
    """A part of ``report.json``: frozen, and strict about its fields and those of its parts."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Decision(Part):
    """What a reader says of one finding; null where nothing was said."""

    id: FindingId
    verdict: Verdict | None = None
    moved_to_lps_mm: Point | None = None
    comment: str | None = None


class Addition(Part):
    """A nodule that was missed."""

    center_lps_mm: Point
    long_axis_mm: Size | None = None
    comment: str | None = None


class Review(Part):
    """A review file.

    Parameters
    ----------
    report_sha256 : of the ``report.json`` whose page was read; identifiers are that report's.
    input_sha256, series_instance_uid : the images that were read.
    reader : who read them, as they wish to be named.
    saved_at : when, by the reader's clock.
    decisions : on findings of the report, at most one for each; those not named are open.
    additions : what the report lacked.
    attested_for : the organization on whose behalf the reader answers for the whole report as
        reviewed; None where the reader does not.
    """

    format: Literal["nodule-review-1"]
    report_sha256: Sha256
    input_sha256: Sha256
    series_instance_uid: str | None
    reader: str | None = None
    saved_at: AwareDatetime
    decisions: tuple[Decision, ...] = ()
    additions: tuple[Addition, ...] = ()
    attested_for: Organization | None = None

    @model_validator(mode="after")
    def _who_attests(self) -> Self:
        if self.attested_for is not None and not (self.reader or "").strip():
            raise ValueError("nobody is named who attests to the report")
        return self

    @property
    def sha256(self) -> str:
        """Digest of the content, not of a file's white space."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class AppliedDecision(Decision):
    """A decision that was applied, and where the finding lay before it was moved."""

    moved_from_lps_mm: Point | None


class AppliedReview(Review):
    """A review that was applied to a report.

    Parameters
    ----------
    review_sha256 : digest of what the reader saved.
    added : names of the nodules that came in, in the order of ``additions``.
    """

    decisions: tuple[AppliedDecision, ...] = ()
    review_sha256: Sha256
    added: tuple[str, ...]
