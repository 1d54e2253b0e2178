"""A result cannot contradict itself; the package stays free of heavy imports."""

import subprocess
import sys

import pytest

from nodule.errors import InputError
from nodule.guidelines.facts import Composition, NoduleFacts, Size
from nodule.guidelines.lung_rads import ScreenedNodule, classify_lesion
from nodule.guidelines.result import Figure, Result, Rule, RuleSet

RULES = RuleSet(name="Rules", version="1", citation="A paper")
RULE = Rule(id="one", text="One rule.", where="page 1")


def test_an_answer_carries_its_rule_set_rule_and_inputs() -> None:
    result = RULES.applied(RULE, "yes", inputs={"size (mm)": Size(axes_mm=(6, 5)).mean_mm})
    assert (result.rule_set, result.version, result.citation) == ("Rules", "1", "A paper")
    assert result.inputs == {"size (mm)": 5.5}


@pytest.mark.parametrize(
    ("mm", "composition", "due"),
    [
        (5.0, "solid", (12, 12)),
        (7.0, "solid", (6, 6)),
        (9.0, "solid", (3, 3)),
        (20.0, "solid", None),
    ],
)
def test_lung_rads_says_when_the_next_scan_is_due(
    mm: float, composition: Composition, due: tuple[int, int] | None
) -> None:
    """ACR Lung-RADS v2022: 12, 6 and 3 months for 2, 3 and 4A; 4B names no scan."""
    nodule = NoduleFacts(composition=composition, size=Size(axes_mm=(mm, mm)))
    result = classify_lesion(ScreenedNodule(nodule=nodule, temporal_status="baseline"))
    assert result.due_months == due


def test_what_is_unknown_is_no_input() -> None:
    assert RULES.applied(RULE, "yes", inputs={"age": None}).inputs == {}


def test_missing_facts_are_named_once_and_in_words() -> None:
    result = RULES.insufficient(["age", "sex", "age"])
    assert result.missing == ("age", "sex")
    assert result.rule.text == "Not computed: missing age, sex."
    coded = RULES.insufficient(["N2: age_years", "female", "upper_lobe"])
    assert coded.rule.text == "Not computed: missing N2: age, sex, lobe."


@pytest.mark.parametrize(
    ("outcome", "answer", "missing"),
    [
        ("applied", None, ()),
        ("out of scope", "2", ()),
        ("insufficient", "2", ("age",)),
        ("insufficient", None, ()),
    ],
)
def test_refuses_a_contradiction(outcome: str, answer: str | None, missing: tuple[str]) -> None:
    with pytest.raises(InputError, match="BAD_RESULT"):
        Result(
            rule_set="Rules",
            version="1",
            citation="A paper",
            outcome=outcome,  # type: ignore[arg-type]
            rule=RULE,
            answer=answer,
            missing=missing,
        )


def test_figures_are_found_by_name() -> None:
    result = RULES.applied(RULE, "yes", figures=(Figure(name="p", unit="", value=0.5),))
    assert result.figure("p").value == 0.5
    with pytest.raises(InputError, match="NO_FIGURE"):
        result.figure("q")


def test_importing_every_rule_set_loads_neither_numpy_nor_torch() -> None:
    modules = "lung_rads, fleischner, bts, nelson, risk, growth, recist"
    code = (
        f"import sys; from nodule.guidelines import {modules}; "
        "assert not {'numpy', 'torch'} & set(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
