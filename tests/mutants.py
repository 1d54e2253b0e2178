"""Change one number or decision after another and see a test fail: ``python tests/mutants.py``.

Each mutant of ``mutants.toml`` is one replacement in one file and the tests that shall notice it.
It is applied to a copy of the tree, so that the checkout stays as it is; the copy has no real data
beside it, so that what only those could notice counts as not noticed. Names of files narrow the
list: ``python tests/mutants.py measure guidelines``.

Exit status: 0 where at least ``least_killed`` mutants die (all, where the list is narrowed), 1
where fewer do, 2 where the list no longer fits the code or the tests fail without a mutant.
"""

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_name("mutants.toml")
_COPIED = ("nodule", "pipelines", "tests", "configs", "pyproject.toml", "README.md")
_LIMIT_S = 600.0  # a mutant that makes its tests hang has been noticed


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mutant:
    """One replacement.

    Parameters
    ----------
    file : below the checkout.
    old, new : text that occurs once in the file, and what takes its place.
    tests : files of tests below the checkout, or ``file::test``.
    kind : ``number`` or ``logic``.
    """

    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    kind: str = "number"

    @property
    def title(self) -> str:
        """What is changed, on one line."""
        return f"{self.file}: {' '.join(self.old.split())} -> {' '.join(self.new.split())}"

    def misfit(self, root: Path) -> str | None:
        """Say why the mutant no longer fits the tree, None where it does."""
        path = root / self.file
        if not path.is_file():
            return f"there is no {self.file}"
        found = path.read_text(encoding="utf-8").count(self.old)
        if found != 1 or self.old == self.new:
            return f"{self.file} holds {self.old!r} {found} times"
        missing = [test for test in self.tests if not (root / test.split("::")[0]).exists()]
        return f"there is no {', '.join(missing)}" if missing or not self.tests else None


def read_list(path: Path = LIST) -> tuple[int, tuple[Mutant, ...]]:
    """Return how many mutants must die, and all of them."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    mutants = (Mutant(**{**each, "tests": tuple(each["tests"])}) for each in content["mutant"])
    return int(content["least_killed"]), tuple(mutants)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of files")
    names = parser.parse_args(arguments).names
    least, mutants = read_list()
    if names:
        mutants = tuple(m for m in mutants if any(name in m.file for name in names))
        least = len(mutants)
    misfits = [misfit for mutant in mutants if (misfit := mutant.misfit(ROOT))]
    if misfits or not mutants:
        _say("\n".join(["the list does not fit the code:", *misfits]))
        return 2
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        _copy_tree(copy)
        tests = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
        said = _failure(copy, tests)
        if said is not None:
            _say(f"{said}\ntests fail without any mutant")
            return 2
        survivors = [mutant for mutant in _tried(mutants) if not _dies(copy, mutant)]
    killed = len(mutants) - len(survivors)
    _say(f"{killed} of {len(mutants)} mutants die; {least} must")
    return 0 if killed >= least else 1


def _tried(mutants: Sequence[Mutant]) -> Iterator[Mutant]:
    for number, mutant in enumerate(mutants, start=1):
        _say(f"{number}/{len(mutants)} {mutant.title}")
        yield mutant


def _dies(copy: Path, mutant: Mutant) -> bool:
    path = copy / mutant.file
    whole = path.read_text(encoding="utf-8")
    start = time.monotonic()
    path.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        survived = _failure(copy, mutant.tests) is None
    finally:
        path.write_text(whole, encoding="utf-8")
    _say(f"    {'SURVIVED' if survived else 'killed'} ({time.monotonic() - start:.0f} s)")
    return not survived


def _failure(copy: Path, tests: Sequence[str]) -> str | None:
    """Return what failing tests say, None where all pass."""
    # no byte code: one of the same size and second would be taken for that of the mutant
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "the tests took too long"
    said = (done.stdout + done.stderr).decode()
    if done.returncode not in (0, 1, 2):  # 2: the mutant broke what the tests import
        raise SystemExit(said)
    return said if done.returncode else None


def _copy_tree(copy: Path) -> None:
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            leave = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, copy / name, ignore=leave)
        else:
            shutil.copy2(source, copy / name)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
