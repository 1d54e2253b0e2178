"""``nodule dataset detections``: what the shipped detector finds, as training takes it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nodule.ct import read_ct
from nodule.lidc import find_scans
from nodule.malignancy.training._backgrounds import read_background
from nodule.training import read_detections
from nodule.weights import Weights
from pipelines.cli.main import app


@pytest.fixture(scope="module")
def table(phantom_study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:  # type: ignore[type-arg]
    path = tmp_path_factory.mktemp("detections") / "detections.csv"
    said = CliRunner().invoke(
        app, ["dataset", "detections", str(phantom_study), "-o", str(path), "--limit", "30"]
    )
    assert said.exit_code == 0, said.output
    return path, json.loads(said.stdout.splitlines()[-1])


def test_detections_lie_in_the_scan_the_most_suspicious_first(
    table: tuple[Path, dict],  # type: ignore[type-arg]
    phantom_study: Path,
) -> None:
    path, summary = table
    (scan,) = find_scans(phantom_study)
    places = read_detections(path)[scan.patient]
    assert summary == {
        "detections": {scan.patient: len(places)},
        "weights": Weights.shipped("candidates").sha256,
    }
    assert len(places) <= 30
    geometry = read_ct(phantom_study).volume.geometry
    assert all(geometry.contains(place) for place in places)
    scores = [float(line.rsplit(",", 1)[1]) for line in path.read_text().splitlines()[1:]]
    assert scores == sorted(scores, reverse=True)


def test_training_takes_as_hard_negatives_what_lies_on_no_nodule(
    table: tuple[Path, dict],  # type: ignore[type-arg]
    phantom_study: Path,
) -> None:
    (scan,) = find_scans(phantom_study)
    detections = read_detections(table[0])
    assert "hard negative" not in read_background(scan).places
    # the phantom's own nodules are among the detections, and its vessels
    taught = read_background(scan, detections_lps_mm=detections[scan.patient])
    assert 0 < len(taught.places["hard negative"]) < len(detections[scan.patient])
