"""What is in a folder, an archive or a file."""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from nodule.ct._containers import (
    Member,
    members_named,
    members_of,
    members_of_zip,
)
from nodule.ct._series import IgnoredFile, Inventory, SeriesRecord
from nodule.ct.dicom._checks import problems_of, too_wide
from nodule.ct.dicom._dicom_file import looks_like_dicom, quiet_pydicom
from nodule.ct.dicom._dicomdir import is_index, names_in_index
from nodule.ct.dicom._grid import stack_images
from nodule.ct.dicom._headers import DicomFile, ImageHeader, read_dicom_file
from nodule.ct.images import IMAGE_FORMATS
from nodule.errors import InputError, NoduleError, UsageError
from nodule.geometry import Geometry
from nodule.input_files import cannot_read, not_a_file
from nodule.input_folders import MAX_FILES, list_folder

# DICOM files of which it cannot be told which series they belong to
_SUSPICIOUS = frozenset(
    {"UNREADABLE", "BAD_VALUE", "NO_TRANSFER_SYNTAX", "TOO_LARGE", "NOT_AN_IMAGE", "CANNOT_READ"}
)
_DICOM_NAMES = (".dcm", ".ima", ".dicom")


def inventory(path: Path) -> Inventory:
    """Find out what an input holds, without decoding pixels.

    Parameters
    ----------
    path : folder or zip of DICOM files, DICOMDIR, one DICOM file, NIfTI, MetaImage or NRRD.

    Raises
    ------
    UsageError : ``NOT_FOUND``.
    InputError : ``CANNOT_READ``, ``TOO_MANY_FILES``, and as :func:`members_of_zip`.
    """
    path = Path(path)
    try:
        is_there = path.exists()
    except OSError as error:  # such as a folder above it that may not be entered
        raise cannot_read(path.name, error) from None
    if not is_there:
        raise UsageError(
            "there is no such input",
            code="NOT_FOUND",
            got=path.name,
            hint="Give a folder, a zip archive or an image file.",
        )
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise not_a_file(path.name)
    suffix = next((s for s in IMAGE_FORMATS if path.name.lower().endswith(s)), None)
    if suffix is not None:
        return _of_image(path, suffix)
    member = Member(name=path.name, path=path)
    is_archive = zipfile.is_zipfile(path) or path.suffix.lower() == ".zip"
    if looks_like_dicom(member) or not is_archive:
        return _of_single(member)
    return _of_members(members_of_zip(path))


def _of_folder(path: Path) -> Inventory:
    listing = list_folder(path, max_files=MAX_FILES)
    found = _of_members(members_of(path, listing.files))
    left_out = (IgnoredFile(name=name, error=error) for name, error in listing.left_out.items())
    return replace(found, ignored=(*found.ignored, *left_out))


def _of_image(path: Path, suffix: str) -> Inventory:
    try:
        file = IMAGE_FORMATS[suffix](path)
    except NoduleError as refused:
        return Inventory(series=(), ignored=(IgnoredFile(name=path.name, error=refused),))
    record = SeriesRecord(
        uid=file.series_uid,
        description=None,
        modality=None,
        image_count=file.geometry.shape_zyx[0],
        geometry=file.geometry,
        problems=(),
        header=file.header,
        file=file,
    )
    return Inventory(series=(record,))


def _of_single(member: Member) -> Inventory:
    """Take one DICOM file: a multi-frame image, a lone slice, or an index of other files."""
    try:
        if not is_index(member):
            return _of_members((member,))
        members, missing = members_named(member.path.parent, names_in_index(member))
    except NoduleError as refused:
        return Inventory(series=(), ignored=(IgnoredFile(name=member.name, error=refused),))
    found = _of_members(members)
    lost = (IgnoredFile(name=name, error=_missing(name)) for name in missing)
    return replace(found, ignored=(*found.ignored, *lost))


def _missing(name: str) -> NoduleError:
    return InputError(
        f"the index names {name}, which is not below its folder",
        code="MISSING_FILE",
        hint="Copy the whole medium.",
    )


