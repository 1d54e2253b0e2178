"""What every DICOM object of a report shares: who made it, its names, its date, its bytes.

Nothing here depends on when or where it runs. UIDs are digests, and dates are those of the scan:
the time of computing would make equal results differ.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from nodule.dicom.source import quiet_dicom
from nodule.report.model import Provenance, Report
from nodule.report.reported_nodule import ReportedNodule
from nodule.report.software import PRODUCT, answers_digest, software_version
from nodule.whole_files import write_whole

DRAFT = "AI draft, not verified"
TIMES_REMOVED = "LongitudinalTemporalInformationModified"
_NO_UID = "2.25.0"  # until an object is settled

_UID_SPACE = uuid.UUID("c7c1d7c9-4ad1-5b0b-8e64-3b1f7f6f4f1d")
_NO_DATE, _NO_TIME = "19000101", "000000"  # plainly not that of a CT


def derived_uid(*parts: object) -> str:
    """Name something after what it is made of: equal parts, equal UID (PS3.5 B.2)."""
    text = json.dumps(parts, sort_keys=True)
    return f"2.25.{uuid.uuid5(_UID_SPACE, text).int}"


def tracking_uid(report: Report, finding: ReportedNodule) -> str:
    """Name a finding after scan and place, so that all objects that speak of it agree."""
    return derived_uid("tracking", report.provenance.input_sha256, finding.nodule.center_lps_mm)


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


def constructor_arguments(provenance: Provenance, header: Dataset) -> dict[str, Any]:
    """Return what highdicom wants to know of every object: its maker, date, and names to be.

    The date is that of the source's series, or else of its study.
    """
    date, time = _NO_DATE, _NO_TIME
    for level in ("Study", "Series"):
        if header.get(f"{level}Date"):
            date = str(header[f"{level}Date"].value)
            time = str(header.get(f"{level}Time") or _NO_TIME)
    return {
        "series_instance_uid": _NO_UID,
        "sop_instance_uid": _NO_UID,
        "instance_number": 1,
        "manufacturer": PRODUCT,
        "manufacturer_model_name": PRODUCT,
        "software_versions": software_version(provenance),
        "device_serial_number": answers_digest(provenance),
        "series_description": f"Lung nodules, {DRAFT}",
        "content_date": date,
        "content_time": time,
    }


def settle(instance: Dataset, header: Dataset) -> None:
    """Replace, in place, what came from clock and chance, and name an object after its content.

    Objects that differ in anything have different SOP Instance UIDs. Where the source's header says
    that dates were removed, so does the object.
    """
    if TIMES_REMOVED in header:
        setattr(instance, TIMES_REMOVED, header[TIMES_REMOVED].value)
    for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
        instance.pop(keyword, None)
    for item in instance.get("ContributingEquipmentSequence", ()):
        item.pop("ContributionDateTime", None)
    _name(instance, instance_uid=_NO_UID, series_uid=_NO_UID, dimensions_uid=_NO_UID)
    content = hashlib.sha256(encode(instance)).hexdigest()
    _name(
        instance,
        instance_uid=derived_uid("instance", content),
        series_uid=derived_uid("series", content),
        dimensions_uid=derived_uid("dimensions", content),
    )


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
