"""``nodule evaluate candidates`` on a phantom, by an untrained network."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
import typer
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from nodule.candidates import HeatmapNetwork, OperatingTable
from nodule.errors import InputError
from nodule.lidc import find_scans
from nodule.phantom import make_phantom, random_spec
from nodule.weights import Weights, save_state
from pipelines.cli._dataset import dataset_app
from pipelines.cli._evaluate import evaluate_app
from pipelines.cli._evaluate_candidates import candidates

UID = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100000000000000000000000000009"
TINY = {"channels": [4, 4, 4, 4], "depths": [1, 1, 1, 1]}

app = typer.Typer()
app.command()(candidates)


@pytest.fixture(scope="module")
def crop_set(phantom_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    ran = CliRunner().invoke(dataset_app, ["lidc", str(phantom_study), "-o", str(folder)])
    assert ran.exit_code == 0
    return folder


def untrained(path: Path, *, saw: tuple[str, ...]) -> Path:
    torch.manual_seed(0)
    network = HeatmapNetwork(**TINY)
    torch.nn.init.normal_(network.head.weight, std=0.5)
    save_state(
        path,
        network.state_dict(),
        stage="candidates",
        architecture=TINY,
        training_patients=saw,
    )
    return path


def evaluate(crop_set: Path, study: Path, weights: Path, *more: str) -> Result:
    arguments = ("--data", crop_set, "--scans", study, "--weights", weights, "--draws", 20, *more)
    return CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)


def test_measures_a_phantom_and_calibrates(
    crop_set: Path, phantom_study: Path, tmp_path: Path
) -> None:
    weights = untrained(tmp_path / "mine.safetensors", saw=())
    out = tmp_path / "out"
    ran = evaluate(crop_set, phantom_study, weights, "--calibrate", "--card", "-o", str(out))
    summary = json.loads(ran.stdout.splitlines()[-1])
    judges = Weights.shipped_members("malignancy")
    table = OperatingTable.beside(Weights.open(weights), *judges)
    assert table.n_scans == len(summary["chain"]["scans"]) == 1
    for rate in ("4", "2", "1"):
        point = summary["chain"]["operating_points"][rate]
        assert point["threshold"] == table.threshold_for(float(rate))
        assert point["fp_per_scan"]["value"] <= float(rate)
        assert point["sensitivity"]["n"] == sum(
            group["n"] for group in point["by_size_mm"].values()
        )
    assert summary["scope"]["seen_patients"] == 0
    card = (tmp_path / "mine.md").read_text()
    assert f"| {summary['chain']['operating_points']['4']['sensitivity']['value']:.3f} |" in card
    assert "detector alone: sensitivity at 4 false positives per scan" in card
    assert json.loads((out / "candidates.json").read_text()) == summary
    with (out / "nodules.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == summary["n_nodules"]
    with (out / "marks.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == summary["chain"]["scans"][0]["detections"]


def test_refuses_a_scan_seen_in_training_and_says_so_when_it_may(
    crop_set: Path, phantom_study: Path, tmp_path: Path
) -> None:
    weights = untrained(tmp_path / "mine.safetensors", saw=(phantom_study.name,))
    with pytest.raises(InputError) as refused:
        evaluate(crop_set, phantom_study, weights)
    assert refused.value.code == "SEEN_IN_TRAINING"
    ran = evaluate(crop_set, phantom_study, weights, "--allow-seen")
    assert json.loads(ran.stdout.splitlines()[-1])["scope"]["seen_patients"] == 1
    assert "do not measure performance" in ran.stderr


def test_refuses_a_scan_that_training_saw_by_its_series(
    crop_set: Path, phantom_study: Path, tmp_path: Path
) -> None:
    (series,) = find_scans(phantom_study)[0].series
    weights = untrained(tmp_path / "mine.safetensors", saw=(series,))
    with pytest.raises(InputError) as refused:
        evaluate(crop_set, phantom_study, weights)
    assert refused.value.code == "SEEN_IN_TRAINING"


@pytest.fixture(scope="module")
def luna16(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay subset 9 of one phantom, whose last nodule is one of those that LUNA16 excludes."""
    root = tmp_path_factory.mktemp("luna") / "LUNA16"
    (root / "subset9").mkdir(parents=True)
    phantom = make_phantom(random_spec(5, size="small", n_nodules=3))
    geometry = phantom.volume.geometry
    z, y, x = geometry.spacing_zyx_mm
    image = sitk.GetImageFromArray(phantom.volume.array_zyx.astype(np.int16))
    image.SetSpacing((x, y, z))
    image.SetOrigin(geometry.origin_lps_mm)
    sitk.WriteImage(image, str(root / "subset9" / f"{UID}.mhd"))
    rows = [
        f"{UID},{','.join(map(str, each.center_lps_mm))},{each.plan.diameter_mm}"
        for each in phantom.nodules
    ]
    heading = "seriesuid,coordX,coordY,coordZ,diameter_mm"
    (root / "annotations.csv").write_text("\n".join([heading, *rows[:2]]) + "\n")
    (root / "annotations_excluded.csv").write_text("\n".join([heading, *rows[2:]]) + "\n")
    return root


