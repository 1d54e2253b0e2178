"""Write pinned answers again: ``python tests/golden/renew.py [NAME...]``, all without a name.

A stage's answer that changes under an unchanged version is refused, unless ``--same-version``
says that names or cases alone have changed. Read the diff before it is committed.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import answers
import other_cases
import pins
import planted
import screening_cases
import studies

MEASURED: dict[str, Callable[[], Any]] = {"measure": planted.all_scenes}
SAID: dict[str, Callable[[], Any]] = {
    "rules-screening": screening_cases.cases,
    "rules-other": other_cases.cases,
    **{f"study-{name}": partial(studies.results, name) for name in studies.WHOLE},
    "study-advice": studies.advice,
}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURED | SAID))
    parser.add_argument("--same-version", action="store_true")
    asked = parser.parse_args()
    known = {**MEASURED, **SAID}
    for name in asked.names or known:
        changed = pins.renew(
            name,
            known[name](),
            versions=answers.VERSIONS if name in MEASURED else {},
            same_version=asked.same_version,
        )
        sys.stdout.write(f"{name}: {changed} changed\n")


if __name__ == "__main__":
    main()
