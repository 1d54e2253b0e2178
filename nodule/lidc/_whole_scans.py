"""Whole scans as users have them: whose they are, which fold they are in, what was marked.

Three layouts are known. *LIDC-IDRI* as The Cancer Imaging Archive gives it: DICOM series in
folders at any depth below ``LIDC-IDRI-0001``, the readers' XML beside the images or in a tree of
its own. *LUNA16*: ``subset0`` to ``subset9`` with ``.mhd`` files, ``annotations.csv`` above them.
Else a scan is a folder or a file, named after its patient, with no nodules that anybody knows of
but what an ``annotations_excluded.csv`` in its folder lists by that name, which is left out.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nodule.errors import ConfigError, InputError
from nodule.file_signatures import is_apple_double
from nodule.input_files import cannot_read
from nodule.input_folders import list_folder
from nodule.lidc._dicom_folders import FolderSeries, dicom_folders, refuse_several_patients
from nodule.lidc._readings import readings_beside, readings_by_series

logger = logging.getLogger(__name__)

_FOLDS = 5
_TABLE = "annotations.csv"
_EXCLUDED = "annotations_excluded.csv"
_CANDIDATES = ("candidates_V2.csv", "candidates.csv")
_TABLE_DEPTHS = ("", "*/", "*/*/")
_LIDC_PATIENT = re.compile(r"LIDC-IDRI-\d{4}")
_SUBSET = re.compile(r"subset(\d)")
_IMAGE = re.compile(r"\.(nii|nii\.gz|mha|mhd|nrrd|nhdr|zip)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class WholeScan:
    """A scan that may be trained on.

    Parameters
    ----------
    path : folder or file.
    patient : what its patient is called in crop sets and lists of training patients.
    series : UIDs of its CT series; of LUNA16 the patient's name, for it knows no other. Else empty.
    fold : the number of its LUNA16 subset; else the fold of the patient.
    readings : the readers' XML, or LUNA16's ``annotations.csv``; None where nobody read it.
    excluded : ``annotations_excluded.csv``, LUNA16's or one of its format; None where it is not
        there.
    candidates : LUNA16's ``candidates_V2.csv`` or ``candidates.csv``, likewise.
    """

    path: Path
    patient: str
    series: tuple[str, ...] = ()
    fold: int
    readings: Path | None = None
    excluded: Path | None = None
    candidates: Path | None = None

    @property
    def names(self) -> frozenset[str]:
        """All that its patient may be called in crop sets and lists of training patients."""
        return frozenset({self.patient, *self.series})


def fold_of(patient_id: str) -> int:
    """Return the fold, 0 to 4, of all a patient's nodules: by hash, so that sets agree."""
    return int(hashlib.sha256(f"fold{patient_id}".encode()).hexdigest(), 16) % _FOLDS


def patient_of(path: Path) -> str:
    """Return a scan's patient: its LIDC-IDRI folder, else the scan's own name.

    The scans of LUNA16 are named by their series, and so are their patients in our crop sets.
    """
    return _lidc_patient(path) or _IMAGE.sub("", path.absolute().name)


def _lidc_patient(path: Path) -> str | None:
    parts = reversed(path.absolute().parts)
    return next((part for part in parts if _LIDC_PATIENT.fullmatch(part)), None)


def find_scans(path: Path) -> tuple[WholeScan, ...]:
    """Return the scans of a folder, sorted; a study's own folder or file is one scan.

    A folder holds several where it holds LUNA16's subsets, CT series of several studies, or
    image files.

    Raises
    ------
    InputError : ``NO_TABLE`` for LUNA16's subsets without ``annotations.csv``,
        ``MANY_READINGS`` where it is unclear which readings are a scan's, ``SEVERAL_PATIENTS``
        for CT of several in one folder.
    """
    if not _is_folder(path):
        return (_single(path),)
    subsets = luna16_files(path)
    if subsets:
        return tuple(_single(each) for each in subsets)
    folders = dict(dicom_folders(path))
    studies = _series_by_study(folders)
    files = [each for each in list_folder(path, is_deep=False).files if _is_image(each)]
    if path in folders or (not studies and len(files) < 2):
        everything = [each for found in folders.values() for each in found]
        refuse_several_patients(path, everything)
        return (_single(path, series=[each.uid for each in everything if each.modality == "CT"]),)
    readings = readings_by_series(path)
    alone = len(studies) + len(files) == 1
    scans = [_of_study(each, readings, top=path, alone=alone) for each in studies.values()]
    return tuple(sorted((*scans, *map(_single, files)), key=lambda scan: scan.path))


def luna16_files(path: Path) -> list[Path]:
    """Return the scans of LUNA16 below a folder, its masks of the lungs left out."""
    files = list_folder(path).files
    found = (each for each in files if each.suffix == ".mhd" and _subset_of(each) is not None)
    return sorted(each for each in found if not is_apple_double(each))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # such as a folder above it that may not be entered
        raise cannot_read(path.name, error) from None


def _is_image(path: Path) -> bool:
    return bool(_IMAGE.search(path.name)) and not is_apple_double(path)


