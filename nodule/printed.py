"""How precisely numbers are printed: declared with a field, applied by one function.

A field says how many decimals are meaningful::

    long_axis_mm: Annotated[float, Digits(2)]

and :func:`as_printed` returns a value whose numbers have just these. A report holds such values, so
that the page, the tables, DICOM SR and the rules all read the same numbers, and equal inputs give
equal bytes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


@dataclass(frozen=True)
class Digits:
    """Decimals of every number in a field, of those within tuples and dataclasses too.

    The outermost declaration holds: a dataclass that declares its own is printed by that of the
    field in which it lies.
    """

    count: int


def as_printed(value: T) -> T:
    """Return a dataclass whose numbers are rounded as its fields declare.

    A number that is infinite or none at all becomes None; the field must allow it.
    """
    printed: T = _printed(value, type(value), None)
    return printed


def _printed(value: Any, hint: Any, digits: int | None) -> Any:
    if get_origin(hint) is Annotated:
        declared = [each.count for each in hint.__metadata__ if isinstance(each, Digits)]
        own = declared[0] if declared and digits is None else digits
        return _printed(value, get_args(hint)[0], own)
    if get_origin(hint) in (Union, UnionType):
        return _printed(value, _member(value, hint), digits)
    if isinstance(value, float):
        return _number(value, digits)
    if isinstance(value, tuple):
        hints = _of_items(hint, len(value))
        return tuple(_printed(v, h, digits) for v, h in zip(value, hints, strict=True))
    if isinstance(value, Mapping):
        inner = (get_args(hint) or (Any, Any))[1]
        return {name: _printed(each, inner, digits) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        known = _hints(type(value))
        changed = {
            each.name: _printed(getattr(value, each.name), known[each.name], digits)
            for each in fields(value)
        }
        return replace(value, **changed)
    return value


def _number(value: float, digits: int | None) -> float | None:
    if not math.isfinite(value):
        return None
    return value if digits is None else round(value, digits)


def _member(value: Any, union: Any) -> Any:
    """Return the part of a union that declares how a value is printed: the first but None."""
    members = [each for each in get_args(union) if each is not type(None)]
    return type(None) if value is None else members[0]


def _of_items(hint: Any, count: int) -> tuple[Any, ...]:
    arguments = get_args(hint)
    if not arguments:
        return (Any,) * count
    return (arguments[0],) * count if arguments[-1] is Ellipsis else arguments


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)
