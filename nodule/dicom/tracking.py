"""Names under which every object, in this study and the next, speaks of one finding."""

from __future__ import annotations

from nodule.dicom._instance import derived_uid
from nodule.geometry import Vector
from nodule.nodules import Nodule
from nodule.report.model import Report


def tracking_uids(report: Report) -> dict[str, str]:
    """Name each finding after scan and place, so that all objects that speak of it agree.

    What a reader moved within a nodule keeps its name, for it is the same nodule. No two findings
    have one name: where two lie at one place, since a reader moved both onto one nodule, the one
    that lay there before keeps it.

    Parameters
    ----------
    report : rejected findings have names too.

    Returns
    -------
    By finding's id.
    """
    nodules = [each.nodule for each in (*report.active, *report.rejected)]
    named: dict[str, str] = {}
    taken: set[str] = set()
    for nodule in sorted(nodules, key=lambda each: each.id in report.moved):
        parts: list[object] = ["tracking", report.provenance.input_sha256, _place_lps_mm(nodule)]
        uid = derived_uid(*parts)
        named[nodule.id] = uid if uid not in taken else derived_uid(*parts, nodule.id)
        taken.add(named[nodule.id])
    return named


def _place_lps_mm(nodule: Nodule) -> Vector:
    """Return the measured centroid, which stays where a reader moves the mark within a nodule."""
    measured = nodule.measurement
    return nodule.center_lps_mm if measured is None else measured.center_lps_mm
