"""``nodule explain``: where the networks looked, and whether that can be believed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nodule.errors import InputError
from nodule.whole_files import write_whole
from pipelines.cli._options import CacheOption, ConfigOption, DeviceOption, SeriesOption
from pipelines.cli._run import StageBars, cache_folder, chosen_stages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodule.findings import Finding
    from nodule.saliency import HeatMap
    from nodule.volume import Volume
    from pipelines.flows import Detection


def explain(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="As for a run.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the maps.")],
    finding: Annotated[
        list[str] | None, typer.Option(help="Such as N1, again for more; by default every one.")
    ] = None,
    of: Annotated[
        Literal["malignancy", "nodule"],
        typer.Option(help="The answer to explain: the rating, or that it is a nodule."),
    ] = "malignancy",
    config: ConfigOption = None,
    series: SeriesOption = None,
    cache: CacheOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Map what raised the networks' answer about each finding (Grad-CAM), and test the map.

    Writes for each finding, such as N1, OUT/N1-malignancy.nii.gz (heat from 0 to 1 on the
    networks' cube, to lay over the CT in any viewer), .png (three planes, without and under
    the heat) and .json: how the answer changes when the hottest tenth of the cube is hidden, or as
    much elsewhere; and how alike the map is to one of networks with shuffled weights, their last
    layers or all, as a rank correlation. The last line on stdout is a JSON summary.
    """
    from rich.console import Console

    from nodule.ct import inventory
    from pipelines.cache import Cache
    from pipelines.flows import detect, explaining

    stages = explaining(chosen_stages(config, device=device), answer=of)
    chosen = inventory(study).choose(series)
    with StageBars(Console(stderr=True), study.name) as bars:
        found = detect(chosen, stages=stages, cache=Cache(cache_folder(cache)), listen=bars.show)
    wanted = _wanted(found, finding)
    try:
        out.mkdir(parents=True, exist_ok=True)
        records = [
            _write(out, heat, each, volume=found.study.volume)
            for each, heat in zip(found.findings, found.heat_maps, strict=True)
            if each.id in wanted
        ]
    except OSError as error:
        raise InputError(
            "the results cannot be written", code="DISK_FAILED", got=error.strerror
        ) from error
    typer.echo(json.dumps({"folder": str(out), "of": of, "findings": records}))


def _wanted(found: Detection, names: Iterable[str] | None) -> set[str]:
    known = {each.id for each in found.findings}
    wanted = known if names is None else set(names)
    if not wanted <= known:
        raise InputError(
            "there is no such finding",
            code="NO_SUCH_FINDING",
            expected=sorted(known) or "none: nothing was found",
            got=sorted(wanted - known),
        )
    return wanted


def _write(folder: Path, heat: HeatMap, finding: Finding, *, volume: Volume) -> dict[str, Any]:
    """Write a finding's files, the record last, and return the record."""
    import numpy as np

    from nodule.outputs import nifti
    from nodule.page.figures import view_mm
    from nodule.page.saliency_overlay import heat_sheet

    stem = f"{heat.finding_id}-{heat.answer}"
    checks = heat.checks
    record = {
        "id": heat.finding_id,
        "map": f"{stem}.nii.gz",
        "picture": f"{stem}.png",
        "center_lps_mm": finding.center_lps_mm,
        **asdict(checks),
        "change_hottest": checks.change_hottest,
        "change_elsewhere": checks.change_elsewhere,
    }
    # the format has no half-precision floats
    write_whole(folder / f"{stem}.nii.gz", nifti(heat.heat_zyx.astype(np.float32), heat.geometry))
    measured = finding.measurement
    picture = heat_sheet(
        heat,
        volume,
        center_lps_mm=finding.center_lps_mm,
        edge_mm=view_mm(measured.long_axis_mm if measured else 0.0),
    )
    write_whole(folder / f"{stem}.png", picture)
    write_whole(folder / f"{stem}.json", f"{json.dumps(record, indent=2)}\n".encode())
    return record
