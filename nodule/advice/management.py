"""What published rules make of a report's findings: advice for a reader to confirm.

Which rules are asked is decided in :mod:`nodule.advice.rules`, with which facts in
:mod:`nodule.advice.case`.
"""

from __future__ import annotations

from collections.abc import Callable

from nodule.advice import rules
from nodule.advice.case import Case, Standing
from nodule.advice.person import FactPart, dicom_day
from nodule.advice.statement import AdvicePart, advice_part
from nodule.guidelines.result import Result
from nodule.report.parts import Part

NO_SETTING = (
    "Nobody stated how these nodules came to light, and every rule set begins with that. Give "
    "--context screening-baseline, screening-annual, screening-interval, incidental or "
    "known-cancer, and what is known of the person by --person FILE."
)
_Asked = Callable[[Case, Standing], tuple[Result, ...]]


class FindingAdvice(Part):
    """What the rules say of one finding."""

    id: str
    advice: tuple[AdvicePart, ...]


class ManagementPart(Part):
    """Advice from published rules; nothing in it is decided.

    ``why_none`` says why there is no advice. ``person`` lists every fact that the rules may ask
    for; ``exam`` speaks of the whole study, ``findings`` of each.
    """

    why_none: str | None
    person: tuple[FactPart, ...]
    exam: tuple[AdvicePart, ...]
    findings: tuple[FindingAdvice, ...]
    notes: tuple[str, ...]

    def of(self, finding_id: str) -> tuple[AdvicePart, ...]:
        """Return what is said of a finding, nothing for one of which nothing is."""
        return next((each.advice for each in self.findings if each.id == finding_id), ())


def manage(case: Case) -> ManagementPart:
    """Ask the rule sets that the setting calls for."""
    exam, ask = _asked(case)
    exam_date = dicom_day(case.study.patient.study_date)
    return ManagementPart(
        why_none=NO_SETTING if case.context.setting is None else None,
        person=case.known.facts,
        exam=tuple(advice_part(result, exam_date=exam_date) for result in exam),
        findings=tuple(
            FindingAdvice(
                id=finding.id,
                advice=tuple(
                    advice_part(result, exam_date=exam_date) for result in ask(case, finding)
                ),
            )
            for finding in case.standing
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
