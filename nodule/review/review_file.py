"""The file that the page saves of a reader's review, and the report that it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from nodule.errors import InputError
from nodule.input_files import read_given_file
from nodule.report.model import Report
from nodule.report.reader_review import Review

Model = TypeVar("Model", bound=BaseModel)


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
    content = read_given_file(path)
    try:
        return model.model_validate_json(content)
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
