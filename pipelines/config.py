"""TOML to stage objects, strictly.

A file has a section for every stage of a flow that has fields, and in it a key for every field;
a field that is a dataclass is a section of its own. TOML has no null: a field that may be None,
and only such a field, is left out to mean None. Nothing is evaluated: there are no expressions,
no interpolation and no class names, and text that looks like one of MONAI's is refused.
"""

from __future__ import annotations

import difflib
import importlib.resources
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar, get_args, get_type_hints, runtime_checkable

from nodule.errors import ConfigError, NoduleError
from nodule.weights import Weights
from pipelines.stage import Stage

S = TypeVar("S", bound=Stage)
_CHECKOUT = Path(__file__).resolve().parents[1] / "configs"
_FILES = (".safetensors", ".json")


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
    """Return a configuration that the package brings, such as ``detect.toml``.

    Raises
    ------
    ConfigError : ``NO_CONFIG``.
    """
    installed = Path(str(importlib.resources.files("pipelines") / "configs"))
    folder = installed if installed.is_dir() else _CHECKOUT
    path = folder / name
    if not path.is_file():
        known = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.toml"))
        raise ConfigError(f"no configuration is called {name}", code="NO_CONFIG", expected=known)
    return path


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError : ``NO_CONFIG`` or ``NOT_TOML``.
    """
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigError(
            f"{path.name} cannot be read", code="NO_CONFIG", got=error.strerror
        ) from error
    except ValueError as error:  # TOMLDecodeError and bad UTF-8
        raise ConfigError(f"{path.name} is no TOML", code="NOT_TOML", got=error) from error


def load_stages(path: Path, stages: Iterable[type[S]]) -> dict[str, S]:
    """Build every stage of a flow from a file.

    Parameters
    ----------
    path : the TOML file; weights named by relative paths are sought beside it.
    stages : the flow's stage classes.

    Returns
    -------
    dict : stages by name.

    Raises
    ------
    ConfigError : ``NO_CONFIG``, ``NOT_TOML``, ``UNKNOWN_SECTION``, ``MISSING_SECTION``,
        ``UNKNOWN_KEY``, ``MISSING_KEY``, ``BAD_VALUE`` or ``EXPRESSION``.
    WeightsError : as :meth:`Weights.open`.
    """
    document = read_toml(path)
    by_name = {stage.name: stage for stage in stages}
    place = _Place(file=path, section="")
    configurable = [name for name, stage in by_name.items() if _fields(stage)]
    _check_names("section", document, known=by_name, required=configurable, place=place)
    return {
        name: build(stage, document.get(name, {}), file=path, section=name)
        for name, stage in by_name.items()
    }


def build(cls: type[Any], table: object, *, file: Path, section: str) -> Any:
    """Build a dataclass from a TOML table; parameters, errors and rules as `load_stages`."""
    place = _Place(file=file, section=section)
    if not isinstance(table, dict):
        place.refuse("a section was expected", code="BAD_VALUE", got=table)
    hints = get_type_hints(cls)
    known = _fields(cls)
    required = [name for name in known if type(None) not in get_args(hints[name])]
    _check_names("key", table, known=known, required=required, place=place)
    absent = dict.fromkeys(name for name in known if name not in table)
    values = {name: _value(hints[name], value, place, name) for name, value in table.items()}
    try:
        return cls(**absent, **values)
    except NoduleError as error:
        place.refuse(str(error), code="BAD_VALUE", cause=error)


def _fields(cls: type[Any]) -> list[str]:
    return [each.name for each in fields(cls)]


def _check_names(
    kind: str,
    table: Mapping[str, object],
    *,
    known: Iterable[str],
    required: Iterable[str],
    place: _Place,
) -> None:
    names = sorted(known)
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
            place.refuse(
                f"unknown {kind} {name}",
                code=f"UNKNOWN_{kind.upper()}",
                expected=f"one of {names}",
                hint=f"The nearest is {near[0]}" if near else f"It takes no {kind}s",
            )
    for name in required:
        if name not in table:
            place.refuse(
                f"{kind} {name} is missing",
                code=f"MISSING_{kind.upper()}",
                hint="Every one is spelled out; the shipped file holds the defaults",
            )


def _value(hint: Any, value: object, place: _Place, name: str) -> Any:
    _refuse_expressions(value, place, name)
    kind = _without_none(hint)
    if kind == tuple[Weights, ...] and isinstance(value, list):
        return tuple(_opened(Weights, each, place, name) for each in value)
    if isinstance(kind, type) and issubclass(kind, Shipped):
        return _opened(kind, value, place, name)
    if is_dataclass(hint):
        return build(hint, value, file=place.file, section=place.inner(name).section)  # type: ignore[arg-type]
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


def _without_none(hint: Any) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 and type(None) in get_args(hint) else hint


def _opened(kind: type[Shipped], value: object, place: _Place, name: str) -> Any:
    if not isinstance(value, str):
        place.refuse(f"{name} names no file", code="BAD_VALUE", expected="text", got=value)
    if value.endswith(_FILES):
        return kind.open(place.file.parent / value)
    return kind.shipped(value)


def _leaf(hint: Any, value: object, place: _Place, name: str) -> Any:
    from pydantic import TypeAdapter, ValidationError

    try:
        # by way of JSON, where strict knows that an array may be a tuple
        return TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except (ValidationError, TypeError) as error:
        expected = getattr(hint, "__name__", None) if isinstance(hint, type) else hint
        place.refuse(
            f"{name} has a wrong value", code="BAD_VALUE", expected=expected, got=value, cause=error
        )
