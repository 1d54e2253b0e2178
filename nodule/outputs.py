"""A report's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nodule.ct import SeriesSource
from nodule.dicom.options import DicomOptions
from nodule.errors import InputError
from nodule.findings import Finding
from nodule.geometry import Geometry
from nodule.manifest import manifest_of
from nodule.mask_labels import Labels, label_masks, refer_to_masks, restore_masks
from nodule.masks import NoduleMask
from nodule.nifti_image import nifti, read_nifti
from nodule.page.figures import view_mm
from nodule.page.html import render_html
from nodule.page.pdf import write_pdf
from nodule.page.saliency_overlay import saliency_sheet
from nodule.pseudonyms import Pseudonyms
from nodule.report.deidentified import deidentified_report
from nodule.report.model import Report, report_json
from nodule.report.tables import comparison_csv, findings_csv, management_csv
from nodule.result_files import (
    COMPARISON_NAME,
    FHIR_NAME,
    FINDINGS_NAME,
    KEY_OBJECTS_NAME,
    LUNGS_NAME,
    MANAGEMENT_NAME,
    MANIFEST_NAME,
    NODULES_NAME,
    PAGE_NAME,
    REPORT_NAME,
    SEG_NAME,
    SR_NAME,
    is_result,
)
from nodule.saliency import SaliencyMap
from nodule.saliency_files import SALIENCY_FOLDER, saliency_files, saliency_record
from nodule.study import Study
from nodule.volume import LungMask, Volume
from nodule.whole_files import write_whole
from nodule.whole_folders import draft_beside, put_in_place

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


_FLOAT32_MM = 1e-2  # a NIfTI header's affine has single precision


@dataclass(frozen=True, kw_only=True, eq=False)
class DicomResults:
    """What a report's DICOM files need besides the report.

    Parameters
    ----------
    source : the DICOM series of the study.
    options : what they hold besides what they always do; None for nothing.
    predecessor : the document of the report that was reviewed, None for a first report.
    """

    source: SeriesSource
    options: DicomOptions | None = None
    predecessor: Dataset | None = None


def write_report_files(
    report: Report,
    *,
    study: Study,
    lungs: LungMask,
    masks: Mapping[str, NoduleMask],
    folder: Path | Callable[[], Path],
    dicom: DicomResults | None = None,
    fhir: bool = False,
    pdf: bool = False,
    viewer: bool = True,
    saliency_maps: Sequence[SaliencyMap] = (),
    pseudonyms: Pseudonyms | None = None,
) -> tuple[Path, ...]:
    """Write ``lungs.nii.gz``, ``nodules.nii.gz``, the tables, ``report.html`` and ``report.json``.

    The tables are ``findings.csv``, ``management.csv`` and, with a prior study, ``comparison.csv``.
    ``manifest.json`` holds the digest of each file.

    The folder appears whole or not at all. An earlier report's files are replaced with it, those
    that this one does not have included; files of other names stay. Equal input gives equal
    bytes, the PDF's apart, and the dates of DICOM files that were not there before.

    The page does not wait for DICOM and PDF: where one of these fails, the folder appears with
    neither SR nor SEG, or without the PDF, and the error is raised afterwards.

    Parameters
    ----------
    report : what to say.
    study : the images for the page.
    lungs : written on their own grid (the canonical 1 mm grid of the flow), labels 1 right and
        2 left.
    masks : by finding's id, written on the study's grid as the report's findings number them.
    folder : made where it is missing. Where other processes may take it meanwhile, what names a
        free one, called once more when the files are written and no other process can.
    dicom : for ``sr.dcm``, ``seg.dcm`` and what else goes to a PACS; None for none of them.
    fhir : also write ``fhir.json``.
    pdf : also print the page to ``report.pdf``, for which there must be a Chromium, and with
        ``dicom`` to ``pdf.dcm``.
    viewer : put the slice viewer, and so a small copy of the volume, into the page.
    saliency_maps : where the networks looked, for the page; written to ``saliency/`` too.
    pseudonyms : to write everything without identifiers, as
        :mod:`nodule.report.deidentified` says; None to leave them.

    Returns
    -------
    The files, in the order in which they were written.

    Raises
    ------
    InputError : ``FOREIGN_MASKS`` where the masks are not those that the report speaks of.
    NoduleError : as :func:`nodule.dicom.objects.write_dicom` and
        :func:`nodule.page.pdf.write_pdf`.
    UsageError : ``FIXED_FOLDER`` as :func:`nodule.whole_folders.draft_beside`.
    OSError : when the disk refuses; the folder is then as it was.
    """
    if pseudonyms is not None:
        report = deidentified_report(report, pseudonyms)
    grid = study.volume.geometry
    _check_masks(report, masks, grid)
    page = render_html(
        report,
        study=study,
        lungs=lungs,
        masks=masks,
        viewer=viewer,
        saliency_maps=saliency_maps,
    )
    contents: Mapping[str, bytes] = {
        PAGE_NAME: page.encode(),
        LUNGS_NAME: lungs_nifti(lungs),
        NODULES_NAME: nifti(label_masks(masks, grid=grid), grid),
        **_maps_of(report, saliency_maps),
        # the mark makes Excel read UTF-8
        **{name: text.encode("utf-8-sig") for name, text in _tables(report).items()},
        **(_fhir_of(report) if fhir else {}),
        REPORT_NAME: report_json(report),
    }
    choose = folder if callable(folder) else lambda: folder
    with draft_beside(choose()) as draft:
        for name, content in contents.items():
            (draft / name).parent.mkdir(exist_ok=True)
            write_whole(draft / name, content)
        names = list(contents)
        try:
            if dicom is not None:
                names += _write_objects(
                    report, masks, lungs, dicom, draft, earlier=choose(), pseudonyms=pseudonyms
                )
            if pdf:
                names += _write_pdf(report, dicom, draft, pseudonyms)
        except OSError:
            raise
        except Exception:
            _publish(draft, names, choose)
            raise
        place = _publish(draft, names, choose)
    return tuple(place / name for name in (*names, MANIFEST_NAME))


def _publish(draft: Path, names: Sequence[str], choose: Callable[[], Path]) -> Path:
    write_whole(draft / MANIFEST_NAME, manifest_of(draft, names))
    return put_in_place(draft, choose, is_own=is_result)


def _write_objects(
    report: Report,
    masks: Mapping[str, NoduleMask],
    lungs: LungMask,
    asked: DicomResults,
    folder: Path,
    *,
    earlier: Path,
    pseudonyms: Pseudonyms | None,
) -> list[str]:
    """Write SR, SEG and key objects, or none of them."""
    from nodule.dicom.objects import write_dicom

    try:
        written = write_dicom(
            report,
            masks=masks,
            lungs=lungs,
            source=asked.source,
            folder=folder,
            options=asked.options,
            pseudonyms=pseudonyms,
            predecessor=asked.predecessor,
            earlier=earlier,
        )
    except Exception:
        for name in (SEG_NAME, SR_NAME, KEY_OBJECTS_NAME):
            (folder / name).unlink(missing_ok=True)
        raise
    return [path.name for path in written]


def _write_pdf(
    report: Report, dicom: DicomResults | None, folder: Path, pseudonyms: Pseudonyms | None
) -> list[str]:
    """Print the page, and for a PACS wrap it."""
    printed = write_pdf(folder / PAGE_NAME)
    if dicom is None:
        return [printed.name]
    from nodule.dicom.objects import write_pdf_object

    wrapped = write_pdf_object(report, printed, source=dicom.source, pseudonyms=pseudonyms)
    return [printed.name, wrapped.name]


def write_saliency(
    saliency_map: SaliencyMap, finding: Finding, *, volume: Volume, folder: Path
) -> dict[str, Any]:
    """Write a finding's saliency map as NIfTI and as a picture, and a record of its checks.

    Parameters
    ----------
    saliency_map : the map of the finding.
    finding : whose planes the picture shows.
    volume : the CT, for the picture.
    folder : gets ``N1-malignancy.nii.gz``, ``.png`` and last ``.json`` for the finding N1; it
        must exist.

    Returns
    -------
    The record, as JSON holds it.
    """
    center_lps_mm = finding.nodule.center_lps_mm
    measured = finding.nodule.measurement
    picture = f"{saliency_map.finding_id}-{saliency_map.answer}.png"
    sheet = saliency_sheet(
        saliency_map,
        volume,
        center_lps_mm=center_lps_mm,
        edge_mm=view_mm(measured.long_axis_mm if measured else 0.0),
    )
    record = {**saliency_record(saliency_map, center_lps_mm=center_lps_mm), "picture": picture}
    write_whole(folder / picture, sheet)
    for name, content in saliency_files(saliency_map, record=record).items():
        write_whole(folder / name, content)
    return record


def _maps_of(report: Report, maps: Sequence[SaliencyMap]) -> Mapping[str, bytes]:
    """Return the files of a report's maps, by their paths in its folder."""
    places = {each.nodule.id: each.nodule.center_lps_mm for each in report.active}
    contents: dict[str, bytes] = {}
    for each in maps:
        record = {
            "input_sha256": report.provenance.input_sha256,
            **saliency_record(each, center_lps_mm=places[each.finding_id]),
        }
        files = saliency_files(each, record=record)
        contents |= {f"{SALIENCY_FOLDER}/{name}": content for name, content in files.items()}
    return contents


