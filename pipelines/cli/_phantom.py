"""``nodule phantom``: write a synthetic chest CT and its truth."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; made if missing.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another person.")] = 0,
    size: Annotated[
        PhantomSize, typer.Option(help="2.5 mm isotropic, 1.1 mm pixels, or 512 x 512.")
    ] = PhantomSize.medium,
    nodules: Annotated[
        int | None, typer.Option(min=0, max=40, help="How many nodules; drawn if not given.")
    ] = None,
    file_format: Annotated[
        PhantomFormat, typer.Option("--format", help="DICOM with LIDC-style readings, or NIfTI.")
    ] = PhantomFormat.dicom,
) -> None:
    """Write a synthetic chest CT with nodules of known size, kind and place.

    The truth goes to OUT/truth.json and, on one line, to stdout.
    """
    from nodule.phantom import make_phantom, random_spec, truth, write_nifti, write_study

    made = make_phantom(random_spec(seed, size=size.value, n_nodules=nodules))
    if file_format is PhantomFormat.dicom:
        write_study(made, out)
    else:
        out.mkdir(parents=True, exist_ok=True)
        write_nifti(made.volume, out / "ct.nii.gz")
    known = truth(made)
    (out / "truth.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    typer.echo(json.dumps(known))
