from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from nodule.errors import ConfigError, NoduleError, UsageError, WeightsError
from nodule.hu import HuWindow
from nodule.weights import Weights, save_state
from pipelines.config import load_stages, read_toml, shipped_config
from pipelines.flows import detect_stage_types

WHOLE = """
[first]
threshold = 0.5
count = 3
sizes = [1, 2]
mode = "fast"

[first.window]
low_hu = -1000.0
high_hu = 400.0

[second]
"""


@dataclass(frozen=True, kw_only=True)
class First:
    name: ClassVar[str] = "first"
    version: ClassVar[int] = 1

    threshold: float
    count: int
    sizes: tuple[int, int]
    mode: str
    window: HuWindow
    series_uid: str | None = None

    def run(self, **_: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Second:
    name: ClassVar[str] = "second"
    version: ClassVar[int] = 1

    def run(self, **_: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Net:
    name: ClassVar[str] = "net"
    version: ClassVar[int] = 1

    weights: Weights

    def run(self, **_: Any) -> None: ...


Load = Callable[[str], dict[str, Any]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def from_text(text: str) -> dict[str, Any]:
        path = tmp_path / "flow.toml"
        path.write_text(text)
        return load_stages(path, (First, Second))

    return from_text


def test_builds_a_stage_for_every_section(load: Load) -> None:
    assert load(WHOLE) == {
        "first": First(
            threshold=0.5,
            count=3,
            sizes=(1, 2),
            mode="fast",
            window=HuWindow(low_hu=-1000.0, high_hu=400.0),
        ),
        "second": Second(),
    }


def test_a_whole_number_may_stand_for_a_float(load: Load) -> None:
    got = load(WHOLE.replace("threshold = 0.5", "threshold = 1"))["first"].threshold
    assert isinstance(got, float)
    assert got == 1.0


def test_what_may_be_none_may_be_given(load: Load) -> None:
    stages = load(WHOLE.replace("count = 3", 'count = 3\nseries_uid = "1.2"'))
    assert stages["first"].series_uid == "1.2"


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("[second]", "[secnod]", "UNKNOWN_SECTION", ["secnod", "second"]),
        ("threshold =", "treshold =", "UNKNOWN_KEY", ["treshold", "threshold", "[first]"]),
        ("count = 3\n", "", "MISSING_KEY", ["count", "[first]"]),
        ("low_hu =", "low =", "UNKNOWN_KEY", ["low_hu", "[first.window]"]),
        ("low_hu = -1000.0", "", "MISSING_KEY", ["low_hu", "[first.window]"]),
        ("low_hu = -1000.0", "low_hu = 500", "BAD_VALUE", ["BAD_WINDOW", "[first.window]"]),
        ("count = 3", "count = 3.5", "BAD_VALUE", ["count", "a whole number", "3.5"]),
        ("count = 3", 'count = "3"', "BAD_VALUE", ["count"]),
        ("count = 3", "count = true", "BAD_VALUE", ["count"]),
        ("count = 3", "count = 2020-01-01", "BAD_VALUE", ["count"]),
        ("threshold = 0.5", 'threshold = "0.5"', "BAD_VALUE", ["threshold"]),
        ("[1, 2]", "[1, 2, 3]", "BAD_VALUE", ["sizes"]),
        ('mode = "fast"', "mode = 1", "BAD_VALUE", ["mode"]),
        ("[second]", "second = 3", "BAD_VALUE", ["second"]),
        ("[second]", "[second", "NOT_TOML", []),
        ('"fast"', '"$import os"', "EXPRESSION", ["mode"]),
        ('"fast"', '"${HOME}"', "EXPRESSION", ["mode"]),
        ("count = 3", 'count = 3\n_target_ = "os.mkdir"', "UNKNOWN_KEY", ["_target_"]),
        ("[second]", '[second]\n_target_ = "os.mkdir"', "UNKNOWN_KEY", ["_target_"]),
        ("[second]", "[second]\nx = 1", "UNKNOWN_KEY", ["[second]"]),
    ],
)
def test_refuses_what_does_not_fit(
    load: Load, old: str, new: str, code: str, words: list[str]
) -> None:
    assert old in WHOLE
    text = WHOLE.replace(old, new, 1)
    if new == "second = 3":
        text = f"second = 3\n{WHOLE.replace(old, '')}"
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert caught.value.code == code
    assert "flow.toml" in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "payload",
    [
        "mode = \"$__import__('os').mkdir('{}')\"",
        '_target_ = "os.mkdir"\npath = "{}"',
        'mode = {{ _target_ = "os.mkdir", path = "{}" }}',
        "mode: !!python/object/apply:os.mkdir ['{}']",
        '{{"_target_": "os.mkdir", "path": "{}"}}',
    ],
)
def test_payloads_of_a_bundle_are_refused_and_create_nothing(
    load: Load, tmp_path: Path, payload: str
) -> None:
    """Expressions and targets of MONAI's bundles, YAML's tags, JSON."""
    made = tmp_path / "made"
    text = WHOLE.replace('mode = "fast"\n', payload.format(made) + "\n")
    with pytest.raises(ConfigError):
        load(text)
    assert not made.exists()


