"""What published rules make of a report's findings: advice for a reader to confirm.

Which rules are asked is decided in :mod:`nodule.advice._rules`, with which facts in
:mod:`nodule.advice.case`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nodule.advice import _rules as rules
from nodule.advice._diffuse_disease import withhold
from nodule.advice._person import PersonFact
from nodule.advice.case import Case
from nodule.advice.statement import Advice, advise
from nodule.findings import AssessedNodule
from nodule.guidelines.result import Result
from nodule.study import dicom_day

NO_SETTING = (
    "The clinical setting is not stated, and every rule set depends on it. Give "
    "--context screening-baseline, screening-annual, screening-interval, incidental or "
    "known-cancer, and what is known about the person with --person FILE."
)
_Asked = Callable[[Case, AssessedNodule], tuple[Result, ...]]


@dataclass(frozen=True, kw_only=True)
class FindingAdvice:
    """What the rules say of one finding."""

    id: str
    advice: tuple[Advice, ...]


@dataclass(frozen=True, kw_only=True)
class Management:
    """Advice from published rules; nothing in it is decided.

    ``why_none`` says why there is no advice. ``person`` lists every fact that the rules may ask
    for; ``exam`` speaks of the whole study, ``findings`` of each.
    """

    why_none: str | None
    person: tuple[PersonFact, ...]
    exam: tuple[Advice, ...]
    findings: tuple[FindingAdvice, ...]
    notes: tuple[str, ...]

    def of(self, finding_id: str) -> tuple[Advice, ...]:
        """Return what is said of a finding, nothing for one of which nothing is."""
        return next((each.advice for each in self.findings if each.id == finding_id), ())


def manage(case: Case) -> Management:
    """Ask the rule sets that the setting calls for."""
    exam, ask = _asked(case.outside)
    exam = tuple(withhold(result, case) for result in exam)
    exam_date = dicom_day(case.patient.study_date)
    return Management(
        why_none=NO_SETTING if case.context.setting is None else None,
        person=case.known.facts,
        exam=tuple(advise(result, exam_date=exam_date) for result in exam),
        findings=tuple(
            FindingAdvice(
                id=finding.nodule.id,
                advice=tuple(
                    advise(result, exam_date=exam_date) for result in ask(case.outside, finding)
                ),
            )
            for finding in case.outside.active
        ),
        notes=case.known.notes,
    )


def _asked(case: Case) -> tuple[tuple[Result, ...], _Asked]:
    setting = case.context.setting
    if setting is None:
        return (), lambda case, finding: ()
    if setting == "incidental":
        return rules.incidental_exam(case), rules.incidental_finding
    if setting == "known-cancer":
        return rules.cancer_exam(case), rules.cancer_finding
    return rules.screening_exam(case), rules.screening_finding
