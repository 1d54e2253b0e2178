import gc
import logging
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from toy_flows import INTEGERS, PAIR, Pair, Scale, Shift, number, toy_flow

from nodule.errors import InputError, StageError
from pipelines.cache import Cache
from pipelines.graph import Flow, Source, Step
from pipelines.runner import (
    Advanced,
    CacheTrouble,
    Event,
    Finished,
    FlowResult,
    Hit,
    Started,
    run_flow,
)


def run(flow: Flow, cache: Cache | None, value: int = 20, **options: Any) -> FlowResult:
    return run_flow(flow, number(value), wanted=["pair"], cache=cache, codecs=INTEGERS, **options)


def test_runs_steps_in_the_order_of_their_inputs(cache: Cache) -> None:
    result = run(toy_flow(), cache)
    assert result.outputs == {"pair": (40, 21)}
    assert result.ran[0] == "read"
    assert result.ran[-1] == "pair"
    assert sorted(result.ran) == ["pair", "read", "scale", "shift"]


def test_a_second_run_runs_nothing_and_gives_the_same(cache: Cache) -> None:
    first = run(toy_flow(), cache)
    second = run(toy_flow(), cache)
    assert second.ran == ()
    assert second.outputs == first.outputs


def test_runs_without_a_cache() -> None:
    assert run(toy_flow(), None).outputs == {"pair": (40, 21)}


def test_a_full_hit_loads_no_source_and_decodes_only_what_is_wanted(cache: Cache) -> None:
    run(toy_flow(), cache)
    decoded = []

    class Spy:
        def encode(self, value: Any) -> dict[str, bytes]:
            raise AssertionError

        def decode(self, files: Any) -> Any:
            decoded.append(sorted(files))
            return INTEGERS[PAIR].decode(files)

    def refuse() -> int:
        raise AssertionError

    sources = {"number": replace(number(20)["number"], load=refuse)}
    run_flow(toy_flow(), sources, wanted=["pair"], cache=cache, codecs={int: Spy(), PAIR: Spy()})
    assert len(decoded) == 1


@pytest.mark.parametrize(
    ("changed", "ran"),
    [
        ({"scale": Scale(factor=3)}, ("scale", "pair")),
        ({"shift": Shift(by=2)}, ("shift", "pair")),
        ({"scale": Scale(slowness_s=0.001)}, ()),
    ],
)
def test_only_what_depends_on_a_changed_field_runs_again(
    cache: Cache, changed: dict[str, Any], ran: tuple[str, ...]
) -> None:
    run(toy_flow(), cache)
    assert run(toy_flow(**changed), cache).ran == ran


