"""All of LUNA16, tiny: from the folder as it is downloaded to the weights of a held-out subset."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from nodule.phantom import make_phantom, random_spec
from nodule.training import CropSet
from nodule.weights import Weights
from pipelines.cli.main import app
from pipelines.config import shipped_config

UID = "1.3.6.1.4.1.14519.5.2.1.6279.6001.10000000000000000000000000000{}"
SUBSETS = (0, 0, 1, 1, 2, 2)
TINY = {
    "patch": 32,
    "channels": [4, 8, 8, 8],
    "depths": [1, 1, 1, 1],
    "epochs": 1,
    "steps_per_epoch": 2,
    "batch_size": 1,
    "workers": 0,
}


@pytest.fixture
def luna16(tmp_path: Path) -> Path:
    """Lay three subsets of two phantoms each; the second scan of each subset has no nodule."""
    root = tmp_path / "LUNA16"
    rows = ["seriesuid,coordX,coordY,coordZ,diameter_mm"]
    phantom = make_phantom(random_spec(5, size="small", n_nodules=2))
    geometry = phantom.volume.geometry
    z, y, x = geometry.spacing_zyx_mm
    for number, subset in enumerate(SUBSETS):
        (root / f"subset{subset}").mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).normal(0.0, 10.0, geometry.shape_zyx)
        image = sitk.GetImageFromArray((phantom.volume.array_zyx + noise).astype(np.int16))
        image.SetSpacing((x, y, z))
        image.SetOrigin(geometry.origin_lps_mm)
        sitk.WriteImage(image, str(root / f"subset{subset}" / f"{UID.format(number)}.mhd"))
        if number % 2 == 0:
            for nodule in phantom.nodules:
                place = ",".join(map(str, nodule.center_lps_mm))
                rows.append(f"{UID.format(number)},{place},{nodule.plan.diameter_mm}")
    (root / "annotations.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Shorten the shipped configuration, all else left as it is."""
    lines = []
    for line in shipped_config("train/luna16.toml").read_text().splitlines():
        name = line.split(" = ")[0]
        lines.append(f"{name} = {TINY[name]}" if name in TINY else line)
    (tmp_path / "luna16.toml").write_text("\n".join(lines))
    return tmp_path / "luna16.toml"


def run(*words: object) -> dict[str, object]:
    ran = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert ran.exit_code == 0
    summary: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return summary


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*GPU.*")
def test_each_held_out_subset_is_one_command(luna16: Path, config: Path, tmp_path: Path) -> None:
    made = run("dataset", "luna16", luna16, "-o", tmp_path / "SET")
    assert (made["series"], made["nodules"], made["failed"]) == (3, 6, [])
    records = CropSet.open(tmp_path / "SET").records
    assert {record.fold for record in records} == {0, 1, 2}
    for subset in (0, 2):
        folder = tmp_path / f"RUN{subset}"
        run(
            *("train", "candidates", "--config", config, "--crop-set", tmp_path / "SET"),
            *("--scans", luna16, "--store", tmp_path / "STORE"),
            *("--held-out-fold", subset, "-o", folder, "--device", "cpu"),
        )
        weights = Weights.open(folder / "weights.safetensors")
        trained = {UID.format(k) for k, each in enumerate(SUBSETS) if each != subset}
        assert set(weights.training_patients) == trained
        card = (folder / "weights.md").read_text()
        assert f"| task.held_out_folds | {subset} |" in card
        assert "| task.scans | LUNA16 |" in card
        assert "LUNA16, a selection of LIDC-IDRI" in card
        assert str(tmp_path) not in card
    assert len(list((tmp_path / "STORE").glob("*.json"))) == len(SUBSETS)
