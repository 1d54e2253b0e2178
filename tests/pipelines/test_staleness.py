from dataclasses import replace
from typing import Any

import pytest
from toy_flows import INTEGERS, Scale, Shift, number, toy_flow

from pipelines.cache import Cache
from pipelines.graph import Flow
from pipelines.runner import run_flow
from pipelines.staleness import Explanation, explain


def run(cache: Cache) -> None:
    run_flow(toy_flow(), number(20), wanted=["pair"], cache=cache, codecs=INTEGERS)


def explained(cache: Cache, flow: Flow, value: int = 20) -> dict[str, Explanation]:
    recipes = flow.recipes({"number": number(value)["number"].key})
    return {each.stage: each for each in explain(recipes, cache)}


def test_says_that_nothing_ever_ran(cache: Cache) -> None:
    verdicts = {each.verdict for each in explained(cache, toy_flow()).values()}
    assert verdicts == {"never ran"}


def test_says_that_all_is_cached(cache: Cache) -> None:
    run(cache)
    verdicts = {each.verdict for each in explained(cache, toy_flow()).values()}
    assert verdicts == {"cached"}


def test_names_the_field_and_the_steps_downstream(cache: Cache) -> None:
    run(cache)
    got = explained(cache, toy_flow(scale=Scale(factor=3)))
    assert got["read"].verdict == got["shift"].verdict == "cached"
    assert got["scale"].differences == ("factor 2 -> 3",)
    assert got["pair"].differences == ("input left: output of scale",)


def test_names_the_version(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    run(cache)
    monkeypatch.setattr(Shift, "version", 2)
    assert explained(cache, toy_flow())["shift"].differences == ("version 1 -> 2",)


def test_names_a_constant_of_the_code(cache: Cache) -> None:
    run(cache)
    steps = {**toy_flow().steps}
    steps["shift"] = replace(steps["shift"], constants={"toy.LIMIT": "0.5"})
    flow = Flow.of(*steps.values())
    assert explained(cache, flow)["shift"].differences == ("toy.LIMIT absent -> 0.5",)
    run_flow(flow, number(20), wanted=["pair"], cache=cache, codecs=INTEGERS)
    steps["shift"] = replace(steps["shift"], constants={"toy.LIMIT": "0.75"})
    differences = explained(cache, Flow.of(*steps.values()))["shift"].differences
    assert differences == ("toy.LIMIT 0.5 -> 0.75",)


def test_names_other_input(cache: Cache) -> None:
    run(cache)
    got = explained(cache, toy_flow(), value=21)
    assert got["read"].differences == ("input source: other file content",)


def test_compares_with_the_entry_of_the_same_input(cache: Cache) -> None:
    run(cache)
    flow: Any = toy_flow(shift=Shift(by=5))
    run_flow(flow, number(7), wanted=["pair"], cache=cache, codecs=INTEGERS)
    got = explained(cache, toy_flow(shift=Shift(by=6)))
    assert got["shift"].differences == ("by 1 -> 6",)
