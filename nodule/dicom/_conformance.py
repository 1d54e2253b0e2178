"""Which values of the source the DICOM standard allows in what is written from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from nodule.errors import DicomSeriesError

_DATE = r"\d{8}"
_TIME = r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?"  # PS3.5 6.2, TM
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")  # PS3.5 9.1
_UID_CHARACTERS = 64
# PS3.5 6.2: of LO and SH; a name has as many in each of its three groups
_MAX_CHARACTERS = {
    "PatientID": 64,
    "IssuerOfPatientID": 64,
    "DeidentificationMethod": 64,
    "StudyDescription": 64,
    "PositionReferenceIndicator": 64,
    "StudyID": 16,
    "AccessionNumber": 16,
}
_NAMES = ("PatientName", "ReferringPhysicianName")
_NAME_CHARACTERS = 64
_ALLOWED = {
    "PatientBirthDate": _DATE,
    "PatientSex": "[MFO]",
    "PatientAge": r"\d{3}[DWMY]",
    "PatientIdentityRemoved": "YES|NO",
    "StudyDate": _DATE,
    "StudyTime": _TIME,
    "SeriesDate": _DATE,
    "SeriesTime": _TIME,
    "LossyImageCompression": "00|01",
}


def refuse_unreferable(uids: Mapping[str, str | None]) -> None:
    """Refuse UIDs that break the standard: no object that refers to them would be valid.

    Parameters
    ----------
    uids : by what each is called in a message.

    Raises
    ------
    DicomSeriesError : ``INVALID_DICOM_SOURCE``.
    """
    broken = [
        what
        for what, uid in uids.items()
        if uid is None or len(uid) > _UID_CHARACTERS or not _UID.fullmatch(uid)
    ]
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        raise DicomSeriesError(
            "a series has UIDs that results cannot refer to",
            code="INVALID_DICOM_SOURCE",
            expected=f"numbers without leading zeros, parted by dots, {_UID_CHARACTERS} at most",
            got=", ".join(broken[:3]) + more,
            hint="Give the series before it was renamed, or leave SR and SEG out.",
        )


def conforms(keyword: str, text: str) -> bool:
    """Whether a value of a descriptive attribute has a form that the standard allows."""
    allowed = _ALLOWED.get(keyword)
    if allowed is not None and not re.fullmatch(allowed, text, re.ASCII):
        return False
    if allowed == _DATE:
        return _is_date(text)
    if keyword in _NAMES:
        groups = text.split("=")
        return len(groups) <= 3 and max(map(len, groups)) <= _NAME_CHARACTERS
    longest = _MAX_CHARACTERS.get(keyword)
    parts = text.split("\\") if keyword == "DeidentificationMethod" else [text]
    return longest is None or max(map(len, parts)) <= longest


def _is_date(eight_digits: str) -> bool:
    try:
        date(int(eight_digits[:4]), int(eight_digits[4:6]), int(eight_digits[6:]))
    except ValueError:
        return False
    return True