@quiet_pydicom()
def _of_members(members: Iterable[Member]) -> Inventory:
    by_series: dict[str | None, list[DicomFile]] = defaultdict(list)
    ignored, suspects, strangers = [], [], []
    for member in members:
        try:
            file = read_dicom_file(member)
        except NoduleError as refused:
            if refused.code == "NOT_DICOM" and member.is_apple_double():
                ignored.append(IgnoredFile(name=member.name, error=_hidden_twin(member.name)))
                continue
            told = refused if refused.code != "NOT_DICOM" else _image_file(member) or refused
            ignored.append(IgnoredFile(name=member.name, error=told))
            if refused.code in _SUSPICIOUS or member.name.lower().endswith(_DICOM_NAMES):
                suspects.append(member)
            elif refused.code == "NOT_DICOM":
                strangers.append(member)
        else:
            by_series[file.series_uid].append(file)
            if _is_cut_short(file):
                suspects.append(member)
    names = {_pattern(file.member) for files in by_series.values() for file in files}
    suspects += [member for member in strangers if _pattern(member) in names]
    records = []
    for uid, files in sorted(by_series.items(), key=lambda item: item[0] or ""):
        unique, copies = _without_copies(files)
        records.append(_record(uid, unique))
        ignored += copies
    return Inventory(series=tuple(records), ignored=tuple(ignored), suspects=tuple(suspects))


def _pattern(member: Member) -> str:
    """Return a name without its numbers: what the slices of a series have in common."""
    return re.sub(r"\d+", "#", member.name)


def _image_file(member: Member) -> NoduleError | None:
    """Return what to say of a NIfTI, MetaImage or NRRD file among DICOM files."""
    if not member.name.lower().endswith(tuple(IMAGE_FORMATS)):
        return None
    return InputError(
        f"{member.name} is not a DICOM file",
        code="NOT_DICOM",
        expected="DICOM files in a folder or an archive",
        hint="Give the image file itself, not what it lies in.",
    )


def _hidden_twin(name: str) -> NoduleError:
    return InputError(f"{name} belongs to macOS, not to the study", code="APPLE_DOUBLE")


def _is_cut_short(file: DicomFile) -> bool:
    """Whether a CT image breaks off before its pixels: then its series UID may be cut as well."""
    return file.modality == "CT" and file.error is not None and file.error.code == "NO_PIXEL_DATA"


def _without_copies(files: Sequence[DicomFile]) -> tuple[list[DicomFile], list[IgnoredFile]]:
    """Set aside files that equal another of the series byte for byte."""
    instances: dict[str, list[DicomFile]] = defaultdict(list)
    for file in files:
        key = file.images[0].sop_instance_uid if file.images else None
        instances[key or file.member.name].append(file)
    unique, copies = [], []
    for same in instances.values():
        seen: set[str] = set()
        for file in same:
            digest = file.member.sha256() if len(same) > 1 else ""
            if digest in seen:
                copies.append(IgnoredFile(name=file.member.name, error=_copy(file.member.name)))
            else:
                unique.append(file)
            seen.add(digest)
    return unique, copies


def _copy(name: str) -> NoduleError:
    return InputError(f"{name} equals another file byte for byte", code="DUPLICATE_FILE")


def _record(uid: str | None, files: Sequence[DicomFile]) -> SeriesRecord:
    images = tuple(image for file in files for image in file.images)
    problems = [f.error for f in files if f.error is not None]
    if images:
        problems += problems_of(images)
    geometry, images = _grid(images) if not problems else (None, images)
    if geometry is not None and (refused := too_wide(geometry)) is not None:
        problems.append(refused)
    first = next((f for f in files if f.images), files[0])
    return SeriesRecord(
        uid=uid,
        description=first.header.series_description,
        modality=first.modality,
        image_count=sum(max(len(f.images), 1) for f in files),
        geometry=geometry,
        problems=tuple(problems),
        header=replace(first.header, series_instance_uid=uid),
        images=images,
    )


def _grid(images: tuple[ImageHeader, ...]) -> tuple[Geometry, tuple[ImageHeader, ...]]:
    stack = stack_images(images)
    return stack.geometry, stack.images
