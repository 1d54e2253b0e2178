"""Rules for nodules wait where a lung is diffusely diseased, until a reader has judged it."""

from collections.abc import Callable
from typing import Any

import pytest

from nodule.advice.context import Context
from nodule.findings import Finding
from nodule.lung_disease import DiseasedLung, LungDisease
from nodule.nodules import Lung
from nodule.report import Provenance, Report, build_report
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask

Make = Callable[..., Report]


def lung(side: Lung, dense_ml: float) -> DiseasedLung:
    return DiseasedLung(
        lung=side,
        aerated_ml=2000.0,
        ground_glass_ml=0.0,
        consolidation_ml=dense_ml,
        left_out_ml=0.0,
    )


def disease(inside: tuple[str, ...], dense_ml: float = 500.0) -> LungDisease:
    return LungDisease(right=lung("right", dense_ml), left=lung("left", 0.0), inside=inside)


@pytest.fixture(scope="module")
def make(
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
) -> Make:
    """Report on the solid nodule of 12.6 x 11.9 mm and the mass, in a lung as diseased as given."""

    def make(extent: LungDisease | None, count: int = 2, **stated: Any) -> Report:
        return build_report(
            study=study,
            lungs=lungs,
            findings=findings[:count],
            patient=patient,
            provenance=provenance,
            disease=extent,
            context=Context(**stated),
        )

    return make


def test_no_rule_for_nodules_answers_and_0_is_suggested(make: Make) -> None:
    report = make(disease(("N2",)), setting="screening-baseline")
    (exam,) = report.management.exam
    assert (exam.outcome, exam.answer, exam.management, exam.due) == (
        *("insufficient", None, None),
        None,
    )
    assert "the pattern is diffuse" in exam.rule.text.lower()
    assert "right lung 20 % (500 ml consolidation)" in exam.rule.text
    assert "N2 in it" in exam.rule.text
    # N1, the solid nodule of 12.3 mm outside, is 4A
    assert [(o.answer, o.suggested) for o in exam.offers] == [("0", True), ("4A", False)]


def test_findings_in_it_are_put_to_no_rule_and_decide_nothing(make: Make) -> None:
    report = make(disease(("N2",)), setting="screening-baseline")
    assert report.is_inside("N2")
    assert report.management.of("N2") == ()
    assert report.management.of("N1")
    assert report.dominant == "N1"
    alone = make(disease(("N1", "N2")), setting="screening-baseline")
    assert alone.dominant is None
    assert [o.answer for o in alone.management.exam[0].offers] == ["0", "1"]


def test_an_incidental_exam_waits_too(make: Make) -> None:
    stated = {"risk": "high", "known_cancer": False, "immunosuppressed": False}
    report = make(disease(("N2",)), setting="incidental", **stated)
    assert {each.rule_set for each in report.management.exam} == {"Fleischner", "BTS"}
    assert all(each.answer is None for each in report.management.exam)


@pytest.mark.parametrize(
    ("reader", "answer"),
    [({"diffuse_disease_judged": True}, "4A"), ({"incomplete": "suspected infection"}, "0")],
)
def test_a_reader_who_judged_the_pattern_gets_the_rules_answer(
    make: Make, reader: dict[str, Any], answer: str
) -> None:
    """By the solid nodule of 12.3 mm, though it lies in the diseased lung."""
    report = make(disease(("N1",)), count=1, setting="screening-baseline", reader=reader)
    assert report.management.exam[0].answer == answer
    assert report.management.of("N1")


def test_a_little_disease_changes_nothing(make: Make) -> None:
    little = make(disease(("N2",), dense_ml=50.0), setting="screening-baseline")
    none = make(None, setting="screening-baseline")
    assert little.management == none.management
    assert little.dominant == none.dominant


def test_the_follow_up_of_a_known_cancer_does_not_wait(make: Make) -> None:
    ill, well = (make(each, setting="known-cancer") for each in (disease(("N2",)), None))
    assert ill.management.exam == well.management.exam
