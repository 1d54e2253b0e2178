"""``nodule evaluate lungs`` on a phantom."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from nodule.errors import InputError
from nodule.phantom import make_phantom, random_spec, write_nifti
from nodule.volume import Volume
from nodule.weights import Weights
from pipelines.cli._evaluate_lungs import lungs

app = typer.Typer()
app.command()(lungs)


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Write the lungs of the phantom that ``phantom_study`` is."""
    phantom = make_phantom(random_spec(3, size="small"))
    labels = phantom.lungs.labels_zyx.astype(np.float32)
    volume = Volume(array_zyx=labels, geometry=phantom.lungs.geometry)
    write_nifti(volume, tmp_path / "lungs.nii.gz")
    return tmp_path / "lungs.nii.gz"


@pytest.fixture
def seen(phantom_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the shipped weights name the phantom among their training patients."""
    shipped = Weights.shipped
    named = replace(shipped("lungs"), training_patients=(phantom_study.name,))
    monkeypatch.setattr(Weights, "shipped", lambda n: named if n == "lungs" else shipped(n))


@pytest.mark.usefixtures("seen")
def test_compares_a_phantom_with_its_truth_and_says_that_it_was_seen(
    phantom_study: Path, truth: Path
) -> None:
    ran = evaluate(phantom_study, "--reference", truth, "--allow-seen")
    summary = json.loads(ran.stdout.splitlines()[-1])
    (study,) = summary["studies"]
    assert summary["reference"] == "lungs.nii.gz"
    for side in ("both", "right", "left"):
        assert study["parts"][side]["dice"] > 0.9
    centers = summary["nodule_centers"]
    assert 0 < centers["inside"] <= centers["within_margin"] <= centers["n"]
    assert summary["inside"]["value"] == centers["inside"] / centers["n"]
    assert summary["scope"]["seen_patients"] == 1
    assert "do not measure performance" in ran.stderr


@pytest.mark.slow
def test_writes_its_figures_into_the_card_beside_the_weights(
    phantom_study: Path, tmp_path: Path
) -> None:
    shipped = Weights.shipped("lungs")
    shutil.copy(shipped.path, tmp_path / "mine.safetensors")
    evaluate(phantom_study, "--weights", tmp_path / "mine.safetensors", "--card")
    card = (tmp_path / "mine.md").read_text()
    assert f"`{shipped.sha256}`" in card
    assert "### Lungs of CASE-1\n" in card
    assert " CASE-1 --weights mine.safetensors --card`" in card
    assert "Patients evaluated: 1, none of them seen in training." in card.replace("\n", " ")
    assert "| CASE-1, both lungs: Dice | 0.9" in card
    assert str(tmp_path) not in card


@pytest.mark.usefixtures("seen")
def test_refuses_training_patients(phantom_study: Path) -> None:
    with pytest.raises(InputError) as refused:
        evaluate(phantom_study)
    assert refused.value.code == "SEEN_IN_TRAINING"


def test_one_reference_is_for_one_study(phantom_study: Path, truth: Path) -> None:
    with pytest.raises(InputError) as refused:
        evaluate(phantom_study, phantom_study, "--reference", truth)
    assert refused.value.code == "ONE_STUDY"
