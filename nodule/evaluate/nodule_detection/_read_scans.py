"""Whole scans with what their readers marked, as an evaluation needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nodule.errors import InputError
from nodule.lidc import WholeScan, find_scans
from nodule.study import Study
from nodule.training import Annotation, read_annotated_scan

LEAST_DIAMETER_MM = 3.0


@dataclass(frozen=True, kw_only=True)
class ReadScan:
    """What was marked in a scan; its voxels are not kept, for there may be many scans.

    Parameters
    ----------
    name : of its patient.
    series_uid : of what was read; the name where the images do not say.
    annotations : what readers marked, outlined nodules first.
    """

    name: str
    series_uid: str
    annotations: tuple[Annotation, ...]

    @property
    def outlined(self) -> tuple[Annotation, ...]:
        """The nodules that any reader outlined, of LUNA16 its list."""
        return tuple(each for each in self.annotations if each.kind == "outlined")

    @property
    def nodules(self) -> tuple[Annotation, ...]:
        """What must be found."""
        return tuple(filter(must_be_found, self.annotations))

    @property
    def ignored(self) -> tuple[Annotation, ...]:
        """All else that was marked: a detection there counts neither way."""
        return tuple(each for each in self.annotations if not must_be_found(each))


def must_be_found(annotation: Annotation) -> bool:
    """Tell whether three readers outlined a nodule of 3 mm or more: LUNA16's rule."""
    return annotation.agreed and annotation.diameter_mm >= LEAST_DIAMETER_MM


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
            hint="False positives are unknown in a scan without readings",
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
        annotations=annotated.annotations,
    )
    return read, study
