"""TOML to stage objects, strictly.

A file has sections for stages of a flow, and in them keys for their fields; a field that is a
dataclass is a section of its own. What is left out takes the default of the code, and what has no
default must be there. TOML has no null: the text ``none`` stands for it where a field that may be
None is not None by default. Nothing is evaluated: there are no expressions, no interpolation and
no class names, and text that looks like one of MONAI's is refused.
"""

from __future__ import annotations

import difflib
import importlib.resources
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    NoReturn,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from nodule.errors import ConfigError, NoduleError, UsageError
from nodule.input_files import parse_toml, read_given_file
from nodule.ranges import describe
from nodule.weights import Weights
from pipelines.codec import from_json
from pipelines.stage import Stage

S = TypeVar("S", bound=Stage)
_CHECKOUT = Path(__file__).resolve().parents[1] / "configs"
_FILES = (".safetensors", ".json")
_NONE = "none"


@runtime_checkable
class Shipped(Protocol):
    """What lies in a file of its own, such as weights: named by path, or as the package's own."""

    @classmethod
    def open(cls, path: Path) -> Any:
        """Read a file."""

    @classmethod
    def shipped(cls, name: str) -> Any:
        """Read what the package brings by that name."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where in which file we are, for messages and relative paths."""

    file: Path
    section: str

    def inner(self, name: str) -> _Place:
        return _Place(file=self.file, section=f"{self.section}.{name}" if self.section else name)

    def refuse(
        self, what: str, *, code: str, cause: Exception | None = None, **more: Any
    ) -> NoReturn:
        where = f" in [{self.section}]" if self.section else ""
        raise ConfigError(f"{self.file.name}: {what}{where}", code=code, **more) from cause


def shipped_config(name: str) -> Path:
    """Return a configuration that the package brings, such as ``detect`` or ``train/lungs.toml``.

    Raises
    ------
    UsageError : ``NO_CONFIG``.
    """
    installed = Path(str(importlib.resources.files("pipelines") / "configs"))
    folder = installed if installed.is_dir() else _CHECKOUT
    known = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.toml"))
    file = name if name.endswith(".toml") else f"{name}.toml"
    if file not in known:
        raise UsageError(
            f"no configuration is called {name}",
            code="NO_CONFIG",
            expected=f"one of {known}",
            hint=_nearest(file, known),
        )
    return folder / file


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError : ``NO_CONFIG`` or ``NOT_TOML``.
    InputError : as :func:`nodule.input_files.read_given_file`.
    """
    try:
        return parse_toml(read_given_file(path))
    except OSError as error:
        raise ConfigError(
            f"{path.name} cannot be read", code="NO_CONFIG", got=error.strerror
        ) from error
    except ValueError as error:  # TOMLDecodeError and bad UTF-8
        raise ConfigError(f"{path.name} is not valid TOML", code="NOT_TOML", got=error) from error


def load_stages(path: Path, stages: Iterable[type[S]]) -> dict[str, S]:
    """Build every stage of a flow from a file, which may say as little as it likes.

    Parameters
    ----------
    path : the TOML file; weights named by relative paths are sought beside it.
    stages : the flow's stage classes.

    Returns
    -------
    dict : stages by name.

    Raises
    ------
    ConfigError : ``NO_CONFIG``, ``NOT_TOML``, ``UNKNOWN_SECTION``, ``UNKNOWN_KEY``,
        ``MISSING_KEY``, ``BAD_VALUE`` or ``EXPRESSION``.
    WeightsError : as :meth:`Weights.open`.
    """
    document = read_toml(path)
    by_name = {stage.name: stage for stage in stages}
    check_sections(document, by_name, file=path)
    return {
        name: build(stage, document.get(name, {}), file=path, section=name)
        for name, stage in by_name.items()
    }


def check_sections(document: Mapping[str, object], known: Iterable[str], *, file: Path) -> None:
    """Refuse sections that a file cannot have.

    Raises
    ------
    ConfigError : ``UNKNOWN_SECTION``.
    """
    _check_names("section", document, known=known, place=_Place(file=file, section=""))


def build(
    cls: type[Any], table: object, *, file: Path, section: str, default: object = None
) -> Any:
    """Build a dataclass from a TOML table; parameters, errors and rules as `load_stages`.

    Parameters
    ----------
    default : of the same class: what the table leaves out is taken from it, None to take what
        the class says.
    """
    place = _Place(file=file, section=section)
    if not isinstance(table, dict):
        place.refuse("a section was expected", code="BAD_VALUE", got=table)
    hints = get_type_hints(cls, include_extras=True)
    known = {each.name: each for each in fields(cls)}
    _check_names("key", table, known=known, place=place)
    values = {name: _value(known[name], hints[name], value, place) for name, value in table.items()}
    absent = [each for each in fields(cls) if each.name not in table]
    if default is not None:
        values |= {each.name: getattr(default, each.name) for each in absent}
    else:
        needed = [each.name for each in absent if _required(each)]
        _check_absent(needed, hints, place)
        values |= dict.fromkeys(needed)
    try:
        return cls(**values)
    except NoduleError as error:
        place.refuse(str(error), code="BAD_VALUE", cause=error)


def _required(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _default_of(each: Field[Any]) -> Any:
    """Return a field's default, None where it has none."""
    if each.default_factory is not MISSING:
        return each.default_factory()
    return None if each.default is MISSING else each.default