def _fhir_of(report: Report) -> Mapping[str, bytes]:
    from nodule.fhir import bundle_json  # which loads highdicom's codes

    return {FHIR_NAME: bundle_json(report)}


def _check_masks(report: Report, masks: Mapping[str, NoduleMask], grid: Geometry) -> None:
    stated = {each.nodule.id: each.mask for each in report.active if each.mask is not None}
    if refer_to_masks(masks, grid=grid) != stated:
        raise InputError(
            "these are not the masks of the report",
            code="FOREIGN_MASKS",
            expected=", ".join(stated) or "no mask",
            got=", ".join(masks) or "no mask",
        )


def _tables(report: Report) -> Mapping[str, str]:
    tables = {FINDINGS_NAME: findings_csv(report), MANAGEMENT_NAME: management_csv(report)}
    if report.comparison is not None:
        tables[COMPARISON_NAME] = comparison_csv(report.comparison)
    return tables


def lungs_nifti(lungs: LungMask) -> bytes:
    """Return lungs as a gzipped NIfTI-1 file."""
    return nifti(lungs.labels_zyx, lungs.geometry)


def read_lungs(path: Path) -> LungMask:
    """Read lungs that :func:`write_report_files` has written.

    Raises
    ------
    InputError : ``NO_LUNGS`` where the file is missing or no lung mask.
    """
    labels, geometry = _read_labels(path, code="NO_LUNGS", what="lungs")
    return LungMask(labels_zyx=labels.astype(np.uint8), geometry=geometry)


