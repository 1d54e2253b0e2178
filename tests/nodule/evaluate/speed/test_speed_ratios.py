"""Fifteen percent are too much, for what matters."""

import json
from pathlib import Path
from typing import Any

import pytest

from nodule.errors import StageError, UsageError
from nodule.evaluate import speed
from nodule.evaluate.speed import Benchmark, Cost, refuse_slower

NOTHING = Cost(seconds=0.0, core_seconds=0.0)
THEN = {"study": 1.0, "lungs": 0.4, "tables": 0.049, "detector_to_plain": 0.02}


def now(**ratios: float) -> Benchmark:
    return Benchmark(
        study="CASE", compute="torch on cpu in fp32", stages=(), first=NOTHING, steady=NOTHING,
        yardstick=NOTHING, detector=NOTHING, plain=NOTHING, c3d=NOTHING, findings=0,
        ratios={**THEN, **ratios},
    )  # fmt: skip


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    return written(tmp_path, {"compute": "torch on cpu in fp32", "ratios": THEN})


def written(folder: Path, stored: Any) -> Path:
    path = folder / "earlier.json"
    path.write_text(json.dumps(stored))
    return path


@pytest.mark.parametrize("name", ["study", "lungs", "detector_to_plain"])
def test_more_than_fifteen_percent_are_refused(earlier: Path, name: str) -> None:
    refuse_slower(now(**{name: THEN[name] * 1.149}), earlier)
    with pytest.raises(StageError, match=rf"SLOWER.*1\.15 times.*{name}.*1\.15"):
        refuse_slower(now(**{name: THEN[name] * 1.151}), earlier)


def test_a_stage_of_less_than_a_twentieth_of_the_study_may_vary(earlier: Path) -> None:
    refuse_slower(now(tables=0.5), earlier)


def test_what_did_not_exist_then_is_not_compared(earlier: Path) -> None:
    refuse_slower(now(new=5.0), earlier)


def test_another_engine_cannot_be_compared(tmp_path: Path) -> None:
    other = written(tmp_path, {"compute": "openvino on cpu in bf16", "ratios": THEN})
    with pytest.raises(UsageError, match="OTHER_COMPUTE"):
        refuse_slower(now(), other)


@pytest.mark.parametrize(
    "stored", [[], {}, {"compute": "x"}, {"compute": "x", "ratios": {"a": {}}}]
)
def test_refuses_what_is_no_benchmark(tmp_path: Path, stored: Any) -> None:
    with pytest.raises(UsageError, match="NO_BENCHMARK"):
        refuse_slower(now(), written(tmp_path, stored))


def test_the_pinned_phantom_is_a_benchmark() -> None:
    pinned = Path(speed.__file__).with_name("pinned_phantom.json")
    with pytest.raises(UsageError, match=r"OTHER_COMPUTE.*openvino on cpu in bf16"):
        refuse_slower(now(), pinned)
