"""Requirements, risks and the tests that show them: ``python tests/requirements.py`` renders them.

`requirements.toml` is the source, `REQUIREMENTS.md` what is made of it.
"""

import ast
import functools
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
TABLE = HERE / "requirements.toml"
PAGE = HERE / "REQUIREMENTS.md"
_HEAD = """\
# Requirements

What must hold, why, how it is brought about, and the tests that show it: R is what was asked of
reliability, T a threat, G what else was asked of durable results. `requirements.toml` is the
source; `python tests/requirements.py` renders this page, and `test_requirements.py` fails where a
requirement names no test, or one that pytest would not collect.
`pytest $(python tests/requirements.py R7)` runs the tests of one.

| | requirement | risk | mitigation | tests |
|---|---|---|---|---|
"""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One row; `tests` are files, or functions in one after ``::``."""

    id: str
    requirement: str
    risk: str
    mitigation: str
    tests: tuple[str, ...]
    threat: str | None = None


def read(path: Path = TABLE) -> tuple[Requirement, ...]:
    """Return the rows in their order; a row with another key, or without one, is an error."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["requirement"]
    return tuple(Requirement(**{**row, "tests": tuple(row["tests"])}) for row in rows)


def render(rows: tuple[Requirement, ...]) -> str:
    """Return the page."""
    return _HEAD + "".join(map(_line, rows))


def missing(row: Requirement) -> Iterator[str]:
    """Yield what pytest would not collect of a row's tests."""
    if not row.tests:
        yield "no test"
    for test in row.tests:
        name, _, function = test.partition("::")
        path = ROOT / name
        is_test_file = path.is_file() and path.name.startswith("test_") and HERE in path.parents
        found = functions(path) if is_test_file else frozenset[str]()
        if not found or (function and function not in found):
            yield test


@functools.cache
def functions(path: Path) -> frozenset[str]:
    """Return the test functions of a file, without those that are always skipped."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return frozenset(
        each.name
        for each in body
        if isinstance(each, ast.FunctionDef)
        and each.name.startswith("test_")
        and not any(
            ast.unparse(mark).startswith("pytest.mark.skip(") for mark in each.decorator_list
        )
    )


def _line(row: Requirement) -> str:
    what = f"{row.threat}: {row.requirement}" if row.threat else row.requirement
    tests = "<br>".join(map(_link, row.tests))
    return f"| {row.id} | {what} | {row.risk} | {row.mitigation} | {tests} |\n"


def _link(test: str) -> str:
    name, _, function = test.partition("::")
    shown = function.removeprefix("test_").replace("_", " ") if function else Path(name).name
    return f"[{shown}]({name.removeprefix('tests/')})"


def main() -> None:
    """Render the page, or print the tests of the rows that are named."""
    asked = sys.argv[1:]
    if not asked:
        PAGE.write_text(render(read()), encoding="utf-8")
        return
    known = {row.id: row.tests for row in read()}
    sys.stdout.write(" ".join(test for id_ in asked for test in known[id_]) + "\n")


if __name__ == "__main__":
    main()
