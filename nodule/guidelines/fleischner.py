"""Fleischner Society 2017: what to do about nodules found by chance.

Decisions
---------
* **Scope**: incidental, 35 years or older, no known cancer, not immunosuppressed. Each must be
  stated: unknown is not taken for no. Screening has Lung-RADS.
* **Size** is the mean of the two printed axes, rounded once to whole mm with ties upwards, so that
  5.5 mm is 6 mm; "> 8 mm" begins at 9. Without axes the volume decides: below 100, 100 to 250,
  above 250 mm³. These are the society's own, not the spheres of 6 and 8 mm. A subsolid nodule of
  exactly 100 mm³, which the table leaves out, counts as the larger class.
* **A mass**, more than 30 mm by the rounded mean or the sphere of that volume, is out of scope.
* **Lymph-node shape** at a fissure or another pleural surface, benign calcification, fat and proven
  benign nodules need no follow-up at any size and do not count towards "multiple".
* **Multiple** is counted apart among solid and among subsolid nodules, as the table's rows are.
  The nodule whose row asks for the earliest action decides; a caveat names the others.
* **Risk** concerns solid rows only: ``low`` is below 5 % (ACCP), ``high`` everything above.
* **A nodule that lacks facts** can only raise what the others call for: where that is a CT, it is
  answered, and what is missing named. Less, such as no follow-up at all, is only offered.
* A part-solid nodule from 6 mm needs its solid component's size: rows differ at 6 mm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from nodule.guidelines._calcium import offer_if_benign
from nodule.guidelines.facts import MASS_ABOVE_MM, NoduleFacts, Person, Size, Steps, unstated
from nodule.guidelines.result import Offer, Result, Rule, RuleSet

Risk = Literal["low", "high"]

FLEISCHNER = RuleSet(
    name="Fleischner", version="2017", citation="MacMahon et al., Radiology 2017;284:228-243"
)
MIN_AGE_YEARS = 35
_READ = ("route", "age_years", "known_cancer", "immunosuppressed")  # of the person
_SOLID = Steps(below_mm=(6, 9), below_mm3=(100, 251))
_SUBSOLID = Steps(below_mm=(6,), below_mm3=(100,))
_MASS = Steps(below_mm=(MASS_ABOVE_MM + 1,), below_mm3=(14138,))
_SOLID_WORDS = ("< 6 mm (< 100 mm³)", "6 to 8 mm (100 to 250 mm³)", "> 8 mm (> 250 mm³)")
_SUBSOLID_WORDS = ("< 6 mm (< 100 mm³)", "≥ 6 mm (≥ 100 mm³)")


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A cell of the table: what to do, and how soon compared with the others (0 is never)."""

    urgency: int
    answer: str
    management: str
    due_months: tuple[int, int] | None = None


_NONE = _Row(urgency=0, answer="none", management="No routine follow-up.")
_LEAST_CERTAIN = 2  # urgency from which a CT is due whatever else there is
_OPTIONAL = _Row(urgency=1, answer="optional CT 12 mo", management="Optional CT at 12 months.")
_NOW = _Row(
    urgency=5,
    answer="CT 3 mo, PET/CT or tissue",
    management="Consider CT at 3 months, PET/CT or tissue sampling.",
    due_months=(3, 3),
)


def _ct(urgency: int, when: tuple[int, int], then: str) -> _Row:
    months = f"{when[0]}-{when[1]}"
    return _Row(
        urgency=urgency,
        answer=f"CT {months} mo, then {then}",
        management=f"CT at {months} months, then {then}.",
        due_months=when,
    )


_SOLID_SINGLE: dict[Risk, tuple[_Row, _Row, _Row]] = {
    "low": (_NONE, _ct(2, (6, 12), "consider CT at 18-24 months"), _NOW),
    "high": (_OPTIONAL, _ct(3, (6, 12), "CT at 18-24 months"), _NOW),
}
_MULTIPLE_LOW = _ct(4, (3, 6), "consider CT at 18-24 months")
_MULTIPLE_HIGH = _ct(4, (3, 6), "CT at 18-24 months")
_SOLID_MULTIPLE: dict[Risk, tuple[_Row, _Row, _Row]] = {
    "low": (_NONE, _MULTIPLE_LOW, _MULTIPLE_LOW),
    "high": (_OPTIONAL, _MULTIPLE_HIGH, _MULTIPLE_HIGH),
}
_GROUND_GLASS_SMALL = _Row(
    urgency=0,
    answer="none",
    management="No routine follow-up; CT at 2 and 4 years for selected suspicious nodules.",
)
_GROUND_GLASS = (
    _GROUND_GLASS_SMALL,
    _ct(2, (6, 12), "every 2 years until 5 years where it persists"),
)
_PART_SOLID_QUIET = _ct(
    4, (3, 6), "yearly for 5 years where it is unchanged and its solid component stays < 6 mm"
)
_PART_SOLID_SUSPICIOUS = _ct(
    5,
    (3, 6),
    "PET/CT, biopsy or resection where it persists with a solid component ≥ 6 mm, above all with "
    "suspicious margins, a growing solid component or one > 8 mm",
)
_SUBSOLID_MULTIPLE = (
    _ct(4, (3, 6), "where stable, consider CT at 2 and 4 years"),
    _ct(4, (3, 6), "as the most suspicious nodule requires"),
)