def training_scans(
    paths: Iterable[Path], *, unseen: Collection[str], held_out_folds: Collection[int] = ()
) -> tuple[WholeScan, ...]:
    """Return the scans that training may see.

    Of a folder of scans those are left out that training must not see. A single scan that was
    named and must not be seen is refused.

    Parameters
    ----------
    paths : scans, or folders of scans.
    unseen : patients that training must not see, by any of their names.
    held_out_folds : whose scans training must not see.

    Raises
    ------
    ConfigError : ``HELD_OUT_SCAN``.
    InputError : as :func:`find_scans`.
    """
    chosen: dict[Path, WholeScan] = {}
    for path in paths:
        found = find_scans(path)
        if len(found) == 1:
            _refuse_held_out(found[0], unseen, held_out_folds)
            kept = list(found)
        else:
            kept = [
                scan
                for scan in found
                if scan.names.isdisjoint(unseen) and scan.fold not in held_out_folds
            ]
            logger.info("%d of %d scans are for training", len(kept), len(found))
        chosen |= {scan.path: scan for scan in kept}
    return tuple(chosen.values())


def _refuse_held_out(
    scan: WholeScan, unseen: Collection[str], held_out_folds: Collection[int]
) -> None:
    # a patient's fold is by hash; a scan alone, such as a background, may be in none of a set's
    if not scan.names.isdisjoint(unseen) or _subset_of(scan.path) in held_out_folds:
        raise ConfigError(
            "a scan for training belongs to a held-out patient",
            code="HELD_OUT_SCAN",
            got=scan.patient,
            hint="Take it out of the scans, or no longer hold out its patient or fold",
        )


def _single(path: Path, *, series: Iterable[str] = ()) -> WholeScan:
    subset = _subset_of(path)
    if subset is not None and path.is_file():
        above = next(each for each in path.absolute().parents if not _SUBSET.fullmatch(each.name))
        tables = _tables_in(above)
        uid = patient_of(path)
        return WholeScan(path=path, patient=uid, series=(uid,), fold=subset, **tables)
    return _with_readings(path, readings_beside(path), patient=patient_of(path), series=series)


def _of_study(
    folders: dict[Path, tuple[str, ...]], readings: dict[str, Path], *, top: Path, alone: bool
) -> WholeScan:
    """Return a study's scan: the CT series that was read, else whichever reading will choose.

    Parameters
    ----------
    folders : that hold the study's CT, and their series.
    readings : by series, from anywhere.
    top : the folder that was named.
    alone : whether the study is all that it holds. It is then named after the patient; else the
        folder below it is, but an LIDC-IDRI folder always.
    """
    read = {
        folder: readings_beside(folder)
        or next((readings[uid] for uid in series if uid in readings), None)
        for folder, series in folders.items()
    }
    folder = next((each for each in folders if read[each]), None)
    path = folder or Path(os.path.commonpath(folders))
    below = path.relative_to(top).parts
    named = top if alone or not below else top / below[0]
    patient = _lidc_patient(path) or patient_of(named)
    return _with_readings(
        path,
        read[folder] if folder else None,
        patient=patient,
        series=[uid for series in folders.values() for uid in series],
    )


def _with_readings(
    path: Path, readings: Path | None, *, patient: str, series: Iterable[str]
) -> WholeScan:
    if readings is None and _LIDC_PATIENT.fullmatch(patient):
        logger.warning("%s has no readings: all of it counts as free of nodules", patient)
    return WholeScan(
        path=path,
        patient=patient,
        series=tuple(dict.fromkeys(series)),
        fold=fold_of(patient),
        readings=readings,
        excluded=_excluded_beside(path),
    )


def _excluded_beside(path: Path) -> Path | None:
    table = (path if path.is_dir() else path.parent) / _EXCLUDED
    return table if table.is_file() else None


def _subset_of(path: Path) -> int | None:
    """Return the number of the LUNA16 subset that a file lies in."""
    for part in reversed(path.absolute().parts[:-1]):
        found = _SUBSET.fullmatch(part)
        if found:
            return int(found[1])
    return None


@functools.cache
def _tables_in(folder: Path) -> dict[str, Path | None]:
    """Return LUNA16's tables by the folder that holds the subsets, under our names."""
    table, excluded = (_shallowest(folder, name) for name in (_TABLE, _EXCLUDED))
    if table is None:
        raise InputError(
            "LUNA16's subsets come without their table of nodules",
            code="NO_TABLE",
            expected=f"{_TABLE} in {folder.name}",
            hint="Without it, every nodule would count as background",
        )
    if excluded is None:
        logger.warning("%s is missing: what it lists counts as background", _EXCLUDED)
    candidates = (_shallowest(folder, name) for name in _CANDIDATES)
    return {
        "readings": table,
        "excluded": excluded,
        "candidates": next((each for each in candidates if each is not None), None),
    }


def _shallowest(folder: Path, name: str) -> Path | None:
    for depth in _TABLE_DEPTHS:
        found = sorted(each for each in folder.glob(f"{depth}{name}") if each.is_file())
        if found:
            return found[0]
    return None


def _series_by_study(
    by_folder: Mapping[Path, tuple[FolderSeries, ...]],
) -> dict[str, dict[Path, tuple[str, ...]]]:
    """Return by study the folders that hold CT, and their series.

    A folder with series of several studies counts for one of them.

    Raises
    ------
    InputError : ``SEVERAL_PATIENTS`` where these are in one folder.
    """
    studies: dict[str, dict[Path, tuple[str, ...]]] = {}
    for folder, found in by_folder.items():
        refuse_several_patients(folder, found)
        of_ct = [each for each in found if each.modality == "CT"]
        if of_ct:
            study = studies.setdefault(min(each.study_uid for each in of_ct), {})
            study[folder] = tuple(each.uid for each in of_ct)
    return studies
