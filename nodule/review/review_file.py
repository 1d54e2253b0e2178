"""The file that the page saves of a reader's review, and the report that it belongs to."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ValidationError

from nodule.errors import InputError
from nodule.nodules import Point, Size
from nodule.report.model import Decision, Part, Report, Sha256

Model = TypeVar("Model", bound=BaseModel)


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
    """

    format: Literal["nodule-review-1"]
    report_sha256: Sha256
    input_sha256: Sha256
    series_instance_uid: str | None
    reader: str | None = None
    saved_at: AwareDatetime
    decisions: tuple[Decision, ...] = ()
    additions: tuple[Addition, ...] = ()

    @property
    def sha256(self) -> str:
        """Digest of the content, not of a file's white space."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def read_review(path: Path) -> Review:
    """Read a review file.

    Raises
    ------
    InputError : ``BAD_REVIEW``.
    """
    return _read(path, Review, "BAD_REVIEW", hint="Save it again from the report's page.")


def read_report(path: Path) -> Report:
    """Read a ``report.json``.

    Raises
    ------
    InputError : ``BAD_REPORT``.
    """
    return _read(path, Report, "BAD_REPORT", hint="Make the report again with this version.")


def _read(path: Path, model: type[Model], code: str, *, hint: str) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except InputError as error:
        raise InputError(
            f"{path.name} cannot be read: {error.what}", code=code, hint=hint
        ) from None
    except ValidationError as error:
        # where and what alone: the values may name a patient
        first = error.errors(include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            f"{path.name} cannot be read: {place}: {first['msg']}", code=code, hint=hint
        ) from None
