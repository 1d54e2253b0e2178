"""What every DICOM object of a report shares: who made it, its names, its dates, its bytes.

UIDs are digests of the content and of its date, so that no two objects that differ share one. An
object that an earlier run wrote and that would say the same again stays as it is, date and all:
an archive then does not get it twice.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from nodule.dicom.dates import local_date_and_time
from nodule.dicom.source import quiet_dicom
from nodule.report.model import Provenance
from nodule.report.software import PRODUCT, answers_digest, software_version
from nodule.whole_files import write_whole

if TYPE_CHECKING:
    from nodule.dicom.document_state import DocumentState

TIMES_REMOVED = "LongitudinalTemporalInformationModified"
_NO_UID = "2.25.0"  # until an object is settled
_DATES = ("ContentDate", "ContentTime")
_NO_DATES = ["19000101", "000000"]  # plainly not those of a report

_UID_SPACE = uuid.UUID("c7c1d7c9-4ad1-5b0b-8e64-3b1f7f6f4f1d")


def derived_uid(*parts: object) -> str:
    """Name something after what it is made of: equal parts, equal UID (PS3.5 B.2)."""
    text = json.dumps(parts, sort_keys=True)
    return f"2.25.{uuid.uuid5(_UID_SPACE, text).int}"


def device_uid(provenance: Provenance) -> str:
    """Name the software after its version, and its stages' versions, constants and weights."""
    return derived_uid(
        "device",
        software_version(provenance),
        provenance.stages,
        provenance.constants,
        provenance.weights,
    )


def weights_parameters(provenance: Provenance) -> dict[str, str]:
    """Return what identifies the networks, as parameters of an algorithm."""
    return {f"{stage} weights sha256": digest for stage, digest in provenance.weights.items()}


def constructor_arguments(
    provenance: Provenance, state: DocumentState, *, series_number: int, made_at: datetime
) -> dict[str, Any]:
    """Return what highdicom wants to know of every object: its maker, date, and names to be.

    Parameters
    ----------
    provenance, state : of the report.
    series_number : of the first report's series; those of its reviews follow from it.
    made_at : when the object is written; one that a reader reviewed has the review's date.
    """
    date, time = local_date_and_time(state.reviewed_at or made_at)
    return {
        "series_instance_uid": _NO_UID,
        "sop_instance_uid": _NO_UID,
        "series_number": state.series_number(series_number),
        "instance_number": 1,
        "manufacturer": PRODUCT,
        "manufacturer_model_name": PRODUCT,
        "software_versions": software_version(provenance),
        "device_serial_number": answers_digest(provenance),
        "series_description": f"Lung nodules, {state.words}",
        "content_date": date,
        "content_time": time,
    }


def settle(instance: Dataset, header: Dataset, *, earlier: Path | None = None) -> None:
    """Replace, in place, what came from clock and chance, and name an object after its content.

    Objects that differ in anything, their date included, have different SOP Instance UIDs. Where
    the source's header says that dates were removed, so does the object, and has none.

    Parameters
    ----------
    instance : to be named.
    header : of the source.
    earlier : what an earlier run wrote, if it did; where only the date has changed since, it is
        that object again.
    """
    if TIMES_REMOVED in header:
        setattr(instance, TIMES_REMOVED, header[TIMES_REMOVED].value)
    for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
        instance.pop(keyword, None)
    for item in instance.get("ContributingEquipmentSequence", ()):
        item.pop("ContributionDateTime", None)
    dates = [str(instance[keyword].value) for keyword in _DATES]
    if TIMES_REMOVED in header:
        dates = _NO_DATES
    for keyword in _DATES:
        instance[keyword].value = ""
    _name(instance, instance_uid=_NO_UID, series_uid=_NO_UID, dimensions_uid=_NO_UID)
    content = hashlib.sha256(encode(instance)).hexdigest()
    then = _identity_of(earlier)
    if then is not None and then[0] == derived_uid("instance", content, *then[1]):
        dates = then[1]
    for keyword, value in zip(_DATES, dates, strict=True):
        instance[keyword].value = value
    _name(
        instance,
        instance_uid=derived_uid("instance", content, *dates),
        series_uid=derived_uid("series", content, *dates),
        dimensions_uid=derived_uid("dimensions", content),
    )


def _identity_of(earlier: Path | None) -> tuple[str, list[str]] | None:
    """Return an earlier object's SOP Instance UID and dates; None where there is none to read."""
    if earlier is None or not earlier.is_file():
        return None
    tags = ["SOPInstanceUID", *_DATES]
    try:
        with quiet_dicom():
            said = pydicom.dcmread(earlier, specific_tags=tags, stop_before_pixels=True)
            uid, *dates = (str(said[keyword].value) for keyword in tags)
    except (InvalidDicomError, KeyError, EOFError, ValueError, OSError):
        return None  # a damaged file is replaced, like any other
    return uid, dates


def _name(instance: Dataset, *, instance_uid: str, series_uid: str, dimensions_uid: str) -> None:
    instance.SOPInstanceUID = instance_uid
    instance.file_meta.MediaStorageSOPInstanceUID = UID(instance_uid)
    instance.SeriesInstanceUID = series_uid
    for keyword in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in instance.get(keyword, ()):
            item.DimensionOrganizationUID = dimensions_uid


def encode(instance: Dataset) -> bytes:
    """Return an object as a DICOM file."""
    stream = BytesIO()
    with quiet_dicom():
        instance.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def save(instance: Dataset, path: Path) -> Path:
    """Write a DICOM file, whole or not at all; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, encode(instance))
