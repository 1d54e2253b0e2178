"""A flow of integers, which shows that the runner knows nothing of CT.

As a script, ``toy_flows.py CACHE OUT SLOWNESS_S``, it runs the slow variant for tests that kill
and race processes, writes the result to OUT and prints one line per step that it ran.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from nodule.inference import SPEED_ONLY
from pipelines.cache import Cache
from pipelines.codec import JsonCodec
from pipelines.fingerprint import text_sha256
from pipelines.graph import Flow, Source, Step
from pipelines.runner import run_flow

Progress = Callable[[float], None]
PAIR = tuple[int, ...]
INTEGERS = {int: JsonCodec[int](int), PAIR: JsonCodec[PAIR](PAIR)}


@dataclass(frozen=True, kw_only=True)
class Read:
    name: ClassVar[str] = "read"
    version: ClassVar[int] = 1

    def run(self, *, source: int, progress: Progress) -> int:
        return source


@dataclass(frozen=True, kw_only=True)
class Scale:
    name: ClassVar[str] = "scale"
    version: ClassVar[int] = 1

    factor: int = 2
    slowness_s: float = field(default=0.0, metadata=SPEED_ONLY)

    def run(self, *, number: int, progress: Progress) -> int:
        time.sleep(self.slowness_s)
        progress(0.5)
        return number * self.factor


@dataclass(frozen=True, kw_only=True)
class Shift:
    name: ClassVar[str] = "shift"
    version: ClassVar[int] = 1

    by: int = 1
    slowness_s: float = field(default=0.0, metadata=SPEED_ONLY)

    def run(self, *, number: int, progress: Progress) -> int:
        time.sleep(self.slowness_s)
        return number + self.by


@dataclass(frozen=True, kw_only=True)
class Pair:
    name: ClassVar[str] = "pair"
    version: ClassVar[int] = 1

    def run(self, *, left: int, right: int, progress: Progress) -> tuple[int, ...]:
        return left, right


def toy_flow(*, read: Any = None, scale: Any = None, shift: Any = None, pair: Any = None) -> Flow:
    """Return read -> scale, read -> shift, both -> pair; given in no particular order."""
    return Flow.of(
        Step(stage=pair or Pair(), inputs={"left": "scale", "right": "shift"}, output=PAIR),
        Step(stage=shift or Shift(), inputs={"number": "read"}, output=int),
        Step(stage=scale or Scale(), inputs={"number": "read"}, output=int),
        Step(stage=read or Read(), inputs={"source": "number"}, output=int),
    )


def number(value: int) -> dict[str, Source]:
    """Return the flow's source, keyed by its content."""
    return {"number": Source(key=text_sha256(str(value)), load=lambda: value)}


def main(cache: str, out: str, slowness_s: str) -> None:
    """Run the slow flow on 20 and write its result."""
    slow = float(slowness_s)
    flow = toy_flow(scale=Scale(slowness_s=slow), shift=Shift(slowness_s=slow))
    result = run_flow(flow, number(20), wanted=["pair"], cache=Cache(Path(cache)), codecs=INTEGERS)
    Path(out).write_text(repr(result.outputs["pair"]))
    sys.stdout.write("".join(f"{step}\n" for step in result.ran))


if __name__ == "__main__":
    main(*sys.argv[1:])