def recommend(nodules: Sequence[NoduleFacts], *, person: Person, risk: Risk | None) -> Result:
    """Follow-up of the nodules of one incidental scan.

    Parameters
    ----------
    nodules : all of the scan, in any order.
    person : all four facts must be known.
    risk : of cancer as the clinician estimates it; read for solid nodules only.

    Returns
    -------
    Result : ``subject`` is the nodule whose row decided.
    """
    if (refused := _out_of_scope(person)) is not None:
        return refused
    facts = {"nodules": len(nodules)} | person.facts(*_READ)
    counted = [each for each in nodules if each.benign_feature is None]
    if not counted:
        return _nothing(nodules).also_from(facts)
    solid = sum(each.composition == "solid" for each in counted)
    subsolid = sum(each.composition in ("part-solid", "ground-glass") for each in counted)
    judged = [
        _judge(each, multiple=(solid if each.composition == "solid" else subsolid) > 1, risk=risk)
        for each in counted
    ]
    result = _most_urgent(judged, risk).also_from(facts)
    return replace(result, offers=(*_if_benign(nodules, result, person, risk), *result.offers))


def _if_benign(
    nodules: Sequence[NoduleFacts], result: Result, person: Person, risk: Risk | None
) -> Iterator[Offer]:
    """Offer what holds where all that is as dense as calcium is benign."""
    if result.answer is None or not any(each.perhaps_benign for each in nodules):
        return
    other = recommend([each.if_benign() for each in nodules], person=person, risk=risk).answer
    if other not in (None, result.answer):
        yield offer_if_benign(other or "", nodules)


def _out_of_scope(person: Person) -> Result | None:
    clauses = (
        (person.route == "screening", "route", "Not for screening, which has Lung-RADS."),
        (
            person.age_years is not None and person.age_years < MIN_AGE_YEARS,
            "age",
            f"Not under {MIN_AGE_YEARS} years.",
        ),
        (person.known_cancer is True, "cancer", "Not with a known cancer."),
        (person.immunosuppressed is True, "immunosuppression", "Not under immunosuppression."),
    )
    for applies, what, text in clauses:
        if applies:
            rule = Rule(id=f"scope-{what}", text=text, where="scope of the recommendations")
            return FLEISCHNER.out_of_scope(rule, inputs=person.facts(*_READ))
    missing = unstated(person, _READ)
    return FLEISCHNER.insufficient(missing, inputs=person.facts(*_READ)) if missing else None


def _nothing(nodules: Sequence[NoduleFacts]) -> Result:
    features = sorted({str(each.benign_feature) for each in nodules})
    text = f"Benign by appearance or proof ({', '.join(features)})" if features else "No nodule"
    rule = Rule(id="benign", text=f"{text}: none.", where="benign nodules")
    facts = {"benign features": ", ".join(features) or None}
    return FLEISCHNER.applied(rule, _NONE.answer, management=_NONE.management, inputs=facts)


@dataclass(frozen=True, kw_only=True)
class _Judged:
    nodule: NoduleFacts
    row: _Row | None = None
    rule: Rule | None = None
    missing: tuple[str, ...] = ()


def _judge(nodule: NoduleFacts, *, multiple: bool, risk: Risk | None) -> _Judged:
    if nodule.size is not None and _place(_MASS, nodule.size):
        text = f"More than {MASS_ABOVE_MM} mm is a mass, not a nodule."
        return _Judged(nodule=nodule, rule=Rule(id="scope-mass", text=text, where="definitions"))
    if nodule.size is None or nodule.composition is None:
        return _Judged(nodule=nodule, missing=unstated(nodule, ("composition", "size")))
    if nodule.composition == "solid":
        return _solid(nodule, nodule.size, multiple=multiple, risk=risk)
    return _subsolid(nodule, nodule.size, multiple=multiple)


def _solid(nodule: NoduleFacts, size: Size, *, multiple: bool, risk: Risk | None) -> _Judged:
    if risk is None:
        return _Judged(nodule=nodule, missing=("risk",))
    index = _place(_SOLID, size)
    rows = _SOLID_MULTIPLE if multiple else _SOLID_SINGLE
    number = "multiple" if multiple else "single"
    title = f"{number.capitalize()} solid, {_SOLID_WORDS[index]}, {risk} risk"
    return _fired(nodule, f"solid-{number}-{index}-{risk}", title, rows[risk][index])


