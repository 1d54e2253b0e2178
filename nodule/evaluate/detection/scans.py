"""Whole scans with what their readers marked, as an evaluation needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nodule.ct.inventory import inventory
from nodule.ct.read import read_source
from nodule.errors import InputError
from nodule.evaluate.detection.matching import UNMEASURED_DIAMETER_MM
from nodule.evaluate.leakage import patient_names
from nodule.geometry import Vector
from nodule.lidc.consensus import LidcNodule, nodules_on, position_lps_mm
from nodule.lidc.xml import read_lidc_xml
from nodule.sphere import sphere_diameter_mm
from nodule.study import Study

CERTAIN_READERS = 3
"""Readers who must have outlined a nodule before it is one to be found: LUNA16's rule."""
LEAST_DIAMETER_MM = 3.0


@dataclass(frozen=True, kw_only=True)
class Marked:
    """Something that readers marked.

    Parameters
    ----------
    center_lps_mm : centroid of the readers' consensus, or their point.
    diameter_mm : of the sphere with the consensus' volume; LUNA16's 10 mm for points, and for
        outlines whose consensus is empty.
    readers : how many outlined it, 0 for points.
    """

    center_lps_mm: Vector
    diameter_mm: float
    readers: int

    @property
    def certain(self) -> bool:
        """Whether it is a nodule that must be found."""
        return self.readers >= CERTAIN_READERS and self.diameter_mm >= LEAST_DIAMETER_MM


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadScan:
    """A scan and its readings.

    Parameters
    ----------
    name : of its folder.
    patients : what the patient may be called in a list of training patients: the folder's name,
        which is how LIDC-IDRI is laid, and DICOM's PatientID.
    study : the CT.
    outlined : the nodules that any reader outlined.
    points : smaller nodules and what readers judged to be none.
    """

    name: str
    patients: frozenset[str]
    study: Study
    outlined: tuple[Marked, ...]
    points: tuple[Marked, ...]

    @property
    def nodules(self) -> tuple[Marked, ...]:
        """What must be found."""
        return tuple(mark for mark in self.outlined if mark.certain)

    @property
    def ignored(self) -> tuple[Marked, ...]:
        """All else that was marked: a detector's mark there counts neither way."""
        return tuple(mark for mark in (*self.outlined, *self.points) if not mark.certain)


def load_read_scan(path: Path) -> ReadScan:
    """Read a scan, and the readers' XML in its folder.

    Raises
    ------
    InputError : ``NO_READINGS`` or ``MANY_READINGS`` unless exactly one XML lies there; from
        reading either.
    """
    readings = read_lidc_xml(_readings_of(path))
    source = inventory(path).choose(readings.series_instance_uid or None)
    study = read_source(source)
    return ReadScan(
        name=path.name,
        patients=patient_names(path, source.patient.patient_id),
        study=study,
        outlined=tuple(_outlined(nodule) for nodule in nodules_on(study, readings)),
        points=tuple(
            Marked(
                center_lps_mm=position_lps_mm(study, mark),
                diameter_mm=UNMEASURED_DIAMETER_MM,
                readers=0,
            )
            for mark in (*readings.small_nodules, *readings.non_nodules)
        ),
    )


def _readings_of(path: Path) -> Path:
    found: Sequence[Path] = sorted(path.glob("*.xml")) if path.is_dir() else ()
    if len(found) != 1:
        raise InputError(
            f"{path.name} needs its readers' XML",
            code="MANY_READINGS" if found else "NO_READINGS",
            expected="one XML file beside the images",
            got=len(found),
            hint="False positives are unknown where nobody read the scan",
        )
    return found[0]


def _outlined(nodule: LidcNodule) -> Marked:
    diameter_mm = sphere_diameter_mm(nodule.volume_mm3())
    return Marked(
        center_lps_mm=nodule.center_lps_mm,
        diameter_mm=diameter_mm or UNMEASURED_DIAMETER_MM,
        readers=nodule.agreement,
    )
