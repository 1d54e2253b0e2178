"""``nodule phantom``: write a synthetic chest CT and its truth."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nodule.errors import UsageError
from pipelines.cli._options import check_folder, out_option
from pipelines.cli._summary import summarise


class PhantomSize(StrEnum):
    """How large a phantom is; see :func:`nodule.phantom.random_spec`."""

    small = "small"
    medium = "medium"
    full = "full"


class PhantomFormat(StrEnum):
    """What a phantom is written as."""

    dicom = "dicom"
    nifti = "nifti"


def phantom(
    out: Annotated[
        Path | None, out_option("Folder to write to; it is made if it is missing.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(hidden=True, callback=check_folder, help="The folder, as before --out."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the anatomy, the nodules and the noise.")
    ] = 0,
    size: Annotated[
        PhantomSize,
        typer.Option(help="Voxels of 2.5 mm, pixels of 1.1 mm, or slices of 512 x 512 pixels."),
    ] = PhantomSize.medium,
    nodules: Annotated[
        int | None,
        typer.Option(min=0, max=40, help="Number of nodules; drawn from the seed if not given."),
    ] = None,
    file_format: Annotated[
        PhantomFormat, typer.Option("--format", help="DICOM with LIDC-style readings, or NIfTI.")
    ] = PhantomFormat.dicom,
) -> None:
    """Write a synthetic chest CT with nodules of known size, texture and position.

    The ground truth goes to OUT/truth.json and, on one line, to stdout.
    """
    from nodule.phantom import make_phantom, random_spec, truth, write_nifti, write_study
    from nodule.whole_files import write_whole

    out = _one_of(out, folder)
    made = make_phantom(random_spec(seed, size=size.value, n_nodules=nodules))
    if file_format is PhantomFormat.dicom:
        write_study(made, out)
    else:
        out.mkdir(parents=True, exist_ok=True)
        write_nifti(made.volume, out / "ct.nii.gz")
    known = truth(made)
    write_whole(out / "truth.json", f"{json.dumps(known, indent=2)}\n".encode())
    summarise(known)


def _one_of(out: Path | None, folder: Path | None) -> Path:
    if (out is None) == (folder is None):
        raise UsageError(
            "where to write is not clear", code="ONE_FOLDER", expected="one folder, with --out"
        )
    return out or folder or Path()
