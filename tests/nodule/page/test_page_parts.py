"""What the page puts first, says once, and repeats on each printed page."""

from dataclasses import replace

from nodule.advice.case import Case
from nodule.advice.context import Context
from nodule.advice.management import manage
from nodule.masks import NoduleMask
from nodule.page.html import in_order_of_decision, missing_everywhere, render_html
from nodule.report import Report
from nodule.study import Study
from nodule.volume import LungMask


def managed(report: Report, context: Context) -> Report:
    case = Case(
        context=context,
        patient=report.study.patient,
        slice_mm=report.study.slice_mm,
        active=report.active,
        comparison=None,
    )
    return report.model_copy(update={"context": context, "management": manage(case)})


def test_what_decides_an_answer_comes_first(report: Report) -> None:
    assert in_order_of_decision(report) == report.findings
    advised = managed(report, Context(setting="screening-baseline", age_years=60))
    (exam,) = advised.management.exam
    assert exam.subject == "N2"
    assert [each.nodule.id for each in in_order_of_decision(advised)] == ["N2", "N1", "N3"]


def test_a_fact_that_every_finding_lacks_is_said_once(
    report: Report, study: Study, lungs: LungMask
) -> None:
    advised = managed(report, Context(setting="incidental"))
    common = missing_everywhere(advised.management)
    assert common
    for rules, facts in common.items():
        for finding in advised.management.findings:
            for advice in finding.advice:
                if advice.rule_set == rules and advice.missing:
                    assert set(facts) <= set(advice.missing)
    page = render_html(advised, study=study, lungs=lungs, viewer=False)
    for rules in common:
        assert page.count(f"Missing for all findings ({rules})") == 1


def test_each_printed_page_names_the_patient_and_its_number(
    report: Report, study: Study, lungs: LungMask
) -> None:
    """A name may hold anything: it must not leave the string in the style, or the element."""
    hostile = 'O"Neil</style><script>'
    patient = replace(report.study.patient, patient_name=hostile)
    named = report.model_copy(update={"study": replace(report.study, patient=patient)})
    page = render_html(named, study=study, lungs=lungs, viewer=False)
    margins = page.split("@bottom-left { content: ")[1].split(";")[0]
    assert margins.startswith('"O\\22 Neil\\3c \\2f style\\3e \\3c script\\3e ')
    assert page.count("</style>") == 1
    assert "counter(page)" in page


def test_a_dose_that_cannot_be_is_marked(report: Report, study: Study, lungs: LungMask) -> None:
    for mas, marked in ((1000.0, False), (1001.0, True), (4684.0, True)):
        series = replace(report.study.series, exposure_mas=mas)
        stated = report.model_copy(update={"study": replace(report.study, series=series)})
        page = render_html(stated, study=study, lungs=lungs, viewer=False)
        assert (f"{mas:g} mAs (implausible)" in page) is marked


def test_what_is_not_looked_for_stands_in_the_impression(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    page = render_html(report, study=study, lungs=lungs, masks=masks, viewer=False)
    impression = page.split('id="impression"')[1].split("</section>")[0]
    assert "Not looked for" in impression
    assert page.count('class="outline"') >= len(masks)
