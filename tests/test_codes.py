"""Every code stands in exactly one row of the documented tables, and every row is of a code."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "nodule/CODES.md", ROOT / "nodule/ct/README.md")
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
# tables of codes: all that looks like one in them is one
TABLES = ("nodule/followup/_exam_pair.py", "pipelines/verification.py")
MADE_UP = {"UNKNOWN_SECTION", "UNKNOWN_KEY", "UNKNOWN_KIND"}  # of a word behind UNKNOWN_


def trees() -> dict[str, ast.Module]:
    files = [*(ROOT / "nodule").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in files}


def places_of_code(modules: dict[str, ast.Module]) -> dict[str, set[int]]:
    """Return by name of a function where among its arguments a code stands."""
    found: dict[str, set[int]] = {}
    for module in modules.values():
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef):
                names = [each.arg for each in node.args.args]
                is_method = names[:1] in (["self"], ["cls"])
                if "code" in names:
                    found.setdefault(node.name, set()).add(names.index("code") - is_method)
    return found


def codes_in(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        is_text = isinstance(each, ast.Constant) and isinstance(each.value, str)
        if is_text and CODE.fullmatch(each.value):
            yield each.value


def stated_in(modules: dict[str, ast.Module]) -> set[str]:
    places, found = places_of_code(modules), set(MADE_UP)
    for name, module in modules.items():
        if name in TABLES:
            found.update(code for code in codes_in(module) if "_" in code)
        for node in ast.walk(module):
            if not isinstance(node, ast.Call):
                continue
            for keyword in node.keywords:
                if keyword.arg == "code" and not isinstance(keyword.value, ast.JoinedStr):
                    found.update(codes_in(keyword.value))
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            for place in places.get(called, ()):
                if place < len(node.args):
                    found.update(codes_in(node.args[place]))
    return found


def documented() -> Counter[str]:
    rows = [
        line.split("|")[1]
        for page in PAGES
        for line in page.read_text().splitlines()
        if line.startswith("| `") and CODE.match(line[3:])
    ]
    return Counter(code for row in rows for code in re.findall(r"`([A-Z0-9_]+)`", row))


def test_every_code_stands_in_one_documented_row() -> None:
    stated, rows = stated_in(trees()), documented()
    assert {code: rows[code] for code in stated if rows[code] != 1} == {}


def test_every_documented_row_is_of_a_code() -> None:
    assert set(documented()) - stated_in(trees()) == set()
