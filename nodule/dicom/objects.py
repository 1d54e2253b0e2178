"""A report's DICOM files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nodule.dicom._instance import save
from nodule.dicom._segmentation import build_segmentation
from nodule.dicom._structured_report import write_dicom_sr
from nodule.pseudonyms import Pseudonyms
from nodule.result_files import SEG_NAME
from nodule.volume import LungMask

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.masks import NoduleMask
    from nodule.report.model import Report


def write_dicom(
    report: Report,
    *,
    masks: Mapping[str, NoduleMask],
    lungs: LungMask,
    source: SeriesSource,
    folder: Path,
    pseudonyms: Pseudonyms | None = None,
) -> tuple[Path, ...]:
    """Write ``seg.dcm`` and ``sr.dcm``, which refers to it; the latter alone without any mask.

    Parameters
    ----------
    report : what to say.
    masks, lungs, source : as :func:`nodule.dicom._segmentation.build_segmentation`.
    folder : made where it is missing; files of the same names are replaced.
    pseudonyms : with which the report was deidentified; None where it was not.

    Returns
    -------
    The files, in the order in which they were written.

    Raises
    ------
    InputError, DicomSeriesError : as :func:`nodule.dicom._segmentation.build_segmentation`.
    """
    if not masks and not lungs.labels_zyx.any():
        segmentation = None
    else:
        segmentation = build_segmentation(
            report, masks=masks, lungs=lungs, source=source, pseudonyms=pseudonyms
        )
    document = write_dicom_sr(
        report, source=source, segmentation=segmentation, folder=folder, pseudonyms=pseudonyms
    )
    if segmentation is None:
        return (document,)
    return save(segmentation, folder / SEG_NAME), document
