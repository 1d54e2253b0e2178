"""What a report tells of a stage: version, settings, and which networks it asked."""

import importlib.metadata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from nodule.hu import HuWindow
from nodule.inference import SPEED_ONLY
from nodule.lungs import SegmentLungs
from nodule.stage_record import StageRecord
from nodule.weights import Weights


def weights(sha256: str) -> Weights:
    return Weights(
        sha256=sha256, path=Path("some.safetensors"), stage="net", architecture={},
        training_patients=(),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class One:
    name: ClassVar[str] = "one"
    version: ClassVar[int] = 4

    weights: Weights
    sizes: tuple[int, ...] = (1, 2)
    window: HuWindow = HuWindow(low_hu=-1000.0, high_hu=400.0)  # noqa: RUF009  # frozen
    nothing: None = None
    device: str = field(default="auto", metadata=SPEED_ONLY)

    def run(self, **_: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Several:
    name: ClassVar[str] = "several"
    version: ClassVar[int] = 1

    weights: tuple[Weights, ...]

    def run(self, **_: Any) -> None: ...


def test_settings_read_plainly_and_leave_out_speed_and_paths() -> None:
    record = StageRecord.of(One(weights=weights("a" * 64)))
    assert (record.name, record.version) == ("one", 4)
    assert record.settings == {
        "weights": {"sha256": "a" * 64},
        "sizes": (1, 2),
        "window": {"low_hu": -1000.0, "high_hu": 400.0},
        "nothing": None,
    }


def test_a_network_is_named_after_its_stage_and_members_of_an_ensemble_by_number() -> None:
    assert StageRecord.of(One(weights=weights("a" * 64))).weights == {"one": "a" * 64}
    members = StageRecord.of(Several(weights=(weights("b" * 64), weights("c" * 64))))
    assert members.weights == {"several.1": "b" * 64, "several.2": "c" * 64}


def test_a_stage_with_networks_names_what_runs_them() -> None:
    record = StageRecord.of(SegmentLungs(engine="torch", device="cpu", precision="fp32"))
    assert record.engine == f"torch {importlib.metadata.version('torch')} on cpu in fp32"
    assert "engine" not in record.settings
    assert StageRecord.of(One(weights=weights("a" * 64))).engine is None
