"""NELSON trial: category of a screened nodule at baseline, and of its growth.

Decisions
---------
* **Scope**: screening, at the trial's ages of 50 to 75 years, without a known cancer. NODCAT 1 to 4
  are for the baseline scan; later scans are judged by growth.
* **Volumes** are read to whole mm³; 50 and 500 mm³ are indeterminate. One review prints "500 to
  500" for 50 to 500, and one abstract "> 400" days for below 400: both are misprints.
* **Pleural-based solid nodules** go by the shortest axis, since their volume cannot be cut off the
  wall: below 5 mm, 5 to 10 mm, above 10 mm.
* **Part-solid nodules** go by the volume of the solid component; below 50 mm³ the mean diameter of
  the whole decides at 8 mm in place of the non-solid component's, which surrounds it.
* **Growth** is read from the volume of solid nodules off the pleura only: the categories of all
  others do not go by their whole volume.
* **Doubling time** of exactly 400 or 600 days is indeterminate. Here BTS 2015 differs: it counts
  400 days among the fast.
"""

from __future__ import annotations

from nodule.guidelines._calcium import offer_if_benign
from nodule.guidelines.facts import NoduleFacts, Person, Steps, unstated
from nodule.guidelines.growth import (
    FAST_DAYS,
    SLOW_DAYS,
    Volumetry,
    doubling_time_days,
    judge_growth,
    significant_change,
)
from nodule.guidelines.result import Result, Rule, RuleSet

NELSON = RuleSet(
    name="NELSON",
    version="baseline protocol",
    citation="van Klaveren et al., N Engl J Med 2009;361:2221-2229; Horeweg et al., "
    "Eur Respir J 2013;42:1659-1667",
)
_AGES_YEARS = (50, 75)  # registration of the trial, ISRCTN63545820
_READ = ("route", "age_years", "known_cancer")  # of the person
_SOLID = Steps(below_mm=(), below_mm3=(50, 501))
_MANAGEMENT = {
    "1": "Next screening round.",
    "2": "Next screening round.",
    "3": "Repeat CT at 3 months to measure growth.",
    "4": "Referral for work-up.",
}
_WORDS = {"1": "benign", "2": "small", "3": "indeterminate", "4": "positive"}


def categorize(
    nodule: NoduleFacts, *, person: Person, baseline: bool | None, pleural_based: bool = False
) -> Result:
    """NODCAT 1 to 4 of a nodule at a baseline screening CT.

    Parameters
    ----------
    nodule : solid ones need a volume, or axes where pleural-based; part-solid ones their solid
        component's volume; ground-glass ones axes.
    person : route and age must be known.
    baseline : whether this is the first round of screening; None is unknown.
    pleural_based : a solid nodule that sits broadly on the pleura.
    """
    refused = _refuse(nodule, person)
    if refused is not None:
        return refused
    if baseline is None:
        result = NELSON.insufficient(["earlier scan"], subject=nodule.id)
    elif not baseline:
        result = _out_of_scope("round", "NODCAT 1 to 4 are for the baseline scan.", nodule)
    else:
        result = _by_look(nodule, pleural_based=pleural_based)
    return result.also_from(person.facts(*_READ))


def judge_nelson_growth(
    nodule: NoduleFacts,
    *,
    person: Person,
    before: Volumetry,
    after: Volumetry,
    days: float,
    pleural_based: bool = False,
) -> Result:
    """Positive, indeterminate or negative at the repeat scan.

    Parameters
    ----------
    nodule : as on the later scan; solid, off the pleura and not benign, else out of scope.
    person : route and age must be known.
    before, after : volumes on both scans.
    days : from the earlier to the later scan.
    pleural_based : a solid nodule that sits broadly on the pleura.

    Raises
    ------
    InputError : ``BAD_INTERVAL``.
    """
    refused = _refuse(nodule, person)
    if refused is not None:
        return refused
    result = _refuse_volumes(nodule, pleural_based=pleural_based)
    if result is None:
        result = _by_growth(nodule, before, after, days)
    return result.also_from(person.facts(*_READ))


def _by_growth(nodule: NoduleFacts, before: Volumetry, after: Volumetry, days: float) -> Result:
    growth = judge_growth(before=before, after=after, days=days)
    vdt_days = doubling_time_days(before.volume_mm3, after.volume_mm3, days)
    grew = significant_change(before.volume_mm3, after.volume_mm3) == "growing"
    if not grew or vdt_days is None:
        answer, text = "negative", "No growth of 25 % or more"
    elif vdt_days < FAST_DAYS:
        answer, text = "positive", "Growth, doubling in less than 400 days"
    elif vdt_days <= SLOW_DAYS:
        answer, text = "indeterminate", "Growth, doubling in 400 to 600 days"
    else:
        answer, text = "negative", "Growth, doubling in more than 600 days"
    return NELSON.applied(
        Rule(id=f"growth-{answer}", text=f"{text}: {answer}.", where="growth at repeat CT"),
        answer,
        figures=growth.figures,
        inputs={"composition": nodule.composition} | dict(growth.inputs),
        missing=growth.missing,
        caveats=growth.caveats,
        subject=nodule.id,
    )


