"""Every shipped training file builds its task and its loop, and leaves the data to the user."""

from pathlib import Path

import pytest

from pipelines.config import build, read_toml, shipped_config
from pipelines.flows import task_type
from pipelines.training.task import Loop

STAGES = ("lungs", "candidates", "malignancy")
STAGE_OF = {"luna16": "candidates"} | {stage: stage for stage in STAGES}


def test_there_is_a_file_for_every_stage_that_learns() -> None:
    folder = shipped_config("train/lungs.toml").parent
    assert {path.stem for path in folder.glob("*.toml")} >= set(STAGES)


@pytest.mark.parametrize(("name", "stage"), STAGE_OF.items())
def test_builds_task_and_loop(name: str, stage: str, tmp_path: Path) -> None:
    file = shipped_config(f"train/{name}.toml")
    document = read_toml(file)
    assert document.keys() == {"task", "loop"}
    assert not {"crop_set", "scans"} & document["task"].keys()
    data = {"scans": [str(tmp_path / "a")]}
    if "crop_set" in task_type(stage).__dataclass_fields__:
        data["crop_set"] = str(tmp_path)
    task = build(task_type(stage), document["task"] | data, file=file, section="task")
    loop = build(Loop, document["loop"], file=file, section="loop")
    assert task.stage == stage
    assert task.scans == (tmp_path / "a",)
    assert loop.epochs > 0
