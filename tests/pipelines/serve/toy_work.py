"""Work on a study that needs no network: an SR and a SEG, each a function of its images."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pydicom

from pipelines.batch import Failure, StudyDone
from pipelines.places import StudyPlace, fetched


@dataclass(frozen=True)
class ToyWork:
    """Does what the PatientID says: ``DIES``, ``HANGS``, ``BAD``; others become results."""

    out: Path

    def __call__(self, place: StudyPlace) -> StudyDone | Failure:
        with fetched(place) as study:
            return self._work_on(study, place)

    def _work_on(self, study: Path, place: StudyPlace) -> StudyDone | Failure:
        files = sorted(study.glob("*.dcm"))
        first = pydicom.dcmread(files[0])
        if first.PatientID == "DIES":
            os.kill(os.getpid(), signal.SIGKILL)
        if first.PatientID == "HANGS":
            time.sleep(600)
        if first.PatientID == "BAD":
            return Failure(study="s", code="GANTRY_TILT", message="tilted", file=place.location)
        uids = sorted(str(pydicom.dcmread(each).SOPInstanceUID) for each in files)
        name = hashlib.sha256("\n".join(uids).encode()).hexdigest()[:16]
        (self.out / name).mkdir(parents=True, exist_ok=True)
        for kind in ("sr", "seg"):
            digest = hashlib.sha256(f"{kind}{name}".encode()).hexdigest()
            first.SOPInstanceUID = f"2.25.{int(digest[:24], 16)}"
            first.file_meta.MediaStorageSOPInstanceUID = first.SOPInstanceUID
            first.InstanceNumber = len(files)
            first.save_as(self.out / name / f"{kind}.dcm", enforce_file_format=True)
        return StudyDone(folder=name, findings=len(files), seconds={})
