"""Which rules a report asks, with which facts, and what it says of their answers.

Expected answers are read off the published tables for a solid nodule of 12.6 x 11.9 mm.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from made_findings import remeasured, renamed

from nodule.advice.case import Case
from nodule.advice.context import Context, read_context
from nodule.advice.management import manage
from nodule.advice.statement import Advice
from nodule.errors import InputError
from nodule.findings import AssessedNodule, Finding, masks_of
from nodule.followup import Comparison
from nodule.masks import NoduleMask
from nodule.outputs import write_report_files
from nodule.report import Provenance, Report, build_report
from nodule.report.tables import management_csv
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask

Make = Callable[..., Report]
OF_VOLUME = ("volume_mm3", "effective_diameter_mm", "volume_ci95_mm3", "volume_error_share")
HEALTHY = {"known_cancer": False, "immunosuppressed": False}


@pytest.fixture(scope="module")
def make(
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
) -> Make:
    """Report on the solid nodule alone, or on the findings given, with what is stated."""

    def make(count: int = 1, **stated: Any) -> Report:
        return build_report(
            study=study,
            lungs=lungs,
            findings=findings[:count],
            patient=patient,
            provenance=provenance,
            context=Context(**stated),
        )

    return make


@pytest.fixture(scope="module")
def masks(findings: tuple[Finding, ...]) -> dict[str, NoduleMask]:
    """Return the mask of the solid nodule alone."""
    return masks_of(findings[:1])


def by_rules(advice: tuple[Advice, ...]) -> dict[str, Advice]:
    return {each.rule_set: each for each in advice}


def test_without_a_setting_there_is_no_advice_and_the_report_says_how_to_get_it(
    make: Make,
) -> None:
    management = make(age_years=61, known_cancer=False).management
    assert management.exam == ()
    assert all(each.advice == () for each in management.findings)
    assert management.why_none is not None
    assert "--context" in management.why_none
    assert "--person" in management.why_none


def test_a_baseline_screening_gets_its_category_rule_and_day(make: Make) -> None:
    """8 to < 15 mm, solid, baseline: 4A, CT after 3 months (ACR 2022); the exam: 2026-01-02."""
    (exam,) = make(setting="screening-baseline").management.exam
    assert (exam.rule_set, exam.version, exam.answer) == ("Lung-RADS", "v2022", "4A")
    assert exam.due == (date(2026, 4, 2), date(2026, 4, 2))
    assert exam.subject == "N1"
    assert "8 to < 15 mm" in exam.rule.text
    assert exam.inputs["mean diameter (mm)"] == 12.3
    assert "Christensen" in exam.citation


def test_4x_and_s_are_offered_never_set(make: Make) -> None:
    (exam,) = make(setting="screening-baseline").management.exam
    assert {offer.answer for offer in exam.offers} >= {"4X", "S"}
    assert exam.answer == "4A"


@pytest.mark.parametrize(
    ("said", "answer", "management"),
    [
        ("upgrade_to_4x = true", "4X", "tissue sampling"),
        ("significant_other_finding = true", "4AS", "3 months"),
        ("upgrade_to_4x = true\nsignificant_other_finding = true", "4XS", "tissue sampling"),
        ("incomplete = 'prior being located'", "0", "Obtain the prior scans"),
        ("upgrade_to_4x = false", "4A", "3 months"),
    ],
)
def test_the_reader_s_table_in_the_person_file_reaches_every_form_of_the_report(
    make: Make,
    study: Study,
    lungs: LungMask,
    tmp_path: Path,
    said: str,
    answer: str,
    management: str,
    masks: dict[str, NoduleMask],
) -> None:
    """ACR 2022: 4X is managed as 4B, S is appended, 0 asks for what is missing."""
    path = tmp_path / "person.toml"
    path.write_text(f"setting = 'screening-baseline'\n[reader]\n{said}\n", encoding="utf-8")
    report = make(**dict(read_context(path)))
    (exam,) = report.management.exam
    assert exam.answer == answer
    assert management in (exam.management or "")
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path, viewer=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"<b>category {answer}</b> by " in page
    assert ("The reader may assign <b>4X</b>" in page) == ("4X" not in answer)
    again = Report.model_validate_json((tmp_path / "report.json").read_bytes())
    assert (again.context, again.management.exam[0].answer) == (report.context, answer)
    with (tmp_path / "management.csv").open(encoding="utf-8") as lines:
        assert next(csv.DictReader(lines))["answer"] == answer


def test_the_page_says_what_the_reader_stated(make: Make) -> None:
    stated = {"upgrade_to_4x": True, "incomplete": "lungs not evaluable"}
    person = make(setting="screening-baseline", reader=stated).management.person
    facts = {fact.name: (fact.value, fact.source) for fact in person}
    assert facts["Lung-RADS, by the reader"] == ("4X, 0: lungs not evaluable", "stated")


def test_4x_of_an_exam_below_3_is_refused(make: Make) -> None:
    with pytest.raises(InputError, match="LUNG_RADS_4X_BELOW_3"):
        make(count=0, setting="screening-baseline", reader={"upgrade_to_4x": True})


def test_an_open_round_offers_the_baseline_category_without_the_reader_s_4x(make: Make) -> None:
    (exam,) = make(setting="screening", reader={"upgrade_to_4x": True}).management.exam
    assert (exam.answer, [offer.answer for offer in exam.offers]) == (None, ["4A"])
    assert (
        exam.caveats[-1]
        == "The reader states 4X, which can be added only once there is a category."
    )


def test_the_older_edition_can_be_asked(make: Make) -> None:
    (exam,) = make(setting="screening-baseline", lung_rads="v1.1").management.exam
    assert (exam.version, exam.answer) == ("v1.1", "4A")


def test_a_round_that_is_not_stated_is_missing_and_baseline_is_offered(make: Make) -> None:
    report = make(setting="screening")
    (exam,) = report.management.exam
    assert (exam.outcome, exam.answer) == ("insufficient", None)
    assert exam.missing == ("N1: earlier scan",)
    assert [(o.answer, "screening-baseline" in o.when) for o in exam.offers] == [("4A", True)]
    category = by_rules(report.management.of("N1"))["Lung-RADS"]
    assert [offer.answer for offer in category.offers] == ["4A"]


def test_screening_asks_nelson_and_brock_of_each_finding(make: Make) -> None:
    """905 mm³ is above 500: NODCAT 4."""
    said = by_rules(make(setting="screening-baseline").management.of("N1"))
    assert said.keys() == {"Lung-RADS", "NELSON", "Brock"}
    assert said["NELSON"].answer == "4"
    brock = said["Brock"]
    assert brock.outcome == "insufficient"
    assert set(brock.missing) == {
        "family history of lung cancer",
        "emphysema on CT",
        "lobe",
        "spiculation",
    }


def test_brock_is_computed_once_everything_is_stated(make: Make) -> None:
    """Model 2b by hand: age 61, female, 12.6 mm, solid, upper lobe, one nodule, spiculated."""
    stated = {
        "setting": "screening-baseline",
        "family_history": False,
        "emphysema": True,
        "prior_lung_cancer": False,
        "findings": {"N1": {"lobe": "LUL", "spiculation": True}},
    }
    brock = by_rules(make(**stated).management.of("N1"))["Brock"]
    log_odds = (
        -6.78917
        + 0.0286687 * (61 - 62)
        + 0.6010727
        + 0.2953112
        - 5.385484 * ((12.6 / 10) ** -0.5 - 1.58113883)
        + 0.6581383
        - 0.0824156 * (1 - 4)
        + 0.7729335
    )
    probability = 1 / (1 + 2.718281828459045**-log_odds)
    assert brock.figures[0].value == pytest.approx(probability, abs=1e-4)
    assert brock.answer == f"{100 * probability:.1f} %"


def test_an_incidental_nodule_goes_by_fleischner(make: Make) -> None:
    """Solid, single, > 8 mm: CT at 3 months, PET/CT or tissue, at any risk."""
    exam = by_rules(make(setting="incidental", risk="high", **HEALTHY).management.exam)
    assert exam["Fleischner"].answer == "CT 3 mo, PET/CT or tissue"
    assert exam["Fleischner"].due == (date(2026, 4, 2), date(2026, 4, 2))
    # ≥ 300 mm³ asks for Brock, which asks for more
    assert exam["BTS"].missing == ("Brock’s probability",)


def test_a_risk_that_nobody_states_is_answered_both_ways(make: Make) -> None:
    fleischner = by_rules(make(setting="incidental", **HEALTHY).management.exam)["Fleischner"]
    assert fleischner.outcome == "insufficient"
    assert fleischner.missing == ("N1: risk of cancer as the clinician estimates it",)
    assert [o.answer for o in fleischner.offers] == ["CT 3 mo, PET/CT or tissue"] * 2


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"age_years": 30, **HEALTHY}, "Not under 35 years."),
        ({"known_cancer": True, "immunosuppressed": False}, "Not with a known cancer."),
        ({"known_cancer": False, "immunosuppressed": True}, "Not under immunosuppression."),
    ],
)
def test_fleischner_refuses_with_its_reason(
    make: Make, stated: dict[str, Any], reason: str
) -> None:
    fleischner = by_rules(make(setting="incidental", **stated).management.exam)["Fleischner"]
    assert (fleischner.outcome, fleischner.rule.text) == ("out of scope", reason)


def test_what_nobody_states_is_named_as_missing(make: Make) -> None:
    fleischner = by_rules(make(setting="incidental").management.exam)["Fleischner"]
    assert fleischner.missing == ("whether a cancer is known", "whether immunosuppressed")


@pytest.mark.parametrize("setting", ["screening", "incidental"])
def test_the_rule_that_asks_for_facts_names_them_as_the_list_does(make: Make, setting: str) -> None:
    management = make(setting=setting).management
    asking = [a for a in (*management.exam, *management.of("N1")) if a.outcome == "insufficient"]
    assert len(asking) >= 2
    for advice in asking:
        assert advice.rule.text == f"Not computed: missing {', '.join(advice.missing)}."


def test_lung_rads_refuses_a_known_cancer(make: Make) -> None:
    management = make(setting="screening-baseline", known_cancer=True).management
    assert management.exam[0].outcome == "out of scope"
    assert "Lung-RADS" not in by_rules(management.of("N1"))


def test_the_follow_up_of_a_cancer_hears_refusals_and_asks_recist(make: Make) -> None:
    """12.6 mm on slices of 2 mm is above the 10 mm of a target lesion."""
    management = make(setting="known-cancer").management
    assert {each.outcome for each in management.exam} == {"out of scope"}
    assert by_rules(management.of("N1"))["RECIST"].answer == "target"


def test_findings_without_size_or_composition_are_named(make: Make) -> None:
    everything = make(count=3, setting="screening-baseline").management.exam[0]
    assert everything.missing == ("N2: composition", "N3: composition", "N3: size")
    assert "category 4A or higher" in everything.caveats[0]


def test_a_mass_of_any_composition_makes_the_rules_for_nodules_refuse(make: Make) -> None:
    exam = by_rules(make(count=2, setting="incidental", risk="low", **HEALTHY).management.exam)
    assert {each.outcome for each in exam.values()} == {"out of scope"}
    assert {each.subject for each in exam.values()} == {"N2"}


def test_no_finding_is_category_1_a_year_from_the_exam(make: Make) -> None:
    (exam,) = make(count=0, setting="screening-baseline").management.exam
    assert (exam.answer, exam.due) == ("1", (date(2027, 1, 2), date(2027, 1, 2)))


def test_a_statement_about_no_finding_is_refused(make: Make) -> None:
    with pytest.raises(InputError, match="UNKNOWN_FINDING") as error:
        make(setting="incidental", findings={"N7": {"lobe": "RUL"}})
    assert "N7" in str(error.value)


def test_the_advice_survives_json(make: Make) -> None:
    report = make(setting="incidental", risk="low", **HEALTHY)
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_the_table_has_a_row_for_each_answer(make: Make) -> None:
    rows = list(csv.DictReader(io.StringIO(management_csv(make(setting="screening-baseline")))))
    assert [(row["about"], row["rule_set"]) for row in rows] == [
        ("exam", "Lung-RADS"),
        ("N1", "Lung-RADS"),
        ("N1", "NELSON"),
        ("N1", "Brock"),
    ]
    assert (rows[0]["answer"], rows[0]["due_from"]) == ("4A", "2026-04-02")
    assert "family history of lung cancer" in rows[3]["missing"].split("; ")


def test_the_page_prints_rule_version_citation_inputs_and_what_is_missing(
    make: Make, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    report = make(setting="screening-baseline", indication="Screening <round 1>")
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path, viewer=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    (exam,) = report.management.exam
    for text in (
        "Lung-RADS v2022",
        "category 4A",
        "8 to &lt; 15 mm",
        exam.citation,
        "2026-04-02",
        "mean diameter (mm) 12.3",
        "Missing: lobe, family history of lung cancer, emphysema on CT, spiculation.",
        "The reader may assign <b>4X</b>",
        "the reader must confirm this advice",
        "Screening &lt;round 1&gt;",
    ):
        assert text in page, text


def test_the_page_names_the_nodule_behind_each_answer_of_the_exam(
    make: Make, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    """In the impression and on the card: what decided, and whose facts are missing."""
    link = '<a href="#N1">N1</a>'
    for setting, texts in {
        "screening-baseline": (f"<b>category 4A</b> by {link}. ",),
        "incidental": (
            f"BTS 2015: not computed because of {link}, missing Brock’s probability.",
            f"not computed <span>because of {link}</span>",
        ),
    }.items():
        report = make(setting=setting, risk="high", **HEALTHY)
        write_report_files(
            report, study=study, lungs=lungs, masks=masks, folder=tmp_path, viewer=False
        )
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        for text in texts:
            assert text in page, text


def test_the_page_says_why_there_is_no_advice(
    make: Make, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    write_report_files(make(), study=study, lungs=lungs, masks=masks, folder=tmp_path, viewer=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "No advice. The clinical setting is not stated" in page
    assert "not stated" in page


def test_the_course_of_a_finding_comes_from_the_comparison(
    make: Make, study: Study, lungs: LungMask, comparison: Comparison
) -> None:
    """From 10.9 x 10.2 to 12.6 x 11.9 mm: 10.6 to 12.3 mm within 12 months, + 1.7 mm, grows: 4B."""
    report = make(setting="screening-annual")
    case = case_of(report, report.findings, comparison)
    management = manage(case)
    (exam,) = management.exam
    assert (exam.answer, exam.missing) == ("4B", ("earlier category",))
    assert exam.inputs["earlier mean diameter (mm)"] == 10.6
    growth = [a for a in management.of("N1") if a.rule.id.startswith("growth")]
    # ln 2 x 300 / ln(904.8 / 600) = 506 days: 400 to 600
    assert [(a.rule_set, a.answer) for a in growth] == [("NELSON", "indeterminate")]


@pytest.mark.parametrize(("days", "expected"), [(167, "3"), (168, "2")])
def test_a_month_has_a_twelfth_of_a_year(
    make: Make, comparison: Comparison, days: int, expected: str
) -> None:
    """A step down from 3 is due after 5.5 months, read as 6: 5.5 / 12 x 365.25 = 167.4 days.

    A solid nodule of category 3 that has not grown is of category 2 from then on.
    """
    report = make(setting="screening-annual", findings={"N1": {"earlier_category": "3"}})
    axes = {"long_axis_mm": 7.0, "short_axis_mm": 7.0}
    still = followed(report, comparison, days=days, before_mm3=180, volume_mm3=180, **axes)
    (exam,) = manage(still).exam
    assert exam.answer == expected


def test_bts_judges_growth_of_an_incidental_nodule(make: Make, comparison: Comparison) -> None:
    report = make(setting="incidental", risk="low", **HEALTHY)
    case = case_of(report, report.findings, comparison)
    management = manage(case)
    growth = [a for a in management.of("N1") if a.rule.id.startswith("growth")]
    assert [(a.rule_set, a.answer) for a in growth] == [("BTS", "biopsy or surveillance")]
    assert "for the first time" in by_rules(management.exam)["Fleischner"].caveats[-1]


def case_of(
    report: Report, active: Sequence[AssessedNodule], comparison: Comparison | None
) -> Case:
    return Case(
        context=report.context,
        patient=report.study.patient,
        slice_mm=report.study.slice_mm,
        active=tuple(active),
        comparison=comparison,
    )


def followed(
    report: Report,
    comparison: Comparison,
    *,
    days: int,
    before_mm3: float | None,
    id_: str = "N1",
    **now: Any,
) -> Case:
    """Return a finding as it is now, and in the prior study with another volume."""
    (change,) = comparison.changes
    change = replace(
        change,
        current=renamed(remeasured(change.current, **now), id_),
        prior=remeasured(change.prior, **{**now, "volume_mm3": before_mm3}),
    )
    current = renamed(remeasured(report.findings[0], **now), id_)
    return case_of(report, [current], replace(comparison, days=days, changes=(change,)))


def answers_of(rule_set: str, advice: tuple[Advice, ...]) -> list[tuple[str | None, str]]:
    return [(a.answer, a.rule.id) for a in advice if a.rule_set == rule_set]


def test_bts_says_one_thing_of_a_solid_nodule_that_was_followed(
    make: Make, comparison: Comparison
) -> None:
    """127 mm³, stable for 800 days by volumetry: discharged after one year (BTS 2015)."""
    report = make(setting="incidental", risk="low", **HEALTHY)
    stable = followed(report, comparison, days=800, before_mm3=127, volume_mm3=127)
    management = manage(stable)
    assert answers_of("BTS", management.exam) == [("discharge", "growth-discharge")]
    assert by_rules(management.exam)["BTS"].due is None
    assert answers_of("BTS", management.of("N1")) == answers_of("BTS", management.exam)


@pytest.mark.parametrize(
    ("days", "known", "expected"),
    [
        (60, True, ("CT 3 mo", "subsolid-first")),
        (91, True, ("CT 1, 2 and 4 y", "subsolid-low")),
        (800, True, ("CT 1, 2 and 4 y", "subsolid-low")),
        (800, False, (None, "facts-needed")),
    ],
)
@pytest.mark.parametrize("stated", [True, False])
def test_to_bts_a_subsolid_nodule_persists_from_three_months_on(
    make: Make,
    comparison: Comparison,
    days: int,
    known: bool,
    expected: tuple[str | None, str],
    stated: bool,
) -> None:
    """At the repeat scan Brock decides; by hand it is 8.5 % for this nodule, below 10 %."""
    facts = {"N1": {"lobe": "RLL", "spiculation": False}}
    person: dict[str, Any] = {"family_history": False, "emphysema": False, "findings": facts}
    report = make(setting="incidental", risk="low", **HEALTHY, **(person if known else {}))
    volume: dict[str, Any] = {"volume_mm3": 905} if stated else dict.fromkeys(OF_VOLUME)
    case = followed(
        report,
        comparison,
        days=days,
        before_mm3=905 if stated else None,
        texture="ground-glass",
        **volume,
    )
    management = manage(case)
    assert answers_of("BTS", management.exam) == [expected]
    assert answers_of("BTS", management.of("N1")) == [expected]
    if expected[0] is None:
        assert by_rules(management.exam)["BTS"].missing == ("Brock’s probability",)


def test_the_exam_hears_of_a_smaller_nodule_that_grew(make: Make, comparison: Comparison) -> None:
    """100 to 200 mm³ in 90 days doubles in 90 days: up to 400 asks for work-up (BTS 2015)."""
    report = make(setting="incidental", risk="low", **HEALTHY)
    still = followed(report, comparison, days=90, before_mm3=905, volume_mm3=905)
    grown = followed(
        report, comparison, days=90, before_mm3=100, id_="N4", volume_mm3=200, long_axis_mm=7.4
    )
    assert still.comparison is not None
    assert grown.comparison is not None
    changes = (*still.comparison.changes, *grown.comparison.changes)
    both = (*still.active, *grown.active)
    case = case_of(report, both, replace(still.comparison, changes=changes))
    said = [(a.subject, a.answer) for a in manage(case).exam if a.rule_set == "BTS"]
    assert said == [("N1", "surveillance"), ("N4", "work-up")]


def test_nelson_says_one_thing_of_a_nodule_and_categories_at_baseline_only(
    make: Make, comparison: Comparison
) -> None:
    """905 mm³ is NODCAT 4 at baseline; unchanged a year later it is negative by growth."""
    report = make(setting="screening-annual")
    assert answers_of("NELSON", report.management.of("N1")) == [(None, "scope-round")]
    stable = manage(followed(report, comparison, days=365, before_mm3=905, volume_mm3=905))
    assert answers_of("NELSON", stable.of("N1")) == [("negative", "growth-negative")]
    part_solid = followed(
        report, comparison, days=365, before_mm3=905, volume_mm3=905, texture="part-solid"
    )
    assert answers_of("NELSON", manage(part_solid).of("N1")) == [(None, "scope-volume")]
    open_round = by_rules(make(setting="screening").management.of("N1"))["NELSON"]
    assert open_round.missing == ("earlier scan",)
    assert [offer.answer for offer in open_round.offers] == ["4"]


def test_nothing_for_screening_speaks_of_a_child(make: Make) -> None:
    management = make(setting="screening-baseline", age_years=12).management
    (exam,) = management.exam
    assert (exam.outcome, exam.rule.text) == ("out of scope", "Not under 18 years.")
    assert exam.inputs == {"clinical setting": "screening", "age": 12}
    said = management.of("N1")
    assert {(a.rule_set, a.outcome) for a in said} == {
        ("NELSON", "out of scope"),
        ("Brock", "out of scope"),
    }


def test_each_answer_names_what_it_was_told_of_the_person(make: Make) -> None:
    exam = by_rules(make(setting="incidental", risk="high", **HEALTHY).management.exam)
    assert exam["BTS"].inputs["age"] == 61
    assert (
        exam["Fleischner"].inputs.items()
        >= {
            "clinical setting": "incidental",
            "age": 61,
            "known cancer": False,
            "immunosuppressed": False,
        }.items()
    )
    (screened,) = make(setting="screening-baseline").management.exam
    assert screened.inputs["age"] == 61
    refused = by_rules(make(setting="incidental", age_years=30, **HEALTHY).management.exam)
    assert refused["Fleischner"].inputs["age"] == 30


@pytest.mark.parametrize(
    ("change", "course"),
    [
        ({}, "new"),
        ({"covered": False}, "earlier scan"),
        ({"ambiguous": True}, "earlier scan"),
    ],
)
def test_new_is_only_what_the_prior_study_would_show(
    make: Make, comparison: Comparison, change: dict[str, bool], course: str
) -> None:
    """New and ≥ 8 mm is 4B; a nodule whose place was not covered lacks its earlier scan."""
    report = make(setting="screening-annual")
    (new,) = comparison.new
    new = replace(new, finding=renamed(new.finding, "N1"), **change)
    case = case_of(report, report.findings, replace(comparison, changes=(), new=(new,)))
    (exam,) = manage(case).exam
    if course == "new":
        assert (exam.answer, exam.inputs["course"]) == ("4B", "new")
    else:
        assert exam.missing == ("N1: earlier scan",)
