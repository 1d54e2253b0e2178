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

from nodule.advice.context import Context
from nodule.masks import Texture
from nodule.nodules import Lung, Point, Size

FindingId = Annotated[str, Field(pattern="^[NR][1-9][0-9]*$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Organization = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\\]+$")
]
Verdict = Literal["accepted", "rejected"]


class Part(BaseModel):
    """A part of ``report.json``: frozen, and strict about its fields and those of its parts."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ReaderSize(Part):
    """What a reader measured, which wins over what the software did.

    Parameters
    ----------
    long_axis_mm, short_axis_mm : greatest diameter and the longest one perpendicular to it, of the
        whole nodule.
    texture : what it is made of; None for what the software says.
    solid_axes_mm : the same two of the solid core of a part-solid nodule.
    """

    long_axis_mm: Size
    short_axis_mm: Size
    texture: Texture | None = None
    solid_axes_mm: tuple[Size, Size] | None = None

    @model_validator(mode="after")
    def _core_within_nodule(self) -> Self:
        long_mm, short_mm = self.solid_axes_mm or (self.long_axis_mm, self.short_axis_mm)
        if self.short_axis_mm > self.long_axis_mm or short_mm > long_mm:
            raise ValueError("the short axis is longer than the long one")
        if long_mm > self.long_axis_mm:
            raise ValueError("the solid core is longer than the nodule")
        if self.solid_axes_mm is not None and self.texture not in (None, "part-solid"):
            raise ValueError(f"a {self.texture} nodule has no solid core")
        return self


class Decision(Part):
    """What a reader says of one finding; null where nothing was said.

    Parameters
    ----------
    id : of the finding.
    verdict : whether it is a nodule.
    moved_to_lps_mm : where it is.
    size : as the reader measured it.
    lung : in which lung it lies.
    comment : in the reader's words.
    """

    id: FindingId
    verdict: Verdict | None = None
    moved_to_lps_mm: Point | None = None
    size: ReaderSize | None = None
    lung: Lung | None = None
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
    context : what the reader states of the person, the exam and the findings, in place of what the
        report held; None where that stands.
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
    context: Context | None = None
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
