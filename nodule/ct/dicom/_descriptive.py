"""Attributes that only describe: nothing that is read or measured depends on them.

One whose value breaks the standard is taken as absent, and named in a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pydicom.dataset import Dataset

from nodule.ct.dicom import attributes
from nodule.errors import DicomSeriesError
from nodule.study import dicom_day

_RETIRED_DAY = re.compile(r"\d{4}\.\d\d\.\d\d")  # PS3.5, before 1993
_TIME = re.compile(r"([01]\d|2[0-3])(:?[0-5]\d(:?([0-5]\d|60)(\.\d{1,6})?)?)?")
_AGE = re.compile(r"\d{3}[DWMY]")


def _day(dataset: Dataset, keyword: str) -> str | None:
    text = attributes.text(dataset, keyword)
    if text and dicom_day(text) is None and not _RETIRED_DAY.fullmatch(text):
        raise attributes.bad_value(keyword, "no day")
    return text


def _like(pattern: re.Pattern[str]) -> Callable[[Dataset, str], str | None]:
    def read(dataset: Dataset, keyword: str) -> str | None:
        text = attributes.text(dataset, keyword)
        if text and not pattern.fullmatch(text):
            raise attributes.bad_value(keyword, "another form")
        return text

    return read


_READ: Mapping[str, Callable[[Dataset, str], str | float | None]] = MappingProxyType(
    {
        "InstanceNumber": attributes.integer,
        "SeriesNumber": attributes.integer,
        "SeriesDescription": attributes.text,
        "Manufacturer": attributes.text,
        "ManufacturerModelName": attributes.text,
        "ConvolutionKernel": attributes.text,
        "SliceThickness": attributes.number,
        "KVP": attributes.number,
        "Exposure": attributes.number,
        "CTDIvol": attributes.number,
        "ContrastBolusAgent": attributes.text,
        "PatientBirthDate": _day,
        "PatientAge": _like(_AGE),
        "StudyDate": _day,
        "StudyTime": _like(_TIME),
        "SeriesDate": _day,
        "SeriesTime": _like(_TIME),
    }
)
DESCRIPTIVE_KEYWORDS = tuple(_READ)


def malformed_in(dataset: Dataset) -> tuple[str, ...]:
    """Return the keywords of the descriptive attributes whose values break the standard."""
    return tuple(keyword for keyword in _READ if _is_malformed(dataset, keyword))


def _is_malformed(dataset: Dataset, keyword: str) -> bool:
    try:
        _READ[keyword](dataset, keyword)
    except DicomSeriesError:
        return True
    return False
