"""From a measured finding to the facts that the rules read.

Decisions
---------
* A calcified nodule is a solid one. That its calcification has a benign pattern is for the reader
  to see; density alone does not make it category 1.
* The solid component of a part-solid nodule stays unknown, since no finding measures it yet.
"""

from __future__ import annotations

from nodule.findings import Finding, Measurement, Texture
from nodule.guidelines.facts import Composition, Nodule, Size

_COMPOSITIONS: dict[Texture, Composition] = {
    "solid": "solid",
    "calcified": "solid",
    "part-solid": "part-solid",
    "ground-glass": "ground-glass",
}


def nodule_of(finding: Finding) -> Nodule:
    """Return what the rules may know of a finding; what was not measured stays None."""
    return measured_nodule(finding.id, finding.measurement)


def measured_nodule(id_: str, measured: Measurement | None) -> Nodule:
    """Return the same of a measurement and the name that the nodule goes by."""
    if measured is None:
        return Nodule(id=id_)
    return Nodule(
        id=id_,
        composition=None if measured.texture is None else _COMPOSITIONS[measured.texture],
        size=Size(
            axes_mm=(measured.long_axis_mm, measured.short_axis_mm),
            volume_mm3=measured.volume_mm3,
        ),
    )
