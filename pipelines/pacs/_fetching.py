"""Studies from a DICOMweb service: WADO-RS (PS3.18 10.4)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from nodule.errors import InputError
from pipelines.pacs._addresses import StudyAddress
from pipelines.pacs._sending import ask_service

_CT = "CT"
_AS_STORED = (("application/dicom", "*"),)


def fetch_study(address: StudyAddress, folder: Path, *, series_uid: str | None = None) -> int:
    """Write the CT series of a study as files, as the service stores them; return how many images.

    Parameters
    ----------
    address : of the study.
    folder : made here; a file is called by a digest of its SOPInstanceUID.
    series_uid : the only series to fetch; None for all of modality CT.

    Raises
    ------
    UsageError : ``NO_PACS_PACKAGES``.
    InputError : ``NO_ANSWER``; ``NO_SERIES`` where the service has no CT of that study.
    """

    def download(client: Any) -> int:
        count = 0
        for uid in [series_uid] if series_uid else _ct_series(client, address.study_uid):
            for image in client.iter_series(address.study_uid, uid, media_types=_AS_STORED):
                name = hashlib.sha256(str(image.SOPInstanceUID).encode()).hexdigest()[:32]
                image.save_as(folder / f"{name}.dcm", enforce_file_format=True)
                count += 1
        return count

    folder.mkdir(parents=True)
    count: int = ask_service(address.service, download)
    if not count:
        raise InputError(
            "the archive has no CT images of this study",
            code="NO_SERIES",
            got=address.study_uid,
            hint="Check the StudyInstanceUID.",
        )
    return count


def _ct_series(client: Any, study_uid: str) -> list[str]:
    found = client.search_for_series(study_uid, search_filters={"Modality": _CT})
    return sorted(each["0020000E"]["Value"][0] for each in found)
