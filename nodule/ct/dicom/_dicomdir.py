"""DICOMDIR: the index of a medium."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from nodule.ct._containers import Member
from nodule.ct.dicom import attributes
from nodule.ct.dicom._dicom_file import looks_like_dicom, parse_file, quiet_pydicom


def is_index(member: Member) -> bool:
    """Whether a file is a DICOMDIR.

    Raises
    ------
    DicomSeriesError : as :func:`nodule.ct.dicom._dicom_file.parse_file`.
    """
    return looks_like_dicom(member) and parse_file(member, ("Modality",)).is_directory


def names_in_index(member: Member) -> tuple[str, ...]:
    """Return the files that a DICOMDIR lists, relative to it, each once.

    Raises
    ------
    DicomSeriesError : as :func:`nodule.ct.dicom._dicom_file.parse_file`, and ``BAD_VALUE``.
    """
    with quiet_pydicom():
        dataset = parse_file(member, ("DirectoryRecordSequence",)).dataset
        records = attributes.raw(dataset, "DirectoryRecordSequence")
        listed = records if isinstance(records, Sequence) else []
        found = (_referenced(attributes.raw(record, "ReferencedFileID")) for record in listed)
        return tuple(dict.fromkeys(name for names in found for name in names))


def _referenced(file_id: object) -> Iterator[str]:
    if isinstance(file_id, MultiValue):
        yield "/".join(str(part) for part in file_id)
    elif file_id:
        yield str(file_id)