def _check_absent(names: Iterable[str], hints: Mapping[str, Any], place: _Place) -> None:
    """Refuse that fields are left out, unless they may be None."""
    for name in names:
        if not _may_be_none(hints[name]):
            place.refuse(
                f"key {name} is missing",
                code="MISSING_KEY",
                expected=describe(hints[name]),
                hint="It has no default",
            )


def _check_names(
    kind: str, table: Mapping[str, object], *, known: Iterable[str], place: _Place
) -> None:
    names = sorted(known)
    for name in table:
        if name not in names:
            place.refuse(
                f"unknown {kind} {name}",
                code=f"UNKNOWN_{kind.upper()}",
                expected=f"one of {names}",
                got=name,
                hint=_nearest(name, names) or f"It takes no {kind}s",
            )


def _nearest(name: str, names: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.0)
    return f"The nearest is {near[0]}" if near else None


def _value(each: Field[Any], hint: Any, value: object, place: _Place) -> Any:
    name, kind = each.name, _bare(hint)
    _refuse_expressions(value, place, name)
    if value == _NONE and _may_be_none(hint) and _default_of(each) is not None:
        return None
    if kind == tuple[Weights, ...] and isinstance(value, list):
        return tuple(_opened(Weights, item, place, name) for item in value)
    if isinstance(kind, type) and issubclass(kind, Shipped):
        return _opened(kind, value, place, name)
    if is_dataclass(kind):
        inner = place.inner(name).section
        return build(kind, value, file=place.file, section=inner, default=_default_of(each))  # type: ignore[arg-type]
    return _leaf(hint, value, place, name)


def _refuse_expressions(value: object, place: _Place, name: str) -> None:
    if isinstance(value, str) and (value.startswith("$") or "${" in value):
        place.refuse(
            f"{name} holds an expression",
            code="EXPRESSION",
            hint="Nothing is evaluated here; write the value itself",
        )
    if isinstance(value, list):
        for item in value:
            _refuse_expressions(item, place, name)


def _may_be_none(hint: Any) -> bool:
    return type(None) in get_args(hint)


def _bare(hint: Any) -> Any:
    """Return a type without its range, and without None where it may be that."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return _bare(kinds[0]) if len(kinds) == 1 and _may_be_none(hint) else hint


def _opened(kind: type[Shipped], value: object, place: _Place, name: str) -> Any:
    if not isinstance(value, str):
        place.refuse(f"{name} names no file", code="BAD_VALUE", expected="text", got=value)
    if value.endswith(_FILES):
        return kind.open(place.file.parent / value)
    return kind.shipped(value)


def _leaf(hint: Any, value: object, place: _Place, name: str) -> Any:
    from pydantic import ValidationError

    try:
        # by way of JSON, where strict knows that an array may be a tuple
        return from_json(hint, json.dumps(value).encode())
    except (ValidationError, TypeError) as error:
        kind = _bare(hint)
        choices = map(str, get_args(kind)) if get_origin(kind) is Literal else ()
        place.refuse(
            f"{name} has a wrong value",
            code="BAD_VALUE",
            expected=describe(hint),
            got=value,
            hint=_nearest(str(value), choices),
            cause=error,
        )