def _refuse(nodule: NoduleFacts, person: Person) -> Result | None:
    (low, high), age_years = _AGES_YEARS, person.age_years
    missing = unstated(person, ("route", "age_years"))
    if person.known_cancer:
        result = _out_of_scope("cancer", "Not with a known cancer.", nodule)
    elif person.route == "incidental":
        result = _out_of_scope("route", "Only for screening.", nodule)
    elif age_years is not None and not low <= age_years <= high:
        result = _out_of_scope("age", f"Only from {low} to {high} years.", nodule)
    elif missing:
        result = NELSON.insufficient(missing, subject=nodule.id)
    else:
        return None
    return result.also_from(person.facts(*_READ))


def _refuse_volumes(nodule: NoduleFacts, *, pleural_based: bool) -> Result | None:
    """Refuse nodules whose whole volume is not what the trial went by."""
    facts = {
        "composition": nodule.composition,
        "benign feature": nodule.benign_feature,
        "pleural-based": pleural_based,
    }
    if nodule.benign_feature is not None:
        text = "Not for a nodule that is benign by its appearance or by proof."
        return _out_of_scope("benign", text, nodule).also_from(facts)
    if nodule.composition is None:
        return NELSON.insufficient(["composition"], inputs=facts, subject=nodule.id)
    if nodule.composition != "solid" or pleural_based:
        text = "Growth in volume is determined only for solid nodules away from the pleura."
        return _out_of_scope("volume", text, nodule).also_from(facts)
    return None


def _out_of_scope(what: str, text: str, nodule: NoduleFacts) -> Result:
    rule = Rule(id=f"scope-{what}", text=text, where="protocol")
    return NELSON.out_of_scope(rule, subject=nodule.id)


def _by_look(nodule: NoduleFacts, *, pleural_based: bool) -> Result:
    if nodule.benign_feature is not None:
        return _category(nodule, "1", f"Benign by appearance or proof ({nodule.benign_feature})")
    if nodule.composition is None:
        return NELSON.insufficient(["composition"], subject=nodule.id)
    if nodule.composition == "ground-glass":
        return _by_mean(nodule, "Non-solid nodule")
    if nodule.composition == "part-solid":
        return _part_solid(nodule)
    return _pleural(nodule) if pleural_based else _solid(nodule)


def _solid(nodule: NoduleFacts) -> Result:
    if nodule.size is None or nodule.size.whole_mm3 is None:
        return NELSON.insufficient(["volume"], subject=nodule.id)
    index = _SOLID.place(None, nodule.size.whole_mm3)
    words = ("< 50 mm³", "50 to 500 mm³", "> 500 mm³")[index]
    return _category(nodule, "234"[index], f"Solid nodule {words}")


def _pleural(nodule: NoduleFacts) -> Result:
    if nodule.size is None or nodule.size.shortest_mm is None:
        return NELSON.insufficient(["shortest axis"], subject=nodule.id)
    shortest_mm = nodule.size.shortest_mm
    title = "Pleural-based solid nodule, shortest axis"
    if shortest_mm > 10:
        return _category(nodule, "4", f"{title} > 10 mm")
    if shortest_mm >= 5:
        return _category(nodule, "3", f"{title} 5 to 10 mm")
    return _category(nodule, "2", f"{title} < 5 mm")


def _part_solid(nodule: NoduleFacts) -> Result:
    if nodule.solid_component is None or nodule.solid_component.whole_mm3 is None:
        return NELSON.insufficient(["volume of the solid component"], subject=nodule.id)
    index = _SOLID.place(None, nodule.solid_component.whole_mm3)
    if index == 0:
        return _by_mean(nodule, "Part-solid nodule, solid component < 50 mm³,")
    words = ("", "50 to 500 mm³", "> 500 mm³")[index]
    return _category(nodule, "234"[index], f"Solid component {words}")


def _by_mean(nodule: NoduleFacts, title: str) -> Result:
    if nodule.size is None or nodule.size.mean_mm is None:
        return NELSON.insufficient(["mean diameter"], subject=nodule.id)
    if nodule.size.mean_mm >= 8:
        return _category(nodule, "3", f"{title} mean diameter ≥ 8 mm")
    return _category(nodule, "2", f"{title} mean diameter < 8 mm")


def _category(nodule: NoduleFacts, category: str, text: str) -> Result:
    size, component = nodule.size, nodule.solid_component
    return NELSON.applied(
        Rule(
            id=f"nodcat-{category}",
            text=f"{text}: NODCAT {category}, {_WORDS[category]}.",
            where="categories of nodules",
        ),
        category,
        management=_MANAGEMENT[category],
        due_months=(3, 3) if category == "3" else None,
        inputs={
            "composition": nodule.composition,
            "benign feature": nodule.benign_feature,
            "volume (mm³)": size.whole_mm3 if size else None,
            "mean diameter (mm)": size.mean_mm if size else None,
            "shortest axis (mm)": size.shortest_mm if size else None,
            "solid component (mm³)": component.whole_mm3 if component else None,
        },
        offers=(offer_if_benign("1", [nodule]),)
        if nodule.perhaps_benign and category != "1"
        else (),
        subject=nodule.id,
    )
