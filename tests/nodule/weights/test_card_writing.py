"""The cards that the commands write."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from nodule.errors import WeightsError
from nodule.weights import Weights
from nodule.weights.card_writing import write_evaluation, write_training
from nodule.weights.model_card import CardEvaluation, CardFigure, ModelCard
from nodule.weights.training_record import TrainingLeg, TrainingRun

RUN = TrainingRun(
    stage="line",
    task={"crop_set": Path("/home/somebody/SET"), "held_out_folds": (4,), "scans": ()},
    legs=(
        TrainingLeg(first_step=0, settings={"epochs": 2}),
        TrainingLeg(first_step=5, settings={"epochs": 3}),
    ),
    steps=15,
    epochs=3,
    kept_step=10,
    chosen_by="the lowest validation loss",
    versions={"torch": "2.13.0", "nodule": "0.1.0"},
)
FIGURES = (
    CardFigure(name="Dice", value=0.98412, n=1),
    CardFigure(name="AUC", value=0.9, interval=(0.85, 0.94567), n=188),
    CardFigure(name="centres inside", value="39/40", n=40),
    CardFigure(name="HD95, mm", value=None, digits=1),
)
CARD = """\
# line

## Weights

| fact | value |
| --- | --- |
| stage | line |
| sha256 | `{sha256}` |
| parameters and running statistics | 7 (6 as float16, 1 as float32) |
| training patients | 2, listed in the weights file (`Weights.training_patients`) |

## Training

`nodule train line`: 15 steps in 3 epochs; interruptions and resumptions: 1. The weights are those
of step 10, chosen by the lowest validation loss.

From step 5 on the loop ran with epochs 2 to 3.

| setting | value |
| --- | --- |
| task.crop_set | SET |
| task.held_out_folds | 4 |
| task.scans | none |
| loop.epochs | 3 |

Packages: nodule 0.1.0, torch 2.13.0.

## Measured

### Fold 4

`nodule evaluate line --fold 4 --card`

Fold 4 of SET. Patients evaluated: 1, none of them seen in training.

| figure | value | 95 % interval | n |
| --- | --- | --- | --- |
| Dice | 0.984 |  | 1 |
| AUC | 0.900 | 0.850 to 0.946 | 188 |
| centres inside | 39/40 |  | 40 |
| HD95, mm | none |  |  |

## Sources

- LIDC-IDRI, The Cancer Imaging Archive, CC BY 3.0, doi:10.7937/K9/TCIA.2015.LO9QL9SX. Armato SG et
  al., Med Phys 2011;38:915-931. Clark K et al., J Digit Imaging 2013;26:1045-1057.
- Patients of other sources: 1; name them and their licence here.
"""


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    return write(tmp_path, value=1.0)


def write(folder: Path, *, value: float) -> Weights:
    header = (
        '{"architecture": {}, "format": "nodule-weights-v1", "stage": "line", '
        '"training_patients": ["LIDC-IDRI-0007", "somebody"]}'
    )
    tensors = {"k": np.full((2, 3), value, np.float16), "b": np.zeros(1, np.float32)}
    save_file(tensors, folder / "w.safetensors", {"nodule": header})
    return Weights.open(folder / "w.safetensors")


def measure(weights: Weights, *, patients: int = 1, seen: int = 0) -> Path:
    evaluation = CardEvaluation(
        heading="Fold 4",
        command="nodule evaluate line --fold 4 --card",
        measured_on="Fold 4 of SET.",
        patients=patients,
        seen=seen,
        figures=FIGURES,
    )
    return write_evaluation([weights], evaluation)


def test_training_and_evaluation_write_this_card(weights: Weights) -> None:
    write_training(weights, RUN)
    assert measure(weights).read_text() == CARD.format(sha256=weights.sha256)


def test_writing_twice_changes_nothing(weights: Weights) -> None:
    write_training(weights, RUN)
    once = measure(weights).read_bytes()
    write_training(weights, RUN)
    assert measure(weights).read_bytes() == once


def test_what_a_person_wrote_is_kept(weights: Weights) -> None:
    path = write_training(weights, RUN)
    content = path.with_name("w.card.json")
    card = replace(ModelCard.open(content), summary=("Mine.",), limits=("- Mine too.",))
    content.write_bytes(card.to_json())
    measure(weights)
    write_training(weights, RUN)
    assert "# line\n\nMine.\n" in path.read_text()
    assert "\n## Limits\n\n- Mine too.\n" in path.read_text()


def test_a_card_without_json_is_not_overwritten(weights: Weights) -> None:
    card = weights.path.with_suffix(".md")
    card.write_text("# line\n\nWritten by hand.\n")
    with pytest.raises(WeightsError, match="CARD_WITHOUT_JSON"):
        measure(weights)
    assert card.read_text() == "# line\n\nWritten by hand.\n"


def test_figures_of_patients_seen_in_training_come_with_a_warning(weights: Weights) -> None:
    card = measure(weights, patients=2, seen=1).read_text()
    warning = "**Training saw 1 of the 2 patients: these figures do not measure performance.**"
    assert warning in card.replace("\n", " ")


def test_new_weights_lose_the_figures_of_the_old(tmp_path: Path, weights: Weights) -> None:
    write_training(weights, RUN)
    measure(weights)
    other = write(tmp_path, value=2.0)
    card = write_training(other, RUN).read_text()
    assert "Measured" not in card
    assert weights.sha256 not in card


def test_refuses_figures_for_the_card_of_other_weights(weights: Weights) -> None:
    write_training(weights, RUN)
    with pytest.raises(WeightsError, match="CARD_OF_OTHER_WEIGHTS"):
        measure(replace(weights, sha256="f" * 64))


@pytest.mark.parametrize("stage", ["lungs", "candidates", "malignancy"])
def test_a_new_card_states_use_and_limits_of_its_stage(weights: Weights, stage: str) -> None:
    card = write_training(replace(weights, stage=stage), replace(RUN, stage=stage)).read_text()
    for heading in ("Weights", "Use", "Training", "Limits", "Sources"):
        assert f"\n## {heading}\n" in card
    assert "not for clinical use" in card.replace("\n", " ")


def test_luna16_patients_belong_to_both_collections(weights: Weights) -> None:
    uid = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"
    card = write_training(replace(weights, training_patients=(uid,)), RUN).read_text()
    assert "LIDC-IDRI, The Cancer Imaging Archive, CC BY 3.0" in card
    assert "Setio AAA" in card


def test_an_ensemble_has_one_card(tmp_path: Path) -> None:
    members = []
    for fold in (0, 1):
        path = write(tmp_path, value=float(fold)).path.rename(
            tmp_path / f"m.fold{fold}.safetensors"
        )
        members.append(Weights.open(path))

    def together(*, value: float) -> str:
        evaluation = CardEvaluation(
            heading="All folds",
            command="nodule evaluate line --folds --card",
            measured_on="All folds.",
            patients=2,
            seen=0,
            figures=(CardFigure(name="AUC", value=value),),
        )
        return write_evaluation(members, evaluation).read_text()

    card = together(value=0.5)
    assert (tmp_path / "m.md").read_text() == card
    for member in members:
        assert f"| {member.path.name} | `{member.sha256}` | 2 |" in card
    assert "All folds. Patients evaluated: 2, none of them seen in training." in card
    assert together(value=0.5) == card
    members.pop()
    members.append(replace(members[0], sha256="e" * 64, path=tmp_path / "m.fold2.safetensors"))
    by_others = together(value=0.6)
    assert "0.500" not in by_others
    assert "| AUC | 0.600 |" in by_others
