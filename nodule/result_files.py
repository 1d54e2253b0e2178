"""Names of a report's files, and which of them come only where they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nodule.saliency_files import SALIENCY_FOLDER, is_saliency_file

COMPARISON_NAME = "comparison.csv"
NODULES_NAME = "nodules.nii.gz"
PDF_NAME = "report.pdf"
SEG_NAME = "seg.dcm"
SR_NAME = "sr.dcm"


def remove_stale(folder: Path, *, written: Iterable[Path]) -> None:
    """Remove what came with an earlier report and does not match the one that is there now.

    Parameters
    ----------
    folder : of a report; files of other names are left alone.
    written : what has just been written to it, and stays.
    """
    fresh = set(written)
    named = [folder / name for name in (COMPARISON_NAME, PDF_NAME, SEG_NAME, SR_NAME)]
    maps = folder / SALIENCY_FOLDER
    for path in (*named, *(each for each in maps.glob("*") if is_saliency_file(each.name))):
        if path not in fresh:
            path.unlink(missing_ok=True)
    if maps.is_dir() and not any(maps.iterdir()):
        maps.rmdir()
