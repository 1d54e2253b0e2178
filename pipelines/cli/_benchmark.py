"""``nodule benchmark``: time and memory of the candidate search, and of what it replaces."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli._options import DeviceOption
from pipelines.cli._terminal import say, say_error, say_json

if TYPE_CHECKING:
    from nodule.evaluate.nodule_detection import Benchmark, Cost

_SEED = 20


def benchmark(
    study: Annotated[
        Path | None,
        typer.Argument(exists=True, metavar="[STUDY]", help="A chest CT; a phantom if not given."),
    ] = None,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print JSON only, without the table.")
    ] = False,
    sample: Annotated[
        int, typer.Option(min=1, help="Number of windows on which C3D is timed.")
    ] = 200,
    device: DeviceOption = "auto",
) -> None:
    """Measure time and memory of the candidate search on one study.

    The shipped settings are compared with the same network in float32, contiguous memory and one
    window at a time, and with the published C3D classifier on overlapping windows of 32 mm at a
    step of 12 mm over the same lungs, timed on a sample of them and scaled by their number. The
    last line on stdout is a JSON summary.
    """
    from nodule.chain import Chain
    from nodule.evaluate.nodule_detection import benchmark as measure

    chain = Chain().on_device(device)
    if study is not None:
        measured = measure(study, chain=chain, c3d_sample=sample)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(_phantom(Path(folder)), chain=chain, c3d_sample=sample)
    if not only_json:
        say(_table(measured))
    say_json(measured.to_json())


def _phantom(folder: Path) -> Path:
    from nodule.phantom import make_phantom, random_spec, write_study

    say_error("making a phantom")
    return write_study(make_phantom(random_spec(_SEED, size="full")), folder / "phantom").folder


def _table(measured: Benchmark) -> str:
    setting = "bfloat16" if measured.bf16 else "float32"
    rows = [
        ("files to candidates", measured.whole, ""),
        (f"candidates, shipped ({setting})", measured.shipped, ""),
        ("  plain float32, one by one", measured.plain, f"{measured.faster_than_plain:.1f}x"),
        ("  C3D, windows of 32 mm", measured.c3d, f"{measured.faster_than_c3d:.1f}x"),
    ]
    head = f"{'':<32}{'seconds':>9}{'peak MB':>9}{'windows':>9}{'timed':>7}{'slower':>8}"
    return "\n".join([head, *(_row(*row) for row in rows)])


def _row(name: str, cost: Cost, ratio: str) -> str:
    peak = "" if cost.peak_mb is None else f"{cost.peak_mb:.0f}"
    windows = "" if cost.windows is None else str(cost.windows)
    timed = "" if cost.timed_windows is None else str(cost.timed_windows)
    return f"{name:<32}{cost.seconds:>9.2f}{peak:>9}{windows:>9}{timed:>7}{ratio:>8}"
