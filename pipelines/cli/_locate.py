"""``nodule locate``: one point in every frame."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from nodule.errors import UsageError
from pipelines.cli._options import SeriesOption, StudyArgument
from pipelines.cli._terminal import say_json

if TYPE_CHECKING:
    from nodule.geometry import Vector
    from nodule.study import Study

Point = tuple[float, float, float]


def locate(
    study: StudyArgument,
    lps: Annotated[
        Point | None,
        typer.Option(help="x y z in mm towards left, posterior, head (DICOM, LUNA16)."),
    ] = None,
    ras: Annotated[
        Point | None, typer.Option(help="x y z in mm towards right, anterior, head (NIfTI).")
    ] = None,
    index: Annotated[Point | None, typer.Option(help="Voxel index z y x, from 0.")] = None,
    image: Annotated[
        tuple[int, float, float] | None,
        typer.Option(help="InstanceNumber, row, column; rows and columns from 0."),
    ] = None,
    sop: Annotated[
        tuple[str, float, float] | None,
        typer.Option(help="SOPInstanceUID, row, column; rows and columns from 0."),
    ] = None,
    series: SeriesOption = None,
) -> None:
    """Convert a point from one frame of reference to all the others, as JSON.

    Give exactly one of --lps, --ras, --index, --image and --sop.
    """
    given = [frame for frame in (lps, ras, index, image, sop) if frame is not None]
    if len(given) != 1:
        raise UsageError(
            "the point is not clear",
            code="ONE_POINT",
            expected="exactly one of --lps, --ras, --index, --image and --sop",
            got=len(given),
        )
    from nodule.ct import read_ct

    scan = read_ct(study, series_uid=series)
    point = _to_lps(scan, lps=lps, ras=ras, index=index, image=image, sop=sop)
    say_json(json.dumps(asdict(scan.locate(point)), indent=2))


def _to_lps(
    study: Study,
    *,
    lps: Point | None,
    ras: Point | None,
    index: Point | None,
    image: tuple[int, float, float] | None,
    sop: tuple[str, float, float] | None,
) -> Vector:
    from nodule.geometry import as_vector, lps_to_ras

    if lps is not None:
        return lps
    if ras is not None:
        return as_vector(lps_to_ras(ras))
    if image is not None:
        index = (study.slice_index(instance_number=image[0]), image[1], image[2])
    if sop is not None:
        index = (study.slice_index(sop_instance_uid=sop[0]), sop[1], sop[2])
    assert index is not None
    return as_vector(study.volume.geometry.index_to_lps(index))
