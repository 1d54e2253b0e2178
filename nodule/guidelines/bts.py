"""British Thoracic Society 2015: from the first sight of a nodule to its discharge.

Decisions
---------
* **Scope**: 18 years or older, by any route of detection; up to 30 mm.
* **Size** is the volume where there is one, else the longest axis to 0.1 mm, never the mean. The
  class of 5 to below 6 mm, CT after a year, exists for diameters only.
* **Exactly 300 mm³ or 8 mm** belongs to the class that asks for Brock; exactly 80 mm³ or 5 mm is
  followed.
* **Lymph-node shape** at a fissure or the pleura counts below 10 mm; at or above it the nodule is
  read as a solid one. A size unknown is then missing.
* **Brock** is the full model with spiculation. Exactly 10 % is the higher side for Brock and for
  Herder; exactly 70 % still is the middle class.
* **Follow-up of solid nodules**: a change below 25 % is stable, discharged after a year by
  volumetry and after two by diameters; a doubling time of exactly 400 days is fast, of exactly 600
  days intermediate. Over 600 days a nodule may be discharged by automated volumetry only.
* **A shrinking nodule** is not named: it is handled as a stable one.
* **What is discharged at first sight** is discharged on follow-up too: benign by pattern, fat or
  proof whatever it does; small or of lymph-node shape unless it grew.
* **Growth of subsolid nodules** is left to the reader: volumes of 25 % are not theirs. One that an
  earlier scan shows persists, from 3 months on. Its scans at 1, 2 and 4 years count from the first
  scan, which nobody may have given, so no day is stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from nodule.guidelines._calcium import offer_if_benign
from nodule.guidelines.facts import (
    ADULT_YEARS,
    MASS_ABOVE_MM,
    NoduleFacts,
    Person,
    Size,
    Steps,
    unstated,
)
from nodule.guidelines.growth import GrowthClass, Volumetry, judge_growth, significant_change
from nodule.guidelines.result import Result, Rule, RuleSet

Method = Literal["automated volumetry", "other volumetry", "diameters"]

BTS = RuleSet(
    name="BTS", version="2015", citation="Callister et al., Thorax 2015;70(Suppl 2):ii1-ii54"
)
PERSISTS_MONTHS = 3  # Callister 2015: the repeat scan of a subsolid nodule
BROCK_LIMIT = 0.10  # Callister 2015, initial assessment
HERDER_LIMITS = (0.10, 0.70)  # Callister 2015, after PET-CT
_BY_DIAMETER = (5, 6, 8)
_BY_VOLUME = (80, 300)
_DUE_MONTHS = {"CT 3 mo": (3, 3), "CT 1 y": (12, 12)}
ACT_ON_GROWTH = ("work-up", "biopsy or surveillance")  # answers to growth beyond surveillance
_CERTAIN = ("calcification", "fat", "proven")
_SUBSOLID_GROWTH = (
    "Growth of subsolid nodules is not determined from volumes: the reader must assess it."
)
_LYMPH_NODE = Steps(below_mm=(10,), below_mm3=(524,))


def assess(
    nodule: NoduleFacts,
    *,
    person: Person,
    brock_probability: float | None = None,
    herder_probability: float | None = None,
    persists_at_3_months: bool | None = None,
) -> Result:
    """First management of a nodule.

    Parameters
    ----------
    nodule : the largest one where there are several.
    person : the age must be known.
    brock_probability : needed for a solid nodule from 8 mm (300 mm³) and a subsolid one that stays.
    herder_probability : after PET-CT; None before it.
    persists_at_3_months : of a subsolid nodule; None before that scan.
    """
    result = _out_of_scope(nodule, person) or _initial(
        nodule, brock_probability, herder_probability, persists_at_3_months
    )
    return result.also_from(person.facts("age_years"))


def _initial(
    nodule: NoduleFacts, brock: float | None, herder: float | None, persists: bool | None
) -> Result:
    if _benign(nodule):
        text = f"Benign by appearance or proof ({nodule.benign_feature})"
        return _answer("benign", text, "discharge", nodule)
    if nodule.size is None or nodule.composition is None:
        missing = unstated(nodule, ("composition", "size"))
        return BTS.insufficient(missing, inputs=_inputs(nodule), subject=nodule.id)
    small, words = _small(nodule.size)
    if small:
        caveat = "Below this size a nodule that is new within one or two years is followed."
        return _answer("small", f"Nodule {words}", "discharge", nodule, caveats=(caveat,))
    if nodule.composition != "solid":
        return _subsolid(nodule, brock, persists)
    return _solid(nodule, nodule.size, brock, herder)


def follow_up(
    nodule: NoduleFacts,
    *,
    person: Person,
    before: Volumetry,
    after: Volumetry,
    days: float,
    method: Method,
) -> Result:
    """Tell what to do with a solid nodule after a second scan.

    Parameters
    ----------
    nodule : as on the later scan; subsolid ones are out of scope here, see ``persists_at_3_months``
        of :func:`assess`.
    person : the age must be known.
    before, after : volumes on both scans, of spheres where the method is ``diameters``.
    days : from the earlier to the later scan; else ``BAD_INTERVAL`` is raised.
    method : how both volumes were measured.
    """
    refused = _out_of_scope(nodule, person) or _not_by_growth(nodule, before, after)
    result = refused or _by_growth(nodule, before, after, days=days, method=method)
    return result.also_from(person.facts("age_years"))


def _not_by_growth(nodule: NoduleFacts, before: Volumetry, after: Volumetry) -> Result | None:
    """Say what holds of a nodule whose growth is not asked or does not count."""
    grew = significant_change(before.volume_mm3, after.volume_mm3) == "growing"
    first = _initial(nodule, None, None, None)
    settled = first.answer == "discharge" and (not grew or nodule.benign_feature in _CERTAIN)
    if settled or nodule.composition is None:
        return first
    if nodule.composition != "solid":
        rule = Rule(id="scope-subsolid", text=_SUBSOLID_GROWTH, where="growth")
        return BTS.out_of_scope(rule, inputs=_inputs(nodule), subject=nodule.id)
    return None


def _by_growth(
    nodule: NoduleFacts, before: Volumetry, after: Volumetry, *, days: float, method: Method
) -> Result:
    growth = judge_growth(before=before, after=after, days=days)
    answer, management = _growth_answer(growth.rule.id, days, method)
    looks = {"composition": nodule.composition, "benign feature": nodule.benign_feature}
    text = f"{growth.rule.text} By {method}: {answer}."
    return BTS.applied(
        Rule(id=f"growth-{answer}", text=text, where="solid nodules under surveillance"),
        answer,
        management=management,
        figures=growth.figures,
        inputs=looks | dict(growth.inputs) | {"method": method},
        missing=growth.missing,
        caveats=growth.caveats,
        subject=nodule.id,
    )


def _growth_answer(growth: GrowthClass | str, days: float, method: Method) -> tuple[str, str]:
    if growth == "growing, VDT up to 400 days":
        return "work-up", "Further work-up, biopsy or definitive treatment."
    if growth == "growing, VDT over 400 to 600 days":
        return "biopsy or surveillance", "Biopsy or further surveillance, as the patient prefers."
    if growth == "growing, VDT over 600 days":
        if method == "automated volumetry":
            return "discharge or surveillance", "Consider discharge or further surveillance."
        return "surveillance", "Further CT surveillance."
    years = 2 if method == "diameters" else 1
    if days >= 365 * years:
        return "discharge", f"Stable over {years} year{'s' * (years > 1)}: discharge."
    return "surveillance", f"CT surveillance until stable for {years} year{'s' * (years > 1)}."


def _out_of_scope(nodule: NoduleFacts, person: Person) -> Result | None:
    if person.age_years is None:
        return BTS.insufficient(["age_years"], subject=nodule.id)
    if person.age_years < ADULT_YEARS:
        text = f"Not under {ADULT_YEARS} years."
        return BTS.out_of_scope(Rule(id="scope-age", text=text, where="scope"), subject=nodule.id)
    size = nodule.size
    longest_mm = None if size is None else size.longest_mm or size.sphere_mm
    if longest_mm is not None and longest_mm > MASS_ABOVE_MM:
        text = f"More than {MASS_ABOVE_MM} mm is a mass, not a nodule."
        rule = Rule(id="scope-mass", text=text, where="scope")
        return BTS.out_of_scope(rule, inputs=_inputs(nodule), subject=nodule.id)
    return None


def _benign(nodule: NoduleFacts) -> bool:
    if nodule.benign_feature is None or nodule.benign_feature in _CERTAIN:
        return nodule.benign_feature is not None
    if nodule.size is None or nodule.composition not in (None, "solid"):
        return False
    return _LYMPH_NODE.place(nodule.size.longest_mm, nodule.size.whole_mm3) == 0


def _small(size: Size) -> tuple[bool, str]:
    if size.whole_mm3 is not None:
        return size.whole_mm3 < _BY_VOLUME[0], f"< {_BY_VOLUME[0]} mm³"
    return (size.longest_mm or Decimal()) < _BY_DIAMETER[0], f"< {_BY_DIAMETER[0]} mm"


def _solid(nodule: NoduleFacts, size: Size, brock: float | None, herder: float | None) -> Result:
    where = "Solid nodule"
    if size.whole_mm3 is not None:
        if size.whole_mm3 < _BY_VOLUME[1]:
            return _answer("solid-medium", f"{where} 80 to < 300 mm³", "CT 3 mo", nodule)
        where += " ≥ 300 mm³"
    else:
        longest_mm = size.longest_mm or Decimal()
        if longest_mm < _BY_DIAMETER[1]:
            return _answer("solid-5", f"{where} 5 to < 6 mm, diameter only", "CT 1 y", nodule)
        if longest_mm < _BY_DIAMETER[2]:
            return _answer("solid-medium", f"{where} 6 to < 8 mm", "CT 3 mo", nodule)
        where += " ≥ 8 mm"
    return _by_risk(nodule, where, brock, herder)


def _by_risk(nodule: NoduleFacts, where: str, brock: float | None, herder: float | None) -> Result:
    if brock is None:
        return BTS.insufficient(["brock_probability"], inputs=_inputs(nodule), subject=nodule.id)
    extra = {"Brock": brock, "Herder": herder}
    if brock < BROCK_LIMIT:
        text = f"{where}, Brock < 10 %"
        return _answer("solid-brock-low", text, "CT surveillance", nodule, extra=extra)
    if herder is None:
        text = f"{where}, Brock ≥ 10 %"
        return _answer("solid-brock-high", text, "PET-CT, then Herder", nodule, extra=extra)
    low, high = HERDER_LIMITS
    if herder < low:
        rule, text, do = "herder-low", "Herder < 10 %", "CT surveillance"
    elif herder <= high:
        rule, text = "herder-middle", "Herder 10 to 70 %"
        do = "image-guided biopsy; excision or surveillance by risk and preference"
    else:
        rule, text = "herder-high", "Herder > 70 %"
        do = "excision or non-surgical treatment"
    return _answer(rule, f"{where}, Brock ≥ 10 %, {text}", do, nodule, extra=extra)


def _subsolid(nodule: NoduleFacts, brock: float | None, persists: bool | None) -> Result:
    where = "Subsolid nodule ≥ 5 mm (80 mm³)"
    if persists is None:
        return _answer("subsolid-first", where, "CT 3 mo", nodule)
    extra: dict[str, object] = {"persists at 3 months": persists, "Brock": brock}
    if not persists:
        return _answer("subsolid-gone", f"{where}, resolved", "discharge", nodule, extra=extra)
    if brock is None:
        inputs = _inputs(nodule) | extra
        return BTS.insufficient(["brock_probability"], inputs=inputs, subject=nodule.id)
    if brock < BROCK_LIMIT:
        text = f"{where}, persisting, Brock < 10 %"
        caveats = (
            "Suspicious morphology makes it a case to discuss at any Brock.",
            "The years count from the first scan.",
            _SUBSOLID_GROWTH,
        )
        return _answer(
            "subsolid-low", text, "CT 1, 2 and 4 y", nodule, extra=extra, caveats=caveats
        )
    do, text = "discuss surveillance, biopsy or resection", f"{where}, persisting, Brock ≥ 10 %"
    return _answer("subsolid-high", text, do, nodule, extra=extra, caveats=(_SUBSOLID_GROWTH,))


def _answer(
    rule: str,
    text: str,
    answer: str,
    nodule: NoduleFacts,
    *,
    extra: Mapping[str, object] | None = None,
    caveats: tuple[str, ...] = (),
) -> Result:
    open_question = nodule.perhaps_benign and answer != "discharge"
    return BTS.applied(
        Rule(id=rule, text=f"{text}: {answer}.", where="initial management algorithms"),
        answer,
        management=f"{answer[0].upper()}{answer[1:]}.",
        due_months=_DUE_MONTHS.get(answer),
        inputs=_inputs(nodule) | dict(extra or {}),
        offers=(offer_if_benign("discharge", [nodule]),) if open_question else (),
        caveats=caveats,
        subject=nodule.id,
    )


def _inputs(nodule: NoduleFacts) -> dict[str, object]:
    facts: dict[str, object] = {
        "composition": nodule.composition,
        "benign feature": nodule.benign_feature,
    }
    if nodule.size is not None and nodule.size.whole_mm3 is not None:
        facts["volume (mm³)"] = nodule.size.whole_mm3
    elif nodule.size is not None:
        facts["longest axis (mm)"] = nodule.size.longest_mm
    return facts
