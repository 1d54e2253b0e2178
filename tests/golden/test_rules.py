import other_cases
import pins
import screening_cases


def test_rules_for_screening_answer_as_before() -> None:
    pins.hold("rules-screening", screening_cases.cases())


def test_rules_for_incidental_nodules_and_growth_answer_as_before() -> None:
    pins.hold("rules-other", other_cases.cases())
