"""RECIST 1.1: which lesions may be followed by their axes.

For the follow-up of a known cancer, never for screening or incidental nodules.

Decisions
---------
* **Measurable** is the longest axis for lesions, the shortest for lymph nodes, in the axial plane.
  A slice thicker than 5 mm raises the 10 mm limit to twice its thickness; nodes keep 15 mm.
* **Response** is not judged: its sums run over targets that a reader chose, and over examinations
  that one report does not know.
"""

from __future__ import annotations

from decimal import Decimal

from nodule.guidelines.facts import Size, check_positive, half_up
from nodule.guidelines.result import Result, Rule, RuleSet

RECIST = RuleSet(
    name="RECIST", version="1.1", citation="Eisenhauer et al., Eur J Cancer 2009;45:228-247"
)
_THIN_SLICE_MM = 5


def eligibility(size: Size, *, slice_thickness_mm: float, lymph_node: bool = False) -> Result:
    """Whether a lesion may be a target.

    Parameters
    ----------
    size : with axes.
    slice_thickness_mm : of the scan.
    lymph_node : measured by its shortest axis.

    Returns
    -------
    Result : ``target``, ``non-target`` or ``normal`` (a lymph node below 10 mm).

    Raises
    ------
    InputError : ``BAD_SIZE``.
    """
    check_positive("slice_thickness_mm", slice_thickness_mm)
    if size.longest_mm is None or size.shortest_mm is None:
        return RECIST.insufficient(["axes"])
    axis_mm = size.shortest_mm if lymph_node else size.longest_mm
    limit_mm = Decimal(15) if lymph_node else _lesion_limit_mm(slice_thickness_mm)
    name = "shortest" if lymph_node else "longest"
    answer = "target" if axis_mm >= limit_mm else "non-target"
    text = f"The {name} axis is {'≥' if answer == 'target' else '<'} {limit_mm} mm"
    if lymph_node and axis_mm < 10:
        answer, text = "normal", "The shortest axis of the lymph node is < 10 mm"
    return RECIST.applied(
        Rule(id=f"measurable-{answer}", text=f"{text}: {answer}.", where="measurability"),
        answer,
        inputs={
            f"{name} axis (mm)": axis_mm,
            "slice thickness (mm)": slice_thickness_mm,
            "lymph node": lymph_node,
        },
        caveats=("At most five target lesions, two an organ.",) if answer == "target" else (),
    )


def _lesion_limit_mm(slice_thickness_mm: float) -> Decimal:
    thickness = half_up(slice_thickness_mm)
    return Decimal(10) if thickness <= _THIN_SLICE_MM else 2 * thickness
