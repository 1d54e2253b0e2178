"""Attributes of a DICOM data set as typed values: absent is None, nonsense is an error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from nodule.errors import DicomSeriesError
from nodule.geometry import Vector, as_vector

_T = TypeVar("_T")


def raw(dataset: Dataset, keyword: str) -> object:
    """Return an attribute as pydicom decodes it, None where it is absent or empty.

    Raises
    ------
    DicomSeriesError : ``BAD_VALUE``, which names the attribute and never its value.
    """
    try:
        value: object = dataset.get(keyword)
    except Exception as error:  # whatever pydicom raises on malformed values
        raise bad_value(keyword, type(error).__name__) from None
    is_empty = value is None or (isinstance(value, str | MultiValue) and len(value) == 0)
    return None if is_empty else value


def bad_value(keyword: str, got: str) -> DicomSeriesError:
    """Return the error for an attribute whose value breaks the standard."""
    return DicomSeriesError(
        f"{keyword} holds a value that the standard does not allow",
        code="BAD_VALUE",
        got=got,
        hint="Export the study again, or correct the attribute.",
    )


def text(dataset: Dataset, keyword: str) -> str | None:
    """Return an attribute as text without its padding; several values are joined by a backslash."""
    value = raw(dataset, keyword)
    if value is None:
        return None
    try:
        whole = "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value)
    except Exception as error:  # decoding of names happens here
        raise bad_value(keyword, type(error).__name__) from None
    return whole.strip(" \0") or None


def stated(dataset: Dataset, keyword: str, read: Callable[[Dataset, str], _T | None]) -> _T | None:
    """Return an attribute that only describes, None where it is absent or malformed.

    Parameters
    ----------
    read : one of the other functions here.
    """
    try:
        return read(dataset, keyword)
    except DicomSeriesError:
        return None


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return a multi-valued attribute as upper-case words, empty where absent."""
    return tuple(part.strip().upper() for part in (text(dataset, keyword) or "").split("\\"))


def floats(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return exactly ``count`` finite numbers, or None where the attribute is absent."""
    value = raw(dataset, keyword)
    if value is None:
        return None
    parts: Sequence[Any] = value if isinstance(value, MultiValue) else [value]
    try:
        numbers = tuple(float(p) for p in parts)
    except (TypeError, ValueError) as error:
        raise bad_value(keyword, type(error).__name__) from None
    if len(numbers) != count:
        raise bad_value(keyword, f"{len(numbers)} values in place of {count}")
    if not all(map(math.isfinite, numbers)):
        raise bad_value(keyword, "NaN or infinity")
    return numbers


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return one finite number, or None where the attribute is absent."""
    values = floats(dataset, keyword, 1)
    return values[0] if values else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Return one whole number, or None where the attribute is absent."""
    value = number(dataset, keyword)
    if value is None:
        return None
    if value != int(value):
        raise bad_value(keyword, "a fraction")
    return int(value)


def vector(dataset: Dataset, keyword: str) -> Vector | None:
    """Return three finite numbers, or None where the attribute is absent."""
    values = floats(dataset, keyword, 3)
    return as_vector(values) if values else None
