"""A constant in the code that makes an answer is part of the key, wherever it stands."""

import ast
import importlib
import pkgutil
import shutil
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from nodule import code_constants
from nodule.code_constants import constants_of, constants_sha256
from nodule.errors import StageError
from nodule.malignancy import MapSaliency
from pipelines.flows import detect_stage_types

STAGES = (*detect_stage_types(), MapSaliency)

PACKAGE_FOLDER = Path(code_constants.__file__).parent

STAGE = """
from __future__ import annotations
from typing import TYPE_CHECKING, Annotated
import math
from dataclasses import dataclass
from . import sibling
from .inner import core as kernel
if TYPE_CHECKING:
    from toypack.typed import Thing

LIMIT = 0.5
EXACT = -3
PAIR, OTHER = 1, 2
TABLE: dict[str, float] = {"a": 1.0}
FLAG = True
DERIVED = LIMIT
NAME = "text"
Share = Annotated[float, (0, 1)]
if NAME:
    INNER = 7

@dataclass
class Rules:
    edge: float = 0.25
    name: str = "x"

def run(image, *, margin=2.0, mode="fast"):
    from toypack.lazy import late
    return image * 17

def plain(a, b=3, /, c=4):
    return a
"""
PACKAGE = {
    "__init__.py": "ROOT = 99",
    "stage.py": STAGE,
    "sibling.py": "SIBLING = 11\nfrom toypack.stage import LIMIT",
    "inner/__init__.py": "FACE = 12",
    "inner/core.py": "CORE = 13\nfrom ..deep import x\nfrom .kernel import y",
    "inner/kernel.py": "KERNEL = 14",
    "deep.py": "DEEP = 15\nimport toypack.plainly",
    "plainly.py": "PLAINLY = 16",
    "typed.py": "TYPED = 17",
    "lazy.py": "LAZY = 18",
    "unrelated.py": "UNRELATED = 19",
    "training/task.py": "TRAINING = 20",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "toypack"
    for name, text in PACKAGE.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    module = ModuleType("toypack.stage")
    module.__file__ = str(folder / "stage.py")
    monkeypatch.setitem(sys.modules, "toypack.stage", module)
    forget()
    yield folder
    forget()


def test_finds_every_number_outside_the_bodies_of_functions(package: Path) -> None:
    found = constants_of("toypack.stage")
    own = {name.removeprefix("toypack.stage."): text for name, text in found.items()
           if name.startswith("toypack.stage.")}  # fmt: skip
    assert own == {
        "LIMIT": "0.5",
        "EXACT": "-3",
        "(PAIR, OTHER)": "(1, 2)",
        "TABLE": "{'a': 1.0}",
        "FLAG": "True",
        "DERIVED": "LIMIT",
        "NAME": "'text'",
        "INNER": "7",
        "Rules.edge": "0.25",
        "run.margin": "2.0",
        "plain.b": "3",
        "plain.c": "4",
    }


def test_follows_what_the_module_imports_and_no_more(package: Path) -> None:
    found = {text for name, text in constants_of("toypack.stage").items() if ".stage." not in name}
    assert found == {"99", "11", "12", "13", "14", "15", "16", "17", "18"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("stage.py", "LIMIT = 0.5", "LIMIT = 0.25"),
        ("stage.py", "margin=2.0", "margin=2.5"),
        ("stage.py", "edge: float = 0.25", "edge: float = 0.3"),
        ("stage.py", "1, 2", "1, 3"),
        ("inner/kernel.py", "KERNEL = 14", "KERNEL = 15"),
        ("lazy.py", "LAZY = 18", "LAZY = 18.0"),
    ],
)
def test_a_changed_constant_gives_another_digest(
    package: Path, file: str, old: str, new: str
) -> None:
    before = constants_sha256("toypack.stage")
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new))
    forget()
    assert constants_sha256("toypack.stage") != before


def test_comments_and_bodies_leave_the_digest_alone(package: Path) -> None:
    before = constants_sha256("toypack.stage")
    text = (package / "stage.py").read_text().replace("0.5", "0.5  # half").replace("17", "18")
    (package / "stage.py").write_text(text)
    forget()
    assert constants_sha256("toypack.stage") == before


def forget() -> None:
    constants_of.cache_clear()
    code_constants._read.cache_clear()


def test_imports_nothing(package: Path) -> None:
    constants_of("toypack.stage")
    assert [name for name in sys.modules if name.startswith("toypack")] == ["toypack.stage"]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_is_the_same_each_time_and_sorted(stage: Any) -> None:
    once = dict(constants_of(stage.__module__))
    constants_of.cache_clear()
    again = constants_of(stage.__module__)
    assert list(again.items()) == sorted(once.items())


