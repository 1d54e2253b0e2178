"""``nodule explain``: what raised the networks' answer, and whether the map can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli._options import (
    CacheOption,
    ConfigOption,
    DeviceOption,
    EngineOption,
    SeriesOption,
    StudyArgument,
    out_option,
)
from pipelines.cli._progress import StageBars
from pipelines.cli._run import prepare
from pipelines.cli._summary import summarise


def explain(
    study: StudyArgument,
    out: Annotated[Path, out_option("Folder of the saliency maps.")],
    finding: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="A finding such as N1; may be repeated. Every finding if not given."
        ),
    ] = None,
    of: Annotated[
        Literal["malignancy", "nodule"],
        typer.Option(help="The answer to explain: the malignancy score, or that it is a nodule."),
    ] = "malignancy",
    config: ConfigOption = None,
    series: SeriesOption = None,
    cache: CacheOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = "auto",
) -> None:
    """Map which voxels raised the networks' answer about each finding (Grad-CAM), and test the map.

    Writes for each finding, such as N1, OUT/N1-malignancy.nii.gz (saliency from 0 to 1 on the
    networks' cube, which any viewer can overlay on the CT), .png (three planes, without and with
    the map) and .json: how the answer changes when the most salient tenth of the cube is hidden,
    and when as much is hidden elsewhere; and the rank correlation of the map with maps of networks
    whose weights are shuffled in the last layers or in all. The last line on stdout is a JSON
    summary.
    """
    from pipelines.process import explain_study
    from pipelines.request import RunRequest

    request = RunRequest(
        studies=(study,),
        series_uid=series,
        saliency=of,
        config=config,
        cache=cache,
        device=device,
        engine=engine,
    )
    prepare(request)
    with StageBars(study.name) as bars:
        records = explain_study(study, request, out=out, finding_ids=finding, listen=bars.show)
    summarise({"folder": str(out), "of": of, "findings": records})
