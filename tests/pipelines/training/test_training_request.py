"""What is given with the command takes the place of what a training file says."""

from pathlib import Path
from typing import Any

import pytest

from nodule.errors import ConfigError, UsageError
from pipelines.training import training_request
from pipelines.training.training_request import TrainingRequest, check_installed

RUN = Path("RUN")


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ({}, {}),
        ({"crop_set": Path("SET")}, {"crop_set": "SET"}),
        ({"scans": (Path("a"), Path("b"))}, {"scans": ["a", "b"]}),
        ({"held_out_folds": (0, 4)}, {"held_out_folds": [0, 4]}),
        ({"patients_share": 0.1}, {"patients_share": 0.1}),
    ],
)
def test_only_what_is_given_is_a_setting(given: dict[str, Any], settings: dict[str, Any]) -> None:
    assert TrainingRequest(stage="lungs", folder=RUN, **given).task_settings == settings


def test_weights_to_begin_with_must_exist_or_be_shipped(tmp_path: Path) -> None:
    TrainingRequest(stage="candidates", folder=RUN, start_from="candidates")
    file = tmp_path / "mine.safetensors"
    with pytest.raises(UsageError, match=r"NO_WEIGHTS: .*mine\.safetensors"):
        TrainingRequest(stage="candidates", folder=RUN, start_from=str(file))
    file.touch()
    TrainingRequest(stage="candidates", folder=RUN, start_from=str(file))


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check_installed()
    monkeypatch.setattr(training_request, "_EXTRA", ("lightning", "nothing_of_this_name"))
    with pytest.raises(ConfigError, match=r"NO_TRAINING_PACKAGES: .*got no nothing_of_this_name"):
        check_installed()
