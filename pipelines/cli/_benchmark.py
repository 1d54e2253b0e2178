"""``nodule benchmark``: what a study takes, and how that compares with fixed work."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli._options import DeviceOption, EngineOption
from pipelines.cli._terminal import say, say_error, say_json

if TYPE_CHECKING:
    from nodule.evaluate.speed import Benchmark, Cost

_SEED = 20


def benchmark(
    study: Annotated[
        Path | None,
        typer.Argument(exists=True, metavar="[STUDY]", help="A chest CT; a phantom if not given."),
    ] = None,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print JSON only, without the table.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="What an earlier version printed with --json: fail where a ratio is more than "
            "15 % above it.",
        ),
    ] = None,
    passes: Annotated[
        int, typer.Option(min=1, help="Times that the study is processed; medians count.")
    ] = 3,
    sample: Annotated[
        int, typer.Option(min=1, help="Number of windows on which C3D is timed.")
    ] = 200,
    device: DeviceOption = "auto",
    engine: EngineOption = "auto",
) -> None:
    """Measure time, core-seconds and memory of each stage on one study, without a cache.

    All of it is compared with sixty runs of a small U-Net on the same machine in the same minutes,
    and the detector with the same network as it was trained and with a published classifier on
    overlapping windows of 32 mm at a step of 12 mm. The last line on stdout is a JSON summary.
    """
    from nodule.chain import Chain
    from nodule.evaluate.speed import benchmark as measure
    from nodule.evaluate.speed import refuse_slower
    from nodule.front_door import write_report

    chain = Chain().computed_by(device=device, engine=engine)
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(
            study if study is not None else _phantom(Path(folder)),
            chain=chain,
            write=partial(write_report, folder=Path(folder) / "results"),
            c3d_sample=sample,
            passes=passes,
        )
    if not only_json:
        say(_table(measured))
    say_json(measured.to_json())
    if against is not None:
        refuse_slower(measured, against)


def _phantom(folder: Path) -> Path:
    from nodule.phantom import make_phantom, random_spec, write_study

    say_error("making a phantom")
    return write_study(make_phantom(random_spec(_SEED, size="full")), folder / "phantom").folder


def _table(measured: Benchmark) -> str:
    head = ("seconds", "first", "core-s", "share", "peak MB", "of yardstick")
    lines = [f"{'':<14}" + "".join(f"{word:>13}" for word in head)]
    for each in measured.stages:
        ratio = measured.ratios[each.stage]
        lines.append(_row(each.stage, each.steady, each.first, each.share, ratio))
    study = measured.ratios["study"]
    lines.append(_row("study", measured.steady, measured.first, 1.0, study))
    lines.append(_row("yardstick", measured.yardstick))
    for name in ("detector", "plain", "c3d"):
        cost: Cost = getattr(measured, name)
        lines.append(_row(name, cost, ratio=cost.core_seconds / measured.yardstick.core_seconds))
    return "\n".join(lines)


def _row(
    name: str,
    steady: Cost,
    first: Cost | None = None,
    share: float | None = None,
    ratio: float | None = None,
) -> str:
    memory = None if first is None else first.peak_mb
    cells = (
        f"{steady.seconds:.2f}",
        "" if first is None else f"{first.seconds:.2f}",
        f"{steady.core_seconds:.2f}",
        "" if share is None else f"{share:.0%}",
        "" if memory is None else f"{memory:.0f}",
        "" if ratio is None else f"{ratio:.3f}",
    )
    return f"{name:<14}" + "".join(f"{cell:>13}" for cell in cells)
