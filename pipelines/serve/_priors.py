"""The latest earlier chest CT of the same patient, from a DICOMweb service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pydicom

from pipelines.pacs import DicomWeb, StudyAddress, ask_service, fetch_study

_PATIENT, _DATE, _UID = "00100020", "00080020", "0020000D"


def fetch_prior(study: Path, service: DicomWeb, folder: Path) -> Path | None:
    """Fetch the latest study with CT before a study's own date, and return where it is.

    Parameters
    ----------
    study : folder of the current study's images.
    service : asked with QIDO-RS by PatientID (PS3.18 10.6).
    folder : is made.

    Returns
    -------
    None where the study names no patient or date, or the service knows no earlier one.

    Raises
    ------
    InputError : ``NO_ANSWER``.
    """
    tags = ["PatientID", "StudyDate"]
    header = pydicom.dcmread(next(iter(sorted(study.iterdir()))), specific_tags=list(tags))
    patient, day = (str(header.get(tag, "") or "") for tag in tags)
    if not patient or len(day) != len("YYYYMMDD") or not day.isdigit():
        return None
    before = date(int(day[:4]), int(day[4:6]), int(day[6:])) - timedelta(days=1)
    asked = {
        "PatientID": patient,
        "StudyDate": f"19000101-{before:%Y%m%d}",
        "ModalitiesInStudy": "CT",
    }
    found = ask_service(service, lambda client: client.search_for_studies(search_filters=asked))
    # some services match patients by parts of their numbers
    dated = [each for each in found if _value(each, _PATIENT) == patient and _value(each, _DATE)]
    if not dated:
        return None
    latest = max(dated, key=lambda each: _value(each, _DATE))
    address = StudyAddress(service=service, study_uid=_value(latest, _UID))
    fetch_study(address, folder)
    return folder


def _value(found: Mapping[str, Any], tag: str) -> str:
    values = found.get(tag, {}).get("Value") or [""]
    return str(values[0])