def read_masks(path: Path, *, report: Report, study: Study) -> dict[str, NoduleMask]:
    """Read the masks of a report's findings that :func:`write_report_files` has written.

    Parameters
    ----------
    path : ``nodules.nii.gz`` beside the report.
    report : says which mask each finding has.
    study : the report's images.

    Returns
    -------
    By finding's id; without their cores, which nothing measures again.

    Raises
    ------
    InputError : ``NO_MASKS`` where the file is missing or holds no labels, ``FOREIGN_MASKS`` where
        it belongs to another report.
    """
    labels, geometry = _read_labels(path, code="NO_MASKS", what="masks of nodules")
    grid = study.volume.geometry
    if not geometry.is_close(grid, tolerance_mm=_FLOAT32_MM):
        raise InputError(
            "the masks beside a report lie on another grid than its images",
            code="FOREIGN_MASKS",
            expected=grid.shape_zyx,
            got=geometry.shape_zyx,
            hint="Keep a report's files together.",
        )
    sizes = {each.nodule.id: each.nodule.measurement for each in report.active}
    return restore_masks(
        {each.nodule.id: each.mask for each in report.active if each.mask is not None},
        labels,
        grid=grid,
        textures={id_: None if size is None else size.texture for id_, size in sizes.items()},
    )


def _read_labels(path: Path, *, code: str, what: str) -> tuple[Labels, Geometry]:
    try:
        labels, geometry = read_nifti(path)
    except InputError as error:
        raise _none_beside(path, code=code, what=what) from error
    if labels.dtype not in (np.uint8, np.uint16):
        raise _none_beside(path, code=code, what=what)
    return cast("Labels", labels), geometry


def _none_beside(path: Path, *, code: str, what: str) -> InputError:
    return InputError(
        f"no {what} beside the report",
        code=code,
        expected=path.name,
        hint="Keep a report's files together.",
    )
