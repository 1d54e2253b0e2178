"""Whole scans with what their readers marked, as an evaluation needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nodule.errors import InputError
from nodule.geometry import Vector
from nodule.lidc.luna16 import CERTAIN_READERS
from nodule.lidc.whole_scans import WholeScan, find_scans
from nodule.study import Study
from nodule.training.annotated_scan import Annotation, read_annotated_scan

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
    annotated = read_annotated_scan(scan)
    study = annotated.study
    read = ReadScan(
        name=scan.patient,
        series_uid=study.series.series_instance_uid or scan.patient,
        outlined=tuple(_marked(a) for a in annotated.annotations if a.kind == "outlined"),
        points=tuple(_marked(a) for a in annotated.annotations if a.kind != "outlined"),
    )
    return read, study


def _marked(annotation: Annotation) -> Marked:
    return Marked(
        center_lps_mm=annotation.center_lps_mm,
        diameter_mm=annotation.diameter_mm,
        readers=annotation.readers,
    )
