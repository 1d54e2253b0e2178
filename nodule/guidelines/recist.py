"""RECIST 1.1: which lesions may be followed by their axes, and how the disease responded.

For the follow-up of a known cancer, never for screening or incidental nodules.

Decisions
---------
* **Measurable** is the longest axis for lesions, the shortest for lymph nodes, in the axial plane.
  A slice thicker than 5 mm raises the 10 mm limit to twice its thickness; nodes keep 15 mm.
* **Progression** needs both + 20 % over the smallest sum so far and + 5 mm, each inclusive, or a
  new lesion. It is looked for before response. A sum of 0 that rises to 5 mm or more progresses.
* **Complete response** asks whether every lesion is gone and every node below 10 mm across, which
  a sum cannot tell: it is an argument. Non-target lesions are the reader's; a caveat says so.
* Sums are compared in decimals of 0.1 mm, as printed.
"""

from __future__ import annotations

import math
from decimal import Decimal

from nodule.errors import InputError
from nodule.guidelines.facts import Size, check_positive, half_up
from nodule.guidelines.result import Figure, Result, Rule, RuleSet

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


def respond(
    *,
    baseline_sum_mm: float,
    smallest_sum_mm: float,
    sum_mm: float,
    new_lesion: bool | None,
    all_gone: bool | None,
) -> Result:
    """Response of the target lesions.

    Parameters
    ----------
    baseline_sum_mm : sum of the target axes before treatment.
    smallest_sum_mm : smallest sum since, baseline included.
    sum_mm : sum on this scan.
    new_lesion : seen on this scan; None where nobody looked.
    all_gone : every target lesion has disappeared and every target node is below 10 mm across;
        None where nobody looked.

    Returns
    -------
    Result : ``CR``, ``PR``, ``SD`` or ``PD``.

    Raises
    ------
    InputError : ``BAD_SIZE``.
    """
    check_positive("baseline_sum_mm", baseline_sum_mm)
    _check_sums(baseline_sum_mm, smallest_sum_mm, sum_mm)
    inputs = {
        "baseline sum (mm)": baseline_sum_mm,
        "smallest sum (mm)": smallest_sum_mm,
        "sum (mm)": sum_mm,
        "new lesion": new_lesion,
        "all gone": all_gone,
    }
    if new_lesion is None or all_gone is None:
        missing = [name for name in ("new lesion", "all gone") if inputs[name] is None]
        return RECIST.insufficient(missing, inputs=inputs)
    baseline, smallest, now = (half_up(v) for v in (baseline_sum_mm, smallest_sum_mm, sum_mm))
    answer, text = _response(baseline, smallest, now, new_lesion=new_lesion, all_gone=all_gone)
    percent = float(100 * (now - baseline) / baseline)
    return RECIST.applied(
        Rule(id=f"response-{answer}", text=f"{text}: {answer}.", where="response criteria"),
        answer,
        figures=(Figure(name="change from baseline", unit="%", value=percent),),
        inputs=inputs,
        caveats=("Target lesions only; non-target lesions are the reader's.",),
    )


def _lesion_limit_mm(slice_thickness_mm: float) -> Decimal:
    thickness = half_up(slice_thickness_mm)
    return Decimal(10) if thickness <= _THIN_SLICE_MM else 2 * thickness


def _response(
    baseline: Decimal, smallest: Decimal, now: Decimal, *, new_lesion: bool, all_gone: bool
) -> tuple[str, str]:
    rise = now - smallest
    if new_lesion:
        return "PD", "A new lesion"
    if rise >= 5 and 5 * rise >= smallest:
        return "PD", "The sum rose by 20 % and 5 mm or more over the smallest"
    if all_gone:
        return "CR", "Every target lesion is gone"
    if 10 * (baseline - now) >= 3 * baseline:
        return "PR", "The sum fell by 30 % or more from baseline"
    return "SD", "Neither response nor progression"


def _check_sums(baseline_mm: float, smallest_mm: float, now_mm: float) -> None:
    sums = (smallest_mm, now_mm)
    finite = all(math.isfinite(value) and value >= 0 for value in sums)
    if not finite or smallest_mm > baseline_mm:
        raise InputError(
            "the sums do not belong to one course",
            code="BAD_SIZE",
            expected="sums from 0, the smallest not above baseline",
            got=sums,
        )
