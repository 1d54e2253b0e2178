"""``nodule push``: results to an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli._summary import finish

if TYPE_CHECKING:
    from pipelines.pacs import DicomNode, DicomWeb, SentFile


def push(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULTS", help="Folders of results that were written with --dicom."
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="ADDRESS",
            help="dicom://AE_TITLE@HOST:PORT for C-STORE (?calling=TITLE if the archive knows this "
            "program by another title than NODULE), or the root of a DICOMweb service for STOW-RS, "
            "such as https://HOST/dicom-web.",
        ),
    ],
) -> None:
    """Store the DICOM files of results in an archive.

    An object's UID is derived from what it says, so that storing it again changes nothing. The last
    line on stdout is a JSON summary. Exit status as of nodule run: 0: all was stored; 1: nothing;
    2: wrong usage; 3: some folders failed.
    """
    from pipelines.batch import run_batch
    from pipelines.pacs import parse_address

    address = parse_address(to)
    batch = run_batch(results, lambda folder: _push(folder, address))
    sent = [str(each.file) for done in batch.done for each in done]
    finish(batch, {"stored": sent, "to": str(address)})


def _push(folder: Path, address: DicomNode | DicomWeb) -> tuple[SentFile, ...]:
    from nodule.errors import UsageError
    from pipelines.pacs import send

    files = sorted(folder.glob("*.dcm"))
    if not files:
        raise UsageError(
            f"there is no DICOM file in {folder.name}",
            code="NO_DICOM_RESULTS",
            hint="Give a folder of results that nodule run has written with --dicom.",
        )
    sent = send(files, address)
    for each in sent:
        if each.refused is not None:
            raise each.refused
    return sent
