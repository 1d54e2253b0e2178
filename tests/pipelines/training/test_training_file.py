"""A training file tells all, and the command line has the last word."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from nodule.errors import ConfigError, WeightsError
from nodule.malignancy.training import MalignancyTask
from nodule.weights import Weights
from pipelines.config import shipped_config
from pipelines.training.finetune_config import Finetune
from pipelines.training.training_file import Training, read_training

SCRATCH = shipped_config("train/transfer/scratch.toml")
TUNED = shipped_config("train/transfer/finetune.toml")
DATA = {"crop_set": "SET", "scans": ["SCAN"]}


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    torch.save(nn.Linear(1, 1).state_dict(), tmp_path / "theirs.pt")
    path = tmp_path / "mine.toml"
    path.write_text(f"{TUNED.read_text()}\n[start]\nweights = 'theirs.pt'\n")
    return path


def read(file: Path, **more: object) -> Training:
    return read_training(file, MalignancyTask, given=DATA, **more)  # type: ignore[arg-type]


def test_weights_lie_beside_the_file_that_names_them(toml: Path) -> None:
    start = read(toml).start
    assert start is not None
    assert set(start.state) == {"weight", "bias"}


def test_the_command_line_names_other_weights_task_fields_and_seed(toml: Path) -> None:
    given = {**DATA, "held_out_folds": [2], "patients_share": 0.5}
    training = read_training(
        toml, MalignancyTask, given=given, start_from=str(toml.with_name("theirs.pt")), seed=7
    )
    assert isinstance(training.task, MalignancyTask)
    assert training.task.held_out_folds == (2,)
    assert training.task.patients_share == 0.5
    assert training.task.seed == training.loop.seed == 7
    with pytest.raises(WeightsError, match="NO_WEIGHTS"):
        read(toml, start_from="none.pt")


def test_a_name_without_a_suffix_is_of_shipped_weights() -> None:
    start = read(SCRATCH, start_from="candidates").start
    assert start is not None
    assert start.sha256 == Weights.shipped("candidates").sha256


def test_without_the_sections_everything_is_fresh_and_learns() -> None:
    training = read(SCRATCH)
    assert training.start is training.finetune is None


def test_refuses_an_unknown_section(toml: Path) -> None:
    toml.write_text(toml.read_text().replace("[finetune]", "[fine_tune]"))
    with pytest.raises(ConfigError, match=r"UNKNOWN_SECTION.*fine_tune"):
        read(toml)


def test_refuses_phases_that_do_not_fill_the_loop(toml: Path) -> None:
    toml.write_text(toml.read_text().replace("epochs = 6", "epochs = 7"))
    with pytest.raises(ConfigError, match="BAD_FINETUNE"):
        read(toml)


def test_the_two_arms_of_the_experiment_differ_in_their_beginning_alone() -> None:
    scratch, tuned = read(SCRATCH), read(TUNED)
    assert tuned.task == scratch.task
    assert tuned.loop == scratch.loop
    assert isinstance(tuned.finetune, Finetune)


def test_pretraining_never_learns_malignancy_nor_sees_the_test_fold() -> None:
    pretrained = read(shipped_config("train/transfer/pretrain.toml")).task
    tuned = read(TUNED).task
    assert isinstance(pretrained, MalignancyTask)
    assert isinstance(tuned, MalignancyTask)
    assert set(pretrained.outputs or ()) == {"nodule", "characteristics", "diameter"}
    assert pretrained.held_out_folds == tuned.held_out_folds == (4,)
    assert replace(pretrained, outputs=("malignancy",), patients_share=0.1) == tuned
