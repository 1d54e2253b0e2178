"""From a measured finding to the facts that the rules read.

Decisions
---------
* A calcified nodule is a solid one. That its calcification has a benign pattern is for the reader
  to see; density alone does not make it category 1, but makes the rules offer it.
* The solid component of a part-solid nodule is its measured solid core, by axes and volume. Where
  nothing of the core could be measured, because it is less than a ball of 2 mm, its size is 0,
  which is below every limit of every rule.
* Where no volume can be stated (see :mod:`nodule.measure.volume_error`), rules go by the axes or
  say what is missing.
"""

from __future__ import annotations

from nodule.guidelines.facts import Composition, NoduleFacts, Size
from nodule.masks import Texture
from nodule.nodules import Measurement, Nodule

_COMPOSITIONS: dict[Texture, Composition] = {
    "solid": "solid",
    "calcified": "solid",
    "part-solid": "part-solid",
    "ground-glass": "ground-glass",
}


_NOTHING = Size(axes_mm=(0.0, 0.0), volume_mm3=0.0)


def measured_nodule(nodule: Nodule) -> NoduleFacts:
    """Return what the rules may know of a nodule; what was not measured stays None."""
    measured = nodule.measurement
    if measured is None:
        return NoduleFacts(id=nodule.id)
    return NoduleFacts(
        id=nodule.id,
        composition=None if measured.texture is None else _COMPOSITIONS[measured.texture],
        size=Size(
            axes_mm=(measured.long_axis_mm, measured.short_axis_mm),
            volume_mm3=measured.volume_mm3,
        ),
        solid_component=_solid_component(measured),
        calcified=measured.texture == "calcified",
    )


def _solid_component(measured: Measurement) -> Size | None:
    if measured.texture != "part-solid":
        return None
    axes_mm, volume_mm3 = measured.solid_axes_mm, measured.solid_volume_mm3
    if axes_mm is None and volume_mm3 is None:
        return _NOTHING
    return Size(axes_mm=axes_mm, volume_mm3=volume_mm3)
