"""One name and one type for one thing, in both packages."""

import ast
import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# what every room may have one of
_IN_EVERY_ROOM = {"__init__", "__main__", "stage", "network", "training"}


def modules() -> Iterator[Path]:
    for package in ("nodule", "pipelines"):
        yield from sorted((ROOT / package).rglob("*.py"))


def called_twice(named: Iterator[tuple[str, Path]]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for name, path in named:
        found[name].append(path.relative_to(ROOT).as_posix())
    return {name: paths for name, paths in found.items() if len(paths) > 1}


def test_no_two_classes_share_a_name() -> None:
    named = (
        (node.name, path)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert called_twice(named) == {}


def test_no_two_modules_share_a_name_but_those_that_every_room_has() -> None:
    named = ((path.stem, path) for path in modules() if path.stem not in _IN_EVERY_ROOM)
    assert called_twice(named) == {}


def test_no_room_is_called_as_a_module_is() -> None:
    rooms = {path.parent.name for path in modules() if path.name == "__init__.py"}
    named = {path.stem for path in modules() if path.name != "__init__.py"}
    assert sorted(rooms & named - _IN_EVERY_ROOM) == []


LEAST_SHARED = 4
LEAST_SHARE = 0.75


def fields_of(node: ast.ClassDef) -> frozenset[str]:
    """Return a class's own fields with their types; what it inherits is not written again."""
    return frozenset(
        f"{each.target.id}: {ast.unparse(each.annotation)}"
        for each in node.body
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and "ClassVar" not in ast.unparse(each.annotation)
    )


def mirrors(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared >= LEAST_SHARED and shared >= LEAST_SHARE * min(len(one), len(other))


def test_a_mirror_is_seen() -> None:
    fields = frozenset({"a: int", "b: str", "c: float", "d: int", "e: int"})
    assert mirrors(fields, fields - {"e: int"})
    assert not mirrors(fields, frozenset({"a: str", "b: str", "c: float", "d: int"}))


def test_no_class_mirrors_another() -> None:
    """A mirror has four fields or more in common, and three quarters of the smaller one's."""
    found = {
        node.name: fields_of(node)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    pairs = [
        (one, other)
        for one, other in itertools.combinations(found, 2)
        if mirrors(found[one], found[other])
    ]
    assert pairs == []
