"""Ranges of settings: declared with a field, enforced whenever an object is made.

A field says what it may be in its annotation, in the words of ``annotated_types``, which pydantic
reads::

    score_threshold: Annotated[float, Interval(ge=0, le=1)] = 0.05

and ``__post_init__`` of its dataclass calls :func:`check_fields`. A configuration file is checked
against the same annotations.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import GroupedMetadata, Interval, MaxLen, MinLen, MultipleOf

from nodule.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Share = Annotated[float, Interval(ge=0, le=1)]
"""A part of a whole, both ends included."""
Margin = Annotated[float, Interval(ge=0, le=100)]
"""A distance in mm, from none to the width of a lung."""
RandomSeed = Annotated[int, Interval(ge=0, le=2**32 - 1)]
"""What starts a random generator; torch, numpy and Lightning all take these."""

LayerWidth = Annotated[int, Interval(ge=1, le=4096)]
"""Channels of a layer of a network."""

_SHOWN = (bool, int, float, str, tuple, list)
_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
}


def check_fields(instance: object) -> None:
    """Compare every field of a dataclass with its annotation, ranges included.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """
    from pydantic import ValidationError

    cls: Any = type(instance)
    for name, declared in _declared(cls).items():
        value = getattr(instance, name)
        try:
            declared.adapter.validate_python(value, strict=True)
        except ValidationError as error:
            raise ConfigError(
                f"{name} has a wrong value",
                code="BAD_VALUE",
                expected=describe(declared.hint),
                got=value if isinstance(value, _SHOWN) else type(value).__name__,
            ) from error


def describe(hint: Any) -> str:
    """Say in words what a field with this annotation may be, such as "a number from 0 to 1"."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        limits = tuple(_single(arguments[1:]))
        if get_origin(arguments[0]) is tuple:
            return _describe_tuple(get_args(arguments[0]), limits)
        return describe(arguments[0]) + "".join(_limits(limits))
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin is tuple:
        return _describe_tuple(arguments, ())
    present = [describe(kind) for kind in arguments if kind is not type(None)]
    if len(present) < len(arguments):
        return " or ".join(present)
    return _WORDS.get(hint) or str(getattr(hint, "__name__", hint))


@dataclass(frozen=True, kw_only=True)
class _Declared:
    hint: Any
    adapter: TypeAdapter[Any]


@functools.cache
def _declared(cls: Any) -> dict[str, _Declared]:
    from pydantic import TypeAdapter

    hints = get_type_hints(cls, include_extras=True)
    return {
        each.name: _Declared(hint=hints[each.name], adapter=TypeAdapter(hints[each.name]))
        for each in fields(cls)
    }


def _describe_tuple(arguments: tuple[Any, ...], limits: tuple[Any, ...]) -> str:
    least = [each.min_length for each in limits if isinstance(each, MinLen)]
    most = [each.max_length for each in limits if isinstance(each, MaxLen)]
    count = f" of {least[0]} or more" if least else ""
    if most:
        count = f" of {least[0] if least else 0} to {most[0]}"
    kinds = dict.fromkeys(map(describe, arguments))
    if arguments[-1] is Ellipsis:
        return f"a list{count}, each {describe(arguments[0])}"
    if len(kinds) == 1:
        return f"a list of {len(arguments)}, each {describe(arguments[0])}"
    return f"a list of {len(arguments)}: {', '.join(map(describe, arguments))}"


def _single(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for each in metadata:
        if isinstance(each, GroupedMetadata) and not isinstance(each, Interval):
            yield from _single(tuple(each))
        else:
            yield each


def _limits(metadata: Iterable[Any]) -> Iterator[str]:
    for each in metadata:
        match each:
            case Interval():
                yield _interval(each)
            case MultipleOf():
                yield f", a multiple of {each.multiple_of}"


def _interval(limits: Interval) -> str:
    if limits.gt is None and limits.lt is None:
        return f" from {limits.ge} to {limits.le}"
    low = f"from {limits.ge}" if limits.gt is None else f"above {limits.gt}"
    high = f"up to {limits.le}" if limits.lt is None else f"below {limits.lt}"
    return f" {low} and {high}"