def test_measures_luna16_and_writes_submissions_that_score_alike(
    luna16: Path, tmp_path: Path
) -> None:
    made = CliRunner().invoke(dataset_app, ["luna16", str(luna16), "-o", str(tmp_path / "SET")])
    assert made.exit_code == 0
    weights = untrained(tmp_path / "mine.safetensors", saw=())
    out = tmp_path / "out"
    ran = evaluate(tmp_path / "SET", luna16 / "subset9", weights, "--fold", "9", "-o", str(out))
    summary = json.loads(ran.stdout.splitlines()[-1])
    assert (summary["n_nodules"], summary["folds"]) == (2, {"9": 2})
    (scan,) = summary["chain"]["scans"]
    assert (scan["scan"], scan["series_uid"], len(scan["nodules"])) == (UID, UID, 2)
    scope = summary["scope"]
    # the shipped judges list their patients by number, and this one has a series only
    assert (scope["seen_patients"], scope["perhaps_seen_patients"]) == (0, 1)
    assert "cannot be determined" in ran.stderr
    point = summary["chain"]["operating_points"]["4"]
    located = point["scan_nodules_by_location"]
    assert point["scan_nodules"]["n"] == 2
    assert sum(located.get(side, {"n": 0})["n"] for side in ("right", "left", "outside")) == 2
    assert sum(group["n"] for group in point["by_side"].values()) == 2
    for file, part in (
        ("marks", summary["chain"]),
        ("detector_marks", summary["detector"]),
    ):
        score = froc_of(out / f"{file}.csv", luna16, out / "seriesuids.csv")
        (judged,) = part["scans"]
        assert (score["scans"], score["marks"]) == (1, judged["detections"])
        assert score["false_positives"] == judged["false_positives"]
        assert score["ignored"] == judged["ignored"]
        assert score["false_negatives"] == [n["rank"] for n in judged["nodules"]].count(None)
    for picture in ("froc.png", "sensitivity.png"):
        with Image.open(out / picture) as image:
            assert image.size[0] >= 720


def froc_of(submission: Path, luna16: Path, seriesuids: Path) -> dict[str, object]:
    options = {
        "--submission": submission,
        "--annotations": luna16 / "annotations.csv",
        "--excluded": luna16 / "annotations_excluded.csv",
        "--seriesuids": seriesuids,
    }
    words = ["froc", *(str(word) for option in options.items() for word in option)]
    ran = CliRunner().invoke(evaluate_app, words, catch_exceptions=False)
    score: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return score


def test_refuses_a_fold_without_nodules(
    crop_set: Path, phantom_study: Path, tmp_path: Path
) -> None:
    weights = untrained(tmp_path / "mine.safetensors", saw=())
    with pytest.raises(InputError) as refused:
        evaluate(crop_set, phantom_study, weights, "--fold", "7")
    assert refused.value.code == "NO_NODULES"
