import answers
import pins
import planted


def test_planted_nodules_are_measured_as_before() -> None:
    pins.hold("measure", planted.all_scenes(), versions=answers.VERSIONS)