def _subsolid(nodule: NoduleFacts, size: Size, *, multiple: bool) -> _Judged:
    index = _place(_SUBSOLID, size)
    words = _SUBSOLID_WORDS[index]
    kind = nodule.composition
    if multiple:
        title = f"Multiple subsolid, {words}"
        return _fired(nodule, f"subsolid-multiple-{index}", title, _SUBSOLID_MULTIPLE[index])
    if kind == "ground-glass" or index == 0:
        row = _GROUND_GLASS[index] if kind == "ground-glass" else _NONE
        return _fired(nodule, f"{kind}-single-{index}", f"Single {kind}, {words}", row)
    if nodule.solid_component is None:
        return _Judged(nodule=nodule, missing=("solid component",))
    large = _place(_SUBSOLID, nodule.solid_component)
    row = _PART_SOLID_SUSPICIOUS if large else _PART_SOLID_QUIET
    title = f"Single part-solid, {words}, solid component {_SUBSOLID_WORDS[large]}"
    return _fired(nodule, f"part-solid-single-1-{large}", title, row)


def _fired(nodule: NoduleFacts, rule: str, title: str, row: _Row) -> _Judged:
    text = f"{title}: {row.answer}."
    return _Judged(nodule=nodule, row=row, rule=Rule(id=rule, text=text, where="table 1"))


def _most_urgent(judged: Sequence[_Judged], risk: Risk | None) -> Result:
    for each in judged:
        if each.row is None and each.rule is not None:
            facts, id_ = _inputs(each.nodule, risk), each.nodule.id
            return FLEISCHNER.out_of_scope(each.rule, inputs=facts, subject=id_)
    lacking = [each for each in judged if each.row is None]
    rows = [(e.row, e.rule, e.nodule) for e in judged if e.row is not None and e.rule is not None]
    if not rows or any("risk" in each.missing for each in lacking):
        return _insufficient(lacking, risk)
    row, rule, nodule = max(rows, key=lambda each: (each[0].urgency, _diameter_mm(each[2])))
    if lacking and row.urgency < _LEAST_CERTAIN:
        when = f"{_named(lacking)} would not raise it, or no nodule is there"
        offer = Offer(answer=row.answer, when=when, suggested=True)
        return replace(_insufficient(lacking, risk), offers=(offer,))
    others = sorted({r.text for _, r, _ in rows} - {rule.text})
    caveats = [f"Another nodule: {text}" for text in others]
    if lacking and row.urgency < _NOW.urgency:
        caveats.append(f"{_named(lacking)} could not be judged, and may call for more.")
    if len(rows) > 1:
        caveats.append("The most suspicious nodule guides management, not only its size.")
    return FLEISCHNER.applied(
        rule,
        row.answer,
        management=row.management,
        due_months=row.due_months,
        inputs=_inputs(nodule, risk),
        missing=_missing(lacking) if row.urgency < _NOW.urgency else (),
        caveats=tuple(caveats),
        subject=nodule.id,
    )


def _insufficient(lacking: Sequence[_Judged], risk: Risk | None) -> Result:
    first = lacking[0].nodule
    return FLEISCHNER.insufficient(_missing(lacking), inputs=_inputs(first, risk), subject=first.id)


def _missing(lacking: Sequence[_Judged]) -> tuple[str, ...]:
    return tuple(f"{e.nodule.id}: {fact}".lstrip(": ") for e in lacking for fact in e.missing)


def _named(lacking: Sequence[_Judged]) -> str:
    return ", ".join(filter(None, (each.nodule.id for each in lacking))) or "a nodule"


def _diameter_mm(nodule: NoduleFacts) -> Decimal:
    return Decimal() if nodule.size is None else nodule.size.diameter_mm


def _inputs(nodule: NoduleFacts, risk: Risk | None) -> dict[str, object]:
    size, component = nodule.size, nodule.solid_component
    facts: dict[str, object] = {"composition": nodule.composition}
    if nodule.composition == "solid":
        facts["risk"] = risk
    if size is not None:
        axes = size.axes_mm is not None
        facts["mean diameter (whole mm)" if axes else "volume (mm³)"] = (
            size.whole_mean_mm if axes else size.whole_mm3
        )
    if component is not None:
        axes = component.axes_mm is not None
        facts["solid component (whole mm)" if axes else "solid component (mm³)"] = (
            component.whole_mean_mm if axes else component.whole_mm3
        )
    return facts


def _place(steps: Steps, size: Size) -> int:
    return steps.place(size.whole_mean_mm, size.whole_mm3)
