"""What rules for nodules may say where much of a lung is diseased: nothing until a reader judged.

Decisions
---------
* Pneumonia, a collapsed lung or fibrosis looks like many nodules, and no rule for nodules was made
  for it. So the exam has no answer, findings in diseased lung are put to no rule, and what would
  hold of the findings outside it is offered.
* Lung-RADS 0 is suggested: its table names findings that suggest infection or inflammation.
* A reader who has judged the pattern says so (``diffuse_disease_judged``), or states category 0.
* The follow-up of a known cancer asks whether a lesion may be measured, which a diffuse pattern
  does not decide.
"""

from __future__ import annotations

from dataclasses import replace

from nodule.advice.case import Case
from nodule.guidelines.result import Offer, Result, Rule

JUDGEMENT = "the reader’s judgement of the diffuse pattern"


def withhold(result: Result, case: Case) -> Result:
    """Return what an exam's rules say, or that they wait for a reader."""
    disease = case.withheld
    if disease is None or case.context.setting == "known-cancer":
        return result
    if result.outcome == "out of scope":
        return result
    inside = ", ".join(each for each in disease.inside if each in _ids(case))
    where = f" {inside} in it are put to no rule." if inside else ""
    return replace(
        result,
        outcome="insufficient",
        rule=Rule(
            id="diffuse-disease",
            text=f"The pattern is diffuse: {disease.in_words}. Rules for nodules do not apply "
            f"until a reader has judged it.{where}",
            where="scope of the rule set",
        ),
        answer=None,
        management=None,
        due_months=None,
        missing=(JUDGEMENT, *result.missing),
        offers=tuple(_offers(result)),
        subject=None,
    )


def _ids(case: Case) -> set[str]:
    return {each.nodule.id for each in case.active}


def _offers(result: Result) -> list[Offer]:
    offers = []
    if result.rule_set == "Lung-RADS":
        when = "findings suggest infection or inflammation, such as consolidation"
        offers.append(Offer(answer="0", when=when, suggested=True))
    if result.answer is not None:
        when = "the reader has judged the pattern, by the findings outside it"
        offers.append(Offer(answer=result.answer, when=when))
    return offers
