"""Whole scans with what their readers marked, as an evaluation needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nodule.ct import read_ct
from nodule.errors import InputError
from nodule.evaluate.nodule_detection.luna16_matching import UNMEASURED_DIAMETER_MM
from nodule.geometry import Vector
from nodule.lidc.consensus import LidcNodule, nodules_on, position_lps_mm
from nodule.lidc.luna16 import LunaFinding, findings_by_series
from nodule.lidc.whole_scans import WholeScan, find_scans
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
    readers : how many outlined it, 0 for points. Of LUNA16's nodules it is known only that three
        did or four, of its excluded findings nothing.
    """

    center_lps_mm: Vector
    diameter_mm: float
    readers: int

    @property
    def certain(self) -> bool:
        """Whether it is a nodule that must be found."""
        return self.readers >= CERTAIN_READERS and self.diameter_mm >= LEAST_DIAMETER_MM


@dataclass(frozen=True, kw_only=True)
class ReadScan:
    """What was read in a scan; its voxels are not kept, for there may be many scans.

    Parameters
    ----------
    name : of its patient.
    series_uid : of what was read; the name where the images do not say.
    outlined : the nodules that any reader outlined, of LUNA16 its list.
    points : smaller nodules and what readers judged to be none, of LUNA16 all that it excludes.
    """

    name: str
    series_uid: str
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


def find_read_scans(paths: Iterable[Path]) -> tuple[WholeScan, ...]:
    """Return the scans of folders, each once, all of them read by somebody.

    Raises
    ------
    InputError : ``NO_READINGS`` where anyone's are missing, and as :func:`find_scans`.
    """
    scans = tuple({scan.path: scan for path in paths for scan in find_scans(path)}.values())
    unread = [scan.path.name for scan in scans if scan.readings is None]
    if unread:
        raise InputError(
            f"{unread[0]} needs its readers' marks",
            code="NO_READINGS",
            expected="XML beside the images, or LUNA16's subsets below their annotations.csv",
            got=f"none for {len(unread)} of {len(scans)} scans",
            hint="False positives are unknown where nobody read the scan",
        )
    return scans


def load_read_scan(scan: WholeScan) -> tuple[ReadScan, Study]:
    """Read a scan of :func:`find_read_scans`, and what was marked in it.

    Raises
    ------
    InputError : from reading either.
    """
    assert scan.readings is not None
    if scan.readings.suffix.lower() == ".csv":
        study = read_ct(scan.path)
        outlined, points = _of_luna16(scan)
    else:
        readings = read_lidc_xml(scan.readings)
        study = read_ct(scan.path, series_uid=readings.series_instance_uid or None)
        outlined = tuple(_outlined(nodule) for nodule in nodules_on(study, readings))
        points = tuple(
            Marked(
                center_lps_mm=position_lps_mm(study, mark),
                diameter_mm=UNMEASURED_DIAMETER_MM,
                readers=0,
            )
            for mark in (*readings.small_nodules, *readings.non_nodules)
        )
    uid = study.series.series_instance_uid or scan.patient
    return ReadScan(name=scan.patient, series_uid=uid, outlined=outlined, points=points), study


def _of_luna16(scan: WholeScan) -> tuple[tuple[Marked, ...], tuple[Marked, ...]]:
    """Return what LUNA16 lists as nodules of a series, and what it excludes."""

    def listed(table: Path | None, readers: int) -> tuple[Marked, ...]:
        findings = () if table is None else findings_by_series(table).get(scan.patient, ())
        return tuple(_listed(finding, readers) for finding in findings)

    return listed(scan.readings, CERTAIN_READERS), listed(scan.excluded, 0)


def _listed(finding: LunaFinding, readers: int) -> Marked:
    return Marked(
        center_lps_mm=finding.center_lps_mm,
        diameter_mm=finding.diameter_mm or UNMEASURED_DIAMETER_MM,
        readers=readers,
    )


def _outlined(nodule: LidcNodule) -> Marked:
    diameter_mm = sphere_diameter_mm(nodule.volume_mm3())
    return Marked(
        center_lps_mm=nodule.center_lps_mm,
        diameter_mm=diameter_mm or UNMEASURED_DIAMETER_MM,
        readers=nodule.agreement,
    )
