"""R10 on the real flow: every field of every stage reaches the keys that it should, no other."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import pytest

from nodule.chain import Chain
from nodule.code_constants import constants_of
from nodule.malignancy import Calibration
from nodule.weights import Weights
from pipelines.flow_codecs import CODECS
from pipelines.flows import detect_flow, detect_stage_types
from pipelines.graph import Flow

DOWNSTREAM = {
    "read_ct": {"read_ct", "resample", "lungs", "candidates", "malignancy", "measure", "disease"},
    "resample": {"resample", "lungs", "candidates", "malignancy", "measure", "disease"},
    "lungs": {"lungs", "candidates", "measure", "disease"} | {"malignancy"},
    "candidates": {"candidates", "malignancy", "measure", "disease"},
    "malignancy": {"malignancy", "measure", "disease"},
    "measure": {"measure", "disease"},
    "disease": {"disease"},
}


CALIBRATION = Calibration(
    members=("a" * 64, "b" * 64),
    temperature=1.0,
    slope=1.0,
    intercept=0.0,
    threshold=0.5,
    width_limit=1.0,
    n_nodules=1,
)


def weights(name: str, sha256: str = "a" * 64) -> Weights:
    return Weights(
        sha256=sha256, path=Path(name), stage=name, architecture={}, training_patients=()
    )


def chain() -> Chain:
    built: dict[str, Any] = {}
    for stage in detect_stage_types():
        given: dict[str, Any] = {}
        if stage.name == "malignancy":
            given = {"weights": (weights(stage.name),), "calibration": CALIBRATION}
        elif "weights" in {each.name for each in fields(stage)}:
            given = {"weights": weights(stage.name)}
        built[stage.name] = stage(**given)
    return Chain(**built)


def keys(chosen: Chain, source: str = "s") -> dict[str, str]:
    recipes = detect_flow(chosen).recipes({"series": source})
    return {name: recipe.key for name, recipe in recipes.items()}


def changed(value: Any, hint: Any = None) -> Any:
    match value:
        case Weights():
            return replace(value, sha256="b" * 64)
        case str():
            return next(choice for choice in get_args(hint) if choice != value)
        case int() | float():
            return value * 1.5 if isinstance(value, float) else value + 32
        case tuple():
            return (changed(value[0]),)
        case Calibration():
            return replace(value, temperature=2.0)
        case _ if is_dataclass(value):
            first = fields(value)[0].name
            return replace(value, **{first: changed(getattr(value, first)) - 1e3})  # type: ignore[type-var]
    raise AssertionError(value)


def every_field() -> Iterator[tuple[str, str, bool]]:
    for stage in detect_stage_types():
        for each in fields(stage):
            yield stage.name, each.name, bool(each.metadata.get("speed_only", False))


def different(one: dict[str, str], other: dict[str, str]) -> set[str]:
    return {name for name in one if one[name] != other[name]}


@pytest.mark.parametrize(("stage", "field", "speed_only"), list(every_field()))
def test_a_changed_field_reaches_what_depends_on_it(
    stage: str, field: str, speed_only: bool
) -> None:
    before = chain()
    old = getattr(before, stage)
    hint = get_type_hints(type(old))[field]
    new = replace(old, **{field: changed(getattr(old, field), hint)})
    expected = set() if speed_only else DOWNSTREAM[stage]
    assert different(keys(before), keys(replace(before, **{stage: new}))) == expected


@pytest.mark.parametrize("stage", DOWNSTREAM)
def test_a_new_version_reaches_what_depends_on_it(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(chain())
    (stage_type,) = (each for each in detect_stage_types() if each.name == stage)
    monkeypatch.setattr(stage_type, "version", stage_type.version + 1)
    assert different(before, keys(chain())) == DOWNSTREAM[stage]


@pytest.mark.parametrize("stage", DOWNSTREAM)
def test_a_new_constant_in_its_code_reaches_what_depends_on_it(stage: str) -> None:
    steps = detect_flow(chain()).steps
    before = {name: recipe.key for name, recipe in Flow(steps).recipes({"series": "s"}).items()}
    step = steps[stage]
    assert step.constants == constants_of(type(step.stage).__module__) != {}
    new = replace(step, constants={**step.constants, "nodule.LIMIT": "2"})
    after = {
        name: recipe.key
        for name, recipe in Flow({**steps, stage: new}).recipes({"series": "s"}).items()
    }
    assert different(before, after) == DOWNSTREAM[stage]


def test_other_input_reaches_everything() -> None:
    assert different(keys(chain(), "s"), keys(chain(), "t")) == set(DOWNSTREAM)


def test_weights_count_wherever_they_lie() -> None:
    before = chain()
    moved = replace(before.lungs, weights=weights("elsewhere"))
    assert keys(replace(before, lungs=moved)) == keys(before)


def test_the_device_changes_no_key() -> None:
    explained = chain().explaining()
    assert keys(explained.computed_by(device="cuda")) == keys(explained)


def test_declared_outputs_are_what_stages_return_and_can_be_stored() -> None:
    for step in detect_flow(chain().explaining()).steps.values():
        written = step.output.__name__ if isinstance(step.output, type) else repr(step.output)
        returned = type(step.stage).run.__annotations__["return"]
        assert returned == re.sub(r"\w+\.(?=\w)", "", written)
        assert step.output in CODECS


@pytest.mark.parametrize("answer", ["malignancy", "nodule"])
def test_explaining_adds_a_step_and_changes_no_other(
    answer: Literal["malignancy", "nodule"],
) -> None:
    before = chain()
    after = keys(before.explaining(answer))
    assert {name: after[name] for name in keys(before)} == keys(before)
    assert after.keys() - keys(before).keys() == {"explain"}


def test_a_heat_map_depends_on_the_answer_and_on_all_that_judges() -> None:
    before = chain()
    other_judge = replace(before.malignancy, detector_weight=0.25)
    variants = [
        before.explaining(),
        before.explaining("nodule"),
        replace(before, malignancy=other_judge).explaining(),
    ]
    assert len({keys(each)["explain"] for each in variants}) == 3
