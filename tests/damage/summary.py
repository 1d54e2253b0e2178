"""What came of all damaged inputs of a test run, as a table at its end."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from damage.outcome import Outcome, Tally

PROPERTY = "damage"


def row(inputs: str, tally: Tally) -> tuple[str, dict[str, Any]]:
    """Return a test's property: the kind of inputs and the counts of their outcomes."""
    return PROPERTY, {"inputs": inputs, "counts": {str(k): n for k, n in tally.counts.items()}}


def table(properties: Iterable[tuple[str, Any]]) -> list[str]:
    """Return the lines of the table, none where no test damaged anything."""
    totals: dict[str, Counter[str]] = {}
    for name, value in properties:
        if name == PROPERTY:
            totals.setdefault(value["inputs"], Counter()).update(value["counts"])
    if not totals:
        return []
    columns = ("tried", *map(str, Outcome))
    lines = ["  ".join(["damaged input".ljust(32), *(c.rjust(14) for c in columns)])]
    for inputs, counts in sorted(totals.items()):
        numbers = (counts.total(), *(counts[str(outcome)] for outcome in Outcome))
        lines.append("  ".join([inputs.ljust(32), *(str(n).rjust(14) for n in numbers)]))
    return lines
