"""Every shipped configuration is right, and a wrong one is named with what it is for."""

from pathlib import Path

import pytest

from nodule.errors import ConfigError, NoduleError
from pipelines.config import shipped_config
from pipelines.config_kinds import ConfigKind, check_config

SHIPPED: dict[str, ConfigKind | None] = {
    "detect": None,
    "person": None,
    "serve": None,
    "train/lungs": "train-lungs",
    "train/candidates": "train-candidates",
    "train/luna16": "train-candidates",
    "train/malignancy": "train-malignancy",
    "train/malignancy_close": "train-malignancy",
    "train/malignancy_context": "train-malignancy",
    "train/transfer/pretrain": "train-malignancy",
    "train/transfer/scratch": "train-malignancy",
    "train/transfer/finetune": "train-malignancy",
}
LOOP = "[loop]\nepochs = 1\nsteps_per_epoch = 1\nbatch_size = 1\nlearning_rate = 1e-3"
FOLDER = shipped_config("detect").parent


def test_all_shipped_files_are_listed_here() -> None:
    found = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.toml")}
    assert found == set(SHIPPED)


@pytest.mark.parametrize(("name", "kind"), SHIPPED.items())
def test_every_shipped_file_is_right(name: str, kind: ConfigKind | None) -> None:
    assert check_config(shipped_config(name), kind) == (kind or name)


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("[candidates]\nscore_threshold = 5", None, "BAD_VALUE"),
        ("[candidate]", None, "UNKNOWN_SECTION"),
        ("x = [", None, "NOT_TOML"),
        ("age_years = 700", None, "BAD_PERSON_FILE"),
        ("[reader]\nupgrade = true", None, "BAD_PERSON_FILE"),
        ("[task]\nphantoms = 1", None, "NO_KIND"),
        ("[task]\nphantoms = -1", "train-lungs", "BAD_VALUE"),
        ("[task]\nphantoms = 1", "train-lungs", "MISSING_KEY"),
        ("[task]\nphantoms = 1", "train-candidates", "UNKNOWN_KEY"),
        ("task = 3", "train-lungs", "BAD_VALUE"),
        ("[lop]", "train-lungs", "UNKNOWN_SECTION"),
        ("[measure]\ngrid_mm = 0.7", "person", "BAD_PERSON_FILE"),
    ],
)
def test_refuses_what_the_command_would(
    tmp_path: Path, text: str, kind: ConfigKind | None, code: str
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(NoduleError) as caught:
        check_config(path, kind)
    assert caught.value.code == code
    assert "own.toml" in str(caught.value)


def test_a_training_file_need_not_name_its_data(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f"[task]\nheld_out_folds = []\n{LOOP}")
    assert check_config(path, "train-malignancy") == "train-malignancy"


def test_a_training_file_says_what_is_held_out(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f"[task]\nseed = 1\n{LOOP}")
    with pytest.raises(ConfigError, match=r"MISSING_KEY: own\.toml.*held_out_folds in its section"):
        check_config(path, "train-candidates")