def test_refuses_code_without_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "made_up", ModuleType("made_up"))
    with pytest.raises(StageError, match="NO_SOURCE_CODE"):
        constants_of("made_up")


def module_constants(module: ModuleType) -> Iterator[str]:
    """Name, by looking at values and not at source, what a module assigns that holds a number."""
    source = Path(str(module.__file__)).read_text()
    for name, value in vars(module).items():
        assigned = f"\n{name} = " in source or f"\n{name}: " in source
        if assigned and not name.startswith("__") and holds_number(value):
            yield f"{module.__name__}.{name}"


def holds_number(value: Any) -> bool:
    if isinstance(value, int | float | complex | np.ndarray | np.number):
        return True
    if isinstance(value, tuple | list | set | frozenset):
        return any(map(holds_number, value))
    if isinstance(value, dict):
        return any(map(holds_number, [*value, *value.values()]))
    if is_dataclass(value) and not isinstance(value, type):
        return any(holds_number(getattr(value, each.name)) for each in fields(value))
    return False


def modules_of(package: str) -> Iterator[ModuleType]:
    top = importlib.import_module(package)
    yield top
    for each in pkgutil.walk_packages(top.__path__, f"{package}."):
        yield importlib.import_module(each.name)


INFERENCE = {
    "nodule.ct": "read_ct",
    "nodule.lungs": "lungs",
    "nodule.candidates": "candidates",
    "nodule.malignancy": "explain",
    "nodule.measure": "measure",
}


NOT_OF_THE_ANSWER = {
    "nodule.ct": ["nodule.ct.dicom._decoder_process.MEMORY_BYTES"],  # beyond it, no answer
    "nodule.candidates": ["nodule.candidates._operating._ROUNDING"],  # it sets fields of stages
}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_no_constant_of_training_or_of_reports_is_in_a_key(stage: Any) -> None:
    rooms = {name.split(".")[1] for name in constants_of(stage.__module__)}
    assert rooms.isdisjoint({"training", "evaluate", "report", "page", "dicom", "lidc", "review"})
    assert not any(".training." in name for name in constants_of(stage.__module__))


@pytest.mark.parametrize("package", INFERENCE)
def test_every_constant_of_a_stages_room_is_in_its_key(package: str) -> None:
    (stage,) = (each for each in STAGES if each.name == INFERENCE[package])
    known = constants_of(stage.__module__)
    missing = [
        constant
        for module in modules_of(package)
        if ".training" not in module.__name__
        for constant in module_constants(module)
        if constant not in known
    ]
    assert missing == NOT_OF_THE_ANSWER.get(package, [])


class Moved(ast.NodeTransformer):
    """Adds one to every number outside the bodies of functions."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(node.value + 1) if is_number(node) else node  # type: ignore[operator]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_moving_the_constants_of_any_module_moves_the_digest(
    stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "nodule"
    shutil.copytree(PACKAGE_FOLDER, copy, ignore=shutil.ignore_patterns("*.safetensors", "*.png"))
    stand_in = ModuleType(stage.__module__)
    stand_in.__file__ = str(copy.joinpath(*stage.__module__.split(".")[1:]).with_suffix(".py"))
    monkeypatch.setitem(sys.modules, stage.__module__, stand_in)
    forget()
    before = constants_sha256(stage.__module__)
    files = {copy.joinpath(*name.split(".")[1:]) for name in modules_with_numbers(stage)}
    assert files
    for file in files:
        source = file.with_suffix(".py")
        text = source.read_text()
        source.write_text(ast.unparse(Moved().visit(ast.parse(text))))
        forget()
        assert constants_sha256(stage.__module__) != before, source
        source.write_text(text)
    forget()
    assert constants_sha256(stage.__module__) == before
    forget()


def modules_with_numbers(stage: Any) -> set[str]:
    """Name the modules of which a key holds a number that stands at the top."""
    return {
        name.rpartition(".")[0]
        for name, text in constants_of(stage.__module__).items()
        if PACKAGE_FOLDER.joinpath(*name.split(".")[1:-1]).with_suffix(".py").is_file()
        and any(is_number(node) for node in ast.walk(ast.parse(text)))
    }


def is_number(node: ast.AST) -> bool:
    value = getattr(node, "value", None)
    return isinstance(value, int | float) and not isinstance(value, bool)


def test_the_walk_sees_values_whatever_made_them() -> None:
    assert holds_number(np.arange(3))
    assert holds_number({"a": (1,)})
    assert not holds_number(("a", {"b": None}))
