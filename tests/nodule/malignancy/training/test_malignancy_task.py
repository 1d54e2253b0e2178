"""Which patients are learned from, and which outputs learn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nodule.candidates.training import CandidatesTask
from nodule.errors import ConfigError, InputError
from nodule.geometry import Geometry
from nodule.malignancy._answers import LEVELS
from nodule.malignancy.network import build
from nodule.malignancy.training import MalignancyTask, load_examples
from nodule.malignancy.training._malignancy_task import among_the_share
from nodule.study import SeriesHeader, Study
from nodule.training import HELD_OUT_PATIENTS, CropSet, NoduleStack, write_table
from nodule.training._crop_set_writing import write_stacks
from nodule.volume import Volume

TASK = MalignancyTask(crop_set=Path("none"), scans=())  # no data is read
CHEST = Study(
    volume=Volume(
        array_zyx=np.full((20, 20, 20), -800.0, np.float32),
        geometry=Geometry(shape_zyx=(20, 20, 20), spacing_zyx_mm=(1.0, 1.0, 1.0)),
    ),
    series=SeriesHeader(source_format="dicom", series_instance_uid="1.2.3"),
)
PATIENTS = [f"LIDC-IDRI-{number:04}" for number in range(1, 1001)]


def chosen(share: float | None, *, seed: int = 0) -> set[str]:
    return {patient for patient in PATIENTS if among_the_share(patient, share, seed=seed)}


def nodules() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        "cubes": torch.rand((2, 1, 16, 16, 16), generator=generator),
        "nodule": torch.ones(2),
        "nodule_weight": torch.ones(2),
        "votes": torch.ones(2, sum(LEVELS.values())),
        "log_diameter": torch.zeros(2),
        "diameter_weight": torch.ones(2),
    }


def test_a_tenth_of_the_patients_is_about_a_tenth() -> None:
    assert len(chosen(0.1)) == pytest.approx(100, abs=30)  # three standard deviations
    assert chosen(None) == chosen(1.0) == set(PATIENTS)


def test_a_larger_share_holds_the_smaller_one_and_another_seed_another_one() -> None:
    assert chosen(0.1) < chosen(0.3)
    assert chosen(0.1) != chosen(0.1, seed=1)


def test_the_share_never_changes() -> None:
    # sha256("0:LIDC-IDRI-0001"), by sha256sum, begins 56d5, which is at 0.339 of the whole range
    assert among_the_share("LIDC-IDRI-0001", 0.34, seed=0)
    assert not among_the_share("LIDC-IDRI-0001", 0.33, seed=0)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5])
def test_refuses_a_share_that_is_none(share: float) -> None:
    with pytest.raises(ConfigError, match=r"BAD_VALUE: patients_share.*above 0 and up to 1"):
        replace(TASK, patients_share=share)


def test_refuses_to_learn_nothing() -> None:
    with pytest.raises(ConfigError, match="NO_OUTPUT"):
        replace(TASK, outputs=())


def test_all_outputs_learn_where_none_is_named() -> None:
    torch.manual_seed(0)
    losses = TASK.losses(TASK.network().eval(), nodules())
    by_hand = losses["nodule"] + losses["malignancy"] + 0.5 * losses["characteristics"]
    torch.testing.assert_close(losses["loss"], by_hand + losses["diameter"])


def test_a_larger_cube_is_what_the_network_asks_for_and_is_kept_with_the_weights() -> None:
    assert TASK.network().cube == 32
    larger = replace(TASK, cube=48)
    assert larger.network().cube == 48
    assert build(larger.architecture()).cube == 48


def test_pretraining_does_not_look_at_the_malignancy_ratings() -> None:
    task = replace(TASK, outputs=("nodule", "characteristics", "diameter"))
    network = task.network()
    task.losses(network, nodules())["loss"].backward()
    gradient = network.tasks.weight.grad
    assert gradient is not None
    assert gradient[-LEVELS["malignancy"] :].abs().max() == 0  # the last of LIDC's ratings
    assert all(row.abs().max() > 0 for row in gradient[: -LEVELS["malignancy"]])


def test_fine_tuning_may_learn_malignancy_alone() -> None:
    task = replace(TASK, outputs=("malignancy",))
    network = task.network()
    task.losses(network, nodules())["loss"].backward()
    gradient = network.tasks.weight.grad
    assert gradient is not None
    assert gradient[-LEVELS["malignancy"] :].abs().max() > 0
    assert gradient[: -LEVELS["malignancy"]].abs().max() == 0


def crop_set(folder: Path, *stacks: NoduleStack, patient: str = "MADE-UP") -> Path:
    """Write nodules of one made-up chest of fold 2."""
    rows = write_stacks(folder, study=CHEST, patient_id=patient, stacks=stacks, fold=2)
    write_table(folder, rows)
    return folder


def by_place() -> NoduleStack:
    return NoduleStack.of_place((9.0, 9.0, 9.0), diameter_mm=4.0, study=CHEST, margin_mm=4.0)


def test_a_nodule_that_nobody_outlined_is_not_learnt_from(tmp_path: Path) -> None:
    outlined = NoduleStack.of_masks([((4, 4, 4), np.ones((2, 2, 2), np.bool_))], study=CHEST)
    crops = CropSet.open(crop_set(tmp_path, by_place(), outlined))
    (left,) = load_examples(crops, keep=lambda record: True)
    assert left.record.key == "n1"


def test_says_so_where_no_nodule_is_left(tmp_path: Path) -> None:
    task = replace(TASK, crop_set=crop_set(tmp_path, by_place()), held_out_folds=())
    with pytest.raises(InputError, match="NO_EXAMPLES"):
        task.training_samples()
    assert task.training_patients() == ()


def test_refuses_to_hold_out_a_fold_of_which_there_is_nothing(tmp_path: Path) -> None:
    task = replace(TASK, crop_set=crop_set(tmp_path, by_place()), held_out_folds=(2, 9))
    with pytest.raises(ConfigError, match=r"NO_SUCH_FOLD.*\[2\].*\[9\]"):
        task.training_samples()


def test_a_patient_kept_for_testing_is_never_learnt_from(tmp_path: Path) -> None:
    outlined = NoduleStack.of_masks([((4, 4, 4), np.ones((2, 2, 2), np.bool_))], study=CHEST)
    (kept, *_) = sorted(HELD_OUT_PATIENTS)
    folder = crop_set(tmp_path, outlined, patient=kept)
    for task in (
        replace(TASK, crop_set=folder, held_out_folds=()),
        CandidatesTask(crop_set=folder),
    ):
        assert task.training_patients() == ()
    assert replace(TASK, crop_set=folder, watched_folds=(2,)).validation_samples() == []
