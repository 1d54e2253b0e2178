"""Who says what in a document: the software, and the persons who reviewed its report."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from highdicom import sr
from pydantic import BaseModel

from nodule.dicom import codes as code
from nodule.dicom._instance import device_uid
from nodule.report.model import Provenance, Report
from nodule.report.reader_review import AppliedReview, Part
from nodule.report.software import PRODUCT, answers_digest, software_version

Verdict = Literal["accepted", "rejected", "added"]

_NAME_CHARACTERS = 64  # PS3.5 6.2, of a component group of PN
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f\\=]+")
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_STATED_ELSEWHERE = frozenset(
    {"id", "verdict", "comment", "moved_to_lps_mm", "center_lps_mm", "long_axis_mm", "lobe"}
)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a reader said last of one finding.

    Parameters
    ----------
    verdict : None where the reader left it open.
    comment : in the reader's words.
    statements : whatever else the review holds of the finding, a line each.
    reader : as named for DICOM, None where the review names nobody.
    at : when the review was saved.
    """

    verdict: Verdict | None
    comment: str | None
    statements: tuple[str, ...]
    reader: str | None
    at: datetime


def judgements(report: Report) -> dict[str, Judgement]:
    """Return the last word of readers on each finding of which there is one, by its id."""
    said: dict[str, Judgement] = {}
    for review in report.reviews:
        for id_, addition in zip(review.added, review.additions, strict=True):
            said[id_] = _judged(review, addition, "added")
        for decision in review.decisions:
            before = said.get(decision.id)
            verdict = decision.verdict or (before.verdict if before else None)
            said[decision.id] = _judged(review, decision, verdict)
        for id_, facts in ({} if review.context is None else review.context.findings).items():
            lines = _lines(facts)
            if lines:
                judged = said.get(id_) or _judged(review, Part(), None)
                said[id_] = replace(judged, statements=(*judged.statements, *lines))
    return said


def _judged(review: AppliedReview, stated: Part, verdict: Verdict | None) -> Judgement:
    comment = _clean_text(str(getattr(stated, "comment", None) or ""))
    return Judgement(
        verdict=verdict,
        comment=comment or None,
        statements=_lines(stated),
        reader=reader_name(review.reader),
        at=review.saved_at,
    )


def _lines(stated: BaseModel) -> tuple[str, ...]:
    """Return a line for each field that has no code of its own."""
    fields = stated.model_dump(mode="json", exclude_none=True, exclude=set(_STATED_ELSEWHERE))
    return tuple(
        f"{name.replace('_', ' ')}: {_clean_text(_words(value))}" for name, value in fields.items()
    )


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key.replace('_', ' ')} {_words(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def reader_name(given: str | None) -> str | None:
    """Return a reader's name as DICOM can hold it, None where nothing is left.

    A name in one piece ends with a caret, so that nobody takes it for a family name in error.
    """
    plain = " ".join(_NOT_IN_NAMES.sub(" ", given or "").split())
    cut = plain[: _NAME_CHARACTERS - 1].strip()
    if not cut:
        return None
    return cut if "^" in cut else f"{cut}^"


def _clean_text(text: str) -> str:
    return _NOT_IN_TEXT.sub(" ", text).strip()


def readers_of(report: Report) -> tuple[str, ...]:
    """Return everybody who reviewed a report and is named, in order of time."""
    named = (reader_name(review.reader) for review in report.reviews)
    return tuple(dict.fromkeys(name for name in named if name is not None))


def device(provenance: Provenance) -> sr.ObserverContext:
    """Return the software as an observer."""
    return sr.ObserverContext(
        observer_type=sr.CodedConcept.from_code(code.DEVICE),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=device_uid(provenance),
            name=f"{PRODUCT} {software_version(provenance)}",
            manufacturer_name=PRODUCT,
            model_name=PRODUCT,
            serial_number=answers_digest(provenance),
        ),
    )


def person(name: str) -> sr.ObserverContext:
    """Return a reader as an observer."""
    return sr.ObserverContext(
        observer_type=sr.CodedConcept.from_code(code.PERSON),
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(name=name),
    )
