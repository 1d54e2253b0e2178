"""``configs/README.md`` states every key, its default and its range as the code has them."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from nodule.errors import ConfigError
from nodule.hu import CANONICAL_RANGE, HuWindow
from nodule.ranges import describe
from pipelines.config import load_stages, shipped_config
from pipelines.flows import detect_stage_types, task_type
from pipelines.training.finetune_config import Finetune
from pipelines.training.task import Loop
from pipelines.training.training_file import Start

FOLDER = shipped_config("detect").parent
TEXT = (FOLDER / "README.md").read_text()
NEEDED = {"crop_set", "scans", "held_out_folds"}
"""What training asks for even where a task has a default."""

SECTIONS: dict[str, Any] = {
    **{f"[{stage.name}]": stage for stage in detect_stage_types() if fields(stage)},
    "[resample.window]": HuWindow,
    "[task] of the lung network": task_type("lungs"),
    "[task] of the candidates network": task_type("candidates"),
    "[task] of the malignancy network": task_type("malignancy"),
    "[loop]": Loop,
    "[start]": Start,
    "[finetune]": Finetune,
}


def table(heading: str) -> dict[str, tuple[str, str]]:
    """Return default and range as the README states them, by key."""
    (section,) = re.findall(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", TEXT, re.M | re.S)
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if "| `" in line]
    return {name.strip("`"): (default, allowed) for name, default, allowed, _ in rows}


def default_of(cls: Any, name: str) -> str:
    (field,) = (each for each in fields(cls) if each.name == name)
    value = getattr(CANONICAL_RANGE, name) if cls is HuWindow else field.default
    if value is MISSING or (hasattr(cls, "training_samples") and name in NEEDED):
        return "needed"
    return "none" if value is None else f"`{json.dumps(value)}`"


@pytest.mark.parametrize("heading", SECTIONS)
def test_states_keys_defaults_and_ranges(heading: str) -> None:
    cls = SECTIONS[heading]
    hints = get_type_hints(cls, include_extras=True)
    stated = table(heading)
    assert list(stated) == [each.name for each in fields(cls) if each.type != "HuWindow"]
    for name, (default, allowed) in stated.items():
        described = describe(hints[name])
        if "Weights" not in described and described != "Calibration":
            assert (name, default, allowed) == (name, default_of(cls, name), described)


def test_names_every_shipped_file() -> None:
    for path in FOLDER.rglob("*.toml"):
        name = path.relative_to(FOLDER)
        assert name.as_posix() in TEXT or f"{name.parent.as_posix()}/" in TEXT


def test_the_error_that_it_shows_is_the_one_that_a_user_sees(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[candidates]\nscore_threshold = 5")
    with pytest.raises(ConfigError) as caught:
        load_stages(path, detect_stage_types())
    assert str(caught.value) in TEXT