def test_a_stage_without_fields_needs_no_section(load: Load) -> None:
    assert load(WHOLE.replace("[second]", ""))["second"] == Second()


def test_refuses_to_leave_out_what_has_no_default(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"MISSING_KEY: flow\.toml: key threshold.*a number"):
        load("[second]")


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="NO_CONFIG"):
        load_stages(tmp_path / "none.toml", (First,))


def test_weights_are_named_by_a_path_beside_the_file(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    save_state(
        tmp_path / "own.safetensors",
        {"w": torch.from_numpy(np.zeros(2, np.float32))},
        stage="net",
        architecture={},
        training_patients=(),
    )
    path = tmp_path / "flow.toml"
    path.write_text('[net]\nweights = "own.safetensors"')
    weights = load_stages(path, (Net,))["net"].weights
    assert weights == Weights.open(tmp_path / "own.safetensors")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A value in a file of its own."""

    factor: float

    @classmethod
    def open(cls, path: Path) -> "Scale":
        return cls(factor=float(path.read_text()))

    @classmethod
    def shipped(cls, name: str) -> "Scale":
        return cls(factor=float(len(name)))


@dataclass(frozen=True, kw_only=True)
class Nets:
    name: ClassVar[str] = "nets"
    version: ClassVar[int] = 1

    weights: tuple[Weights, ...]
    scale: Scale | None

    def run(self, **_: Any) -> None: ...


def test_an_ensemble_names_several_weights_and_what_lies_in_a_file(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for number in range(2):
        save_state(
            tmp_path / f"own{number}.safetensors",
            {"w": torch.full((2,), float(number))},
            stage="nets", architecture={}, training_patients=(),
        )  # fmt: skip
    (tmp_path / "scale.json").write_text("2.5")
    path = tmp_path / "flow.toml"
    both = 'weights = ["own0.safetensors", "own1.safetensors"]'
    path.write_text(f'[nets]\n{both}\nscale = "scale.json"')
    nets = load_stages(path, (Nets,))["nets"]
    assert [each.path.name for each in nets.weights] == ["own0.safetensors", "own1.safetensors"]
    assert len({each.sha256 for each in nets.weights}) == 2
    assert nets.scale == Scale(factor=2.5)
    path.write_text(f'[nets]\n{both}\nscale = "seven77"')
    assert load_stages(path, (Nets,))["nets"].scale == Scale(factor=7.0)
    path.write_text(f"[nets]\n{both}")
    assert load_stages(path, (Nets,))["nets"].scale is None


@pytest.mark.parametrize("value", ['"own.safetensors"', "[3]"])
def test_refuses_an_ensemble_that_is_no_list_of_names(tmp_path: Path, value: str) -> None:
    path = tmp_path / "flow.toml"
    path.write_text(f"[nets]\nweights = {value}")
    with pytest.raises(ConfigError, match="BAD_VALUE"):
        load_stages(path, (Nets,))


@pytest.mark.parametrize("value", ['"nowhere"', '"nowhere.safetensors"'])
def test_names_weights_that_are_not_there(tmp_path: Path, value: str) -> None:
    path = tmp_path / "flow.toml"
    path.write_text(f"[net]\nweights = {value}")
    with pytest.raises(WeightsError, match=r"NO_WEIGHTS.*nowhere"):
        load_stages(path, (Net,))


def test_refuses_weights_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "flow.toml"
    path.write_text("[net]\nweights = 3")
    with pytest.raises(ConfigError, match="BAD_VALUE"):
        load_stages(path, (Net,))


def test_names_the_shipped_files_when_asked_for_another() -> None:
    with pytest.raises(UsageError, match=r"NO_CONFIG.*detect\.toml"):
        shipped_config("detct.toml")


DEFAULTS = {stage.name: stage() for stage in detect_stage_types()}


def test_detect_toml_spells_out_the_defaults_of_the_code() -> None:
    path = shipped_config("detect.toml")
    assert load_stages(path, detect_stage_types()) == DEFAULTS
    assert missing_keys(DEFAULTS, read_toml(path)) == []


def missing_keys(stages: dict[str, Any], document: dict[str, Any]) -> list[str]:
    return [
        f"{section}.{each.name}"
        for section, stage in stages.items()
        for each in fields(stage)
        if each.name not in document.get(section, {})
    ]


@pytest.fixture
def detect(tmp_path: Path) -> Load:
    def from_text(text: str) -> dict[str, Any]:
        path = tmp_path / "own.toml"
        path.write_text(text)
        return load_stages(path, detect_stage_types())

    return from_text


def test_an_empty_file_means_the_defaults(detect: Load) -> None:
    assert detect("") == DEFAULTS


def test_what_a_file_leaves_out_keeps_its_default(detect: Load) -> None:
    got = detect("[measure]\nprobability_threshold = 0.3\n[resample.window]\nlow_hu = -900.0")
    changed = {
        "measure": replace(DEFAULTS["measure"], probability_threshold=0.3),
        "resample": replace(DEFAULTS["resample"], window=HuWindow(low_hu=-900.0, high_hu=1800.0)),
    }
    assert got == {**DEFAULTS, **changed}


def test_none_takes_away_what_is_there_by_default(detect: Load) -> None:
    assert detect("")["malignancy"].calibration is not None
    assert detect('[malignancy]\ncalibration = "none"')["malignancy"].calibration is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[candidates]\nscore_threshold = 5",
            "BAD_VALUE: own.toml: score_threshold has a wrong value in [candidates]; "
            "expected a number from 0 to 1; got 5",
        ),
        (
            "[candidates]\nhalo_mm = 20",
            "BAD_VALUE: own.toml: halo_mm has a wrong value in [candidates]; "
            "expected a whole number from 0 to 256, a multiple of 16; got 20",
        ),
        (
            '[lungs]\nprecision = "bf61"',
            "BAD_VALUE: own.toml: precision has a wrong value in [lungs]; "
            "expected one of auto, fp32, bf16; got bf61. The nearest is bf16",
        ),
        (
            "[resample.window]\nhigh_hu = 1e9",
            "BAD_VALUE: own.toml: high_hu has a wrong value in [resample.window]; "
            "expected a number from -32768 to 32767; got 1000000000.0",
        ),
        (
            "[measure]\nedge_fraction = nan",
            "BAD_VALUE: own.toml: edge_fraction has a wrong value in [measure]; "
            "expected a number above 0 and below 1; got nan",
        ),
        (
            "[measure]\nprobabilty_threshold = 0.5",
            "UNKNOWN_KEY: own.toml: unknown key probabilty_threshold in [measure]; "
            "expected one of ['edge_fraction', 'grid_mm', 'lung_margin_mm', 'opening_fraction', "
            "'probability_threshold', 'smoothing_mm']; got probabilty_threshold. "
            "The nearest is probability_threshold",
        ),
        ('[lungs]\nweights = "none"', "NO_WEIGHTS: there are no weights called none.safetensors"),
    ],
)
def test_an_error_says_where_what_and_what_was_expected(
    detect: Load, text: str, message: str
) -> None:
    with pytest.raises(NoduleError) as caught:
        detect(text)
    assert str(caught.value).startswith(message)