def test_another_version_of_a_stage_runs_again(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(toy_flow(), cache)
    monkeypatch.setattr(Shift, "version", 2)
    assert run(toy_flow(), cache).ran == ("shift", "pair")


def test_other_input_content_runs_all_again(cache: Cache) -> None:
    run(toy_flow(), cache)
    assert set(run(toy_flow(), cache, value=21).ran) == {"read", "scale", "shift", "pair"}


def test_tells_what_happens(cache: Cache) -> None:
    events: list[Event] = []
    run(toy_flow(), cache, listen=events.append)
    assert events[0] == Started("read")
    assert Advanced("scale", 0.5) in events
    assert [e.step for e in events if isinstance(e, Finished)][-1] == "pair"
    events.clear()
    run(toy_flow(), cache, listen=events.append)
    assert sorted(events, key=lambda e: e.step) == [
        Hit("pair"),
        Hit("read"),
        Hit("scale"),
        Hit("shift"),
    ]


def test_takes_one_attribute_of_an_output_and_keys_it_apart() -> None:
    def flow(attribute: str) -> Flow:
        step = Step(stage=Shift(), inputs={"number": f"given.{attribute}"}, output=int)
        return Flow.of(step)

    sources = {"given": Source(key="k", load=lambda: 3 + 4j)}
    recipes = [flow(a).recipes({"given": "k"})["shift"] for a in ("real", "imag")]
    assert recipes[0].key != recipes[1].key
    result = run_flow(flow("imag"), sources, wanted=["shift"], cache=None, codecs=INTEGERS)
    assert result.outputs == {"shift": 5}


def test_wraps_an_unforeseen_exception_and_keeps_its_cause(cache: Cache) -> None:
    class Broken(Shift):
        def run(self, **_: Any) -> int:
            raise ZeroDivisionError("secret")

    with pytest.raises(StageError, match="stage shift failed") as caught:
        run(toy_flow(shift=Broken()), cache)
    assert caught.value.code == "STAGE_FAILED"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "secret" not in str(caught.value)


def test_lets_coded_errors_pass(cache: Cache) -> None:
    class Refusing(Shift):
        def run(self, **_: Any) -> int:
            raise InputError("odd", code="ODD")

    with pytest.raises(InputError, match="ODD"):
        run(toy_flow(shift=Refusing()), cache)


def test_what_ran_before_a_failure_is_kept(cache: Cache) -> None:
    class Broken(Pair):
        def run(self, **_: Any) -> tuple[int, ...]:
            raise ZeroDivisionError

    with pytest.raises(StageError):
        run(toy_flow(pair=Broken()), cache)
    assert run(toy_flow(), cache).ran == ("pair",)


def test_refuses_an_output_of_another_type_than_declared(cache: Cache) -> None:
    class Wordy(Shift):
        def run(self, **_: Any) -> Any:
            return "twenty-one"

    with pytest.raises(StageError, match="BAD_OUTPUT"):
        run(toy_flow(shift=Wordy()), cache)


@dataclass
class Heavy:
    value: int


def test_holds_an_output_no_longer_than_it_is_needed() -> None:
    """read -> scale -> shift: when shift runs, read's output must be gone."""
    alive: list[weakref.ref[Heavy]] = []

    @dataclass(frozen=True, kw_only=True)
    class Make:
        name: ClassVar[str] = "make"
        version: ClassVar[int] = 1

        def run(self, *, source: int, progress: Any) -> Heavy:
            heavy = Heavy(source)
            alive.append(weakref.ref(heavy))
            return heavy

    @dataclass(frozen=True, kw_only=True)
    class Use:
        name: ClassVar[str] = "use"
        version: ClassVar[int] = 1

        def run(self, *, heavy: Heavy, progress: Any) -> int:
            return heavy.value

    class Watch(Shift):
        def run(self, *, number: int, progress: Any) -> int:
            gc.collect()
            assert alive[0]() is None
            return number

    flow = Flow.of(
        Step(stage=Make(), inputs={"source": "number"}, output=int),
        Step(stage=Use(), inputs={"heavy": "make"}, output=int),
        Step(stage=Watch(), inputs={"number": "use"}, output=int),
    )
    result = run_flow(flow, number(5), wanted=["shift"], cache=None, codecs=INTEGERS)
    assert result.outputs == {"shift": 5}


def test_refuses_steps_that_wait_for_each_other() -> None:
    with pytest.raises(StageError, match="BAD_FLOW"):
        Flow.of(
            Step(stage=Shift(), inputs={"number": "scale"}, output=int),
            Step(stage=Scale(), inputs={"number": "shift"}, output=int),
        )


def test_refuses_two_steps_of_one_name() -> None:
    step = Step(stage=Shift(), inputs={"number": "n"}, output=int)
    with pytest.raises(StageError, match="two steps have one name"):
        Flow.of(step, step)


def test_refuses_an_input_that_nothing_provides(cache: Cache) -> None:
    step = Step(stage=Shift(), inputs={"number": "nowhere"}, output=int)
    with pytest.raises(StageError, match="NO_SOURCE"):
        run_flow(Flow.of(step), number(1), wanted=["shift"], cache=cache, codecs=INTEGERS)


def test_refuses_an_output_that_no_codec_stores(cache: Cache) -> None:
    step = Step(stage=Shift(), inputs={"number": "number"}, output=bytes)
    with pytest.raises(StageError, match="no codec"):
        run_flow(Flow.of(step), number(1), wanted=["shift"], cache=cache, codecs=INTEGERS)


def damage(cache: Cache, key: str) -> None:
    (cache.root / "entries-v3" / key / "value.json").write_bytes(b"99")


def test_recomputes_a_corrupt_entry_with_a_warning(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    key = run(toy_flow(), cache).recipes["pair"].key
    damage(cache, key)
    events: list[Event] = []
    with caplog.at_level(logging.WARNING):
        result = run(toy_flow(), cache, listen=events.append)
    assert result.outputs == {"pair": (40, 21)}
    assert result.ran == ("pair",)
    assert [e.code for e in events if isinstance(e, CacheTrouble)] == ["CACHE_CORRUPT"]
    assert key in caplog.text
    assert run(toy_flow(), cache).ran == ()


def test_recomputes_a_corrupt_input_of_a_step_that_must_run(cache: Cache) -> None:
    damage(cache, run(toy_flow(), cache).recipes["read"].key)
    result = run(toy_flow(scale=Scale(factor=3)), cache)
    assert result.outputs == {"pair": (60, 21)}
    assert result.ran == ("read", "scale", "pair")


def test_a_cache_that_cannot_be_read_costs_a_warning_only(tmp_path: Path) -> None:
    events: list[Event] = []
    result = run(toy_flow(), Cache(tmp_path / ("x" * 300)), listen=events.append)
    assert result.outputs == {"pair": (40, 21)}
    assert {e.code for e in events if isinstance(e, CacheTrouble)} == {
        "CACHE_UNREADABLE",
        "CACHE_UNWRITABLE",
    }


def test_a_cache_that_cannot_be_written_costs_a_warning_only(cache: Cache) -> None:
    cache.root.write_text("a file where the folder should be")
    events: list[Event] = []
    result = run(toy_flow(), cache, listen=events.append)
    assert result.outputs == {"pair": (40, 21)}
    assert {e.code for e in events if isinstance(e, CacheTrouble)} == {"CACHE_UNWRITABLE"}
