"""Which DICOM series lie in which folder, by the headers of all files."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from nodule.errors import InputError
from nodule.file_signatures import is_apple_double, is_dicom
from nodule.input_folders import list_folder

logger = logging.getLogger(__name__)

_HEADERS = (
    *("Modality", "StudyInstanceUID", "SeriesInstanceUID"),
    *("PatientID", "PatientName", "PatientBirthDate"),
)


@dataclass(frozen=True, kw_only=True)
class FolderSeries:
    """One DICOM series in a folder.

    Parameters
    ----------
    uid, study_uid, modality : as its headers say, empty where they do not.
    patient : what its headers call the patient; only to tell two apart.
    """

    uid: str
    study_uid: str
    modality: str
    patient: tuple[str, ...]


def dicom_folders(root: Path) -> Iterator[tuple[Path, tuple[FolderSeries, ...]]]:
    """Yield the folders that hold DICOM files, each with all series of it.

    Files are known by their first bytes, whatever they are called. What cannot be read is named in
    a warning.
    """
    for folder, files in groupby(sorted(files_below(root)), key=lambda path: path.parent):
        found = dict.fromkeys(filter(None, map(_series_of, files)))
        if found:
            yield folder, tuple(found)


def holds_dicom(folder: Path) -> bool:
    """Whether a folder itself holds DICOM files, whatever they are called."""
    return any(map(_is_dicom, files_below(folder, is_deep=False)))


def files_below(folder: Path, *, is_deep: bool = True) -> tuple[Path, ...]:
    """List a folder's files; what is left out is named in a warning, once for each reason."""
    listing = list_folder(folder, is_deep=is_deep)
    by_code: dict[str, list[InputError]] = {}
    for error in listing.left_out.values():
        by_code.setdefault(error.code, []).append(error)
    for errors in by_code.values():
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        logger.warning("left out%s: %s", more, errors[0])
    return listing.files


def refuse_several_patients(folder: Path, series: Iterable[FolderSeries]) -> None:
    """Refuse a folder with CT of several patients, who would count as one.

    Raises
    ------
    InputError : ``SEVERAL_PATIENTS``.
    """
    # within one series it is for the reader of it to say
    by_series = {each.uid: each.patient for each in series if each.modality == "CT"}
    patients = set(by_series.values())
    if len(patients) > 1:
        raise InputError(
            f"{folder.name} holds CT of several patients",
            code="SEVERAL_PATIENTS",
            expected="one patient in a folder",
            got=f"{len(patients)} patients",
            hint="Give each patient a folder.",
        )


def _is_dicom(path: Path) -> bool:
    try:
        return is_dicom(path)
    except OSError as error:
        logger.warning("%s cannot be read: %s", path.name, error.strerror)
        return False


def _series_of(path: Path) -> FolderSeries | None:
    """Return which series a file belongs to, None for what is no DICOM file."""
    from pydicom import dcmread

    if not _is_dicom(path):
        if path.suffix.lower() == ".dcm" and not is_apple_double(path):
            logger.warning("%s is not a DICOM file", path.name)
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # which would quote values, names among them
            header = dcmread(path, stop_before_pixels=True, specific_tags=list(_HEADERS))
            modality, study, uid, *patient = (str(header.get(tag) or "") for tag in _HEADERS)
    except Exception as error:  # whatever pydicom raises on malformed input
        logger.warning("%s is malformed DICOM: %s", path.name, type(error).__name__)
        return None
    if not uid and not modality:
        logger.warning("%s is malformed DICOM: neither modality nor series", path.name)
        return None
    return FolderSeries(
        uid=uid,
        study_uid=study,
        modality=modality.strip().upper(),
        patient=tuple(each.strip().upper() for each in patient),
    )
