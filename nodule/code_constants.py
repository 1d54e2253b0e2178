"""The constants that a stage's answer rests on, read from the source of its code.

A threshold that stands at the top of a module moves answers as a field does, and is as easily
changed: neither a cached output nor the name of the software may outlive it. So what stands outside
the bodies of functions counts, in the stage's module and in all that it imports of its own package:
values in capitals or with a number in them, and parameters' defaults with a number. Which of them
matter is not judged; a change of any costs no more than running the stage again. Nothing is
imported to find them.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from nodule.errors import StageError

_TYPE_FORMS = frozenset({"Annotated", "Literal"})  # ranges and choices of fields are not constants


@functools.cache
def constants_of(module: str) -> Mapping[str, str]:
    """Return the constants of a module and of all that it imports from its own package.

    Parameters
    ----------
    module : an imported one, such as a stage's ``__module__``.

    Returns
    -------
    Mapping : source text by dotted name, such as ``nodule.measure.stage._LEAST_CORE_MM``; sorted.

    Raises
    ------
    StageError : ``NO_SOURCE_CODE`` where a module has no source.
    """
    tree, start = _SourceTree.around(module)
    seen: dict[str, _Source] = {}
    wanted = [start]
    while wanted:
        name = wanted.pop()
        path = None if name in seen else tree.find(name)
        if path is not None:
            seen[name] = source = _read(path)
            wanted.extend(source.imported(name))
    found = {
        f"{name}.{constant}": text
        for name, source in seen.items()
        for constant, text in source.constants.items()
    }
    return MappingProxyType(dict(sorted(found.items())))


def constants_sha256(module: str) -> str:
    """Return a digest of :func:`constants_of` a module; raises as it does."""
    return hashlib.sha256(json.dumps(dict(constants_of(module))).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class _SourceTree:
    """A package by name and folder, or one module that is in no package."""

    root: str
    path: Path

    @classmethod
    def around(cls, module: str) -> tuple[_SourceTree, str]:
        """Return what a module belongs to, and its name there: a script's is that of its file."""
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is None or Path(file).suffix != ".py":
            raise StageError(
                f"the source of {module} cannot be read, so its constants are not known",
                code="NO_SOURCE_CODE",
                hint="Define stages in a file, and install packages with their source",
            )
        path = Path(file)
        name = path.stem if module == "__main__" else module
        inside = path.parent if path.stem == "__init__" else path.with_suffix("")
        root = inside.parents[name.count(".") - 1] if "." in name else inside
        return cls(root=name.partition(".")[0], path=root), name

    def find(self, module: str) -> Path | None:
        """Return a module's file, None where this is no module of the package."""
        root, _, rest = module.partition(".")
        if root != self.root:
            return None
        path = self.path.joinpath(*rest.split(".")) if rest else self.path
        choices = (path.with_name(f"{path.name}.py"), path / "__init__.py")
        return next((choice for choice in choices if choice.is_file()), None)


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What a file holds: its constants by name, and what it imports."""

    constants: Mapping[str, str]
    imports: tuple[tuple[int, str, tuple[str, ...]], ...]
    is_package: bool

    def imported(self, module: str) -> Iterator[str]:
        """Yield what may be modules: of ``from a import b``, ``a`` and ``a.b``."""
        package = module.split(".") if self.is_package else module.split(".")[:-1]
        for level, target, names in self.imports:
            above = package[: len(package) - level + 1] if level else []
            source = ".".join([*above, *filter(None, [target])])
            yield source
            yield from (f"{source}.{name}" for name in names)


@functools.cache
def _read(file: Path) -> _Source:
    tree = ast.parse(file.read_bytes(), filename=file.name)
    return _Source(
        constants=dict(_constants(tree.body)),
        imports=tuple(_imports(tree)),
        is_package=file.stem == "__init__",
    )


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, each.name, ()) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", tuple(each.name for each in node.names)


def _constants(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, str]]:
    for node in body:
        match node:
            case ast.Assign(targets=[target], value=value) if _is_constant(target, value):
                yield prefix + ast.unparse(target), ast.unparse(value)
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _is_constant(
                target, value
            ):
                yield prefix + ast.unparse(target), ast.unparse(value)
            case ast.FunctionDef(name=name, args=arguments):
                for parameter, value in _defaults(arguments):
                    if _has_number(value):
                        yield f"{prefix}{name}.{parameter}", ast.unparse(value)
            case ast.ClassDef(name=name, body=inner):
                yield from _constants(inner, f"{prefix}{name}.")
            case ast.If(body=inner, orelse=other):
                yield from _constants([*inner, *other], prefix)


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    given = len(positional) - len(arguments.defaults)
    for argument, value in zip(positional[given:], arguments.defaults, strict=True):
        yield argument.arg, value
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield argument.arg, default


def _is_constant(target: ast.expr, value: ast.expr) -> bool:
    return ast.unparse(target).isupper() or _has_number(value)


def _has_number(value: ast.expr) -> bool:
    if isinstance(value, ast.Subscript) and ast.unparse(value.value) in _TYPE_FORMS:
        return False
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, int | float | complex)
        for node in ast.walk(value)
    )
