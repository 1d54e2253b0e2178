"""Hard negatives are what a network marks and readers did not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodule.candidates import HeatmapNetwork
from nodule.candidates.training._hard_negative_mining import false_positives, with_hard_negatives
from nodule.training import Lesion, Region
from nodule.weights import Weights, save_state


def marks_bright_blocks(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mark every cell whose 4 mm block is brighter than soft tissue halfway filled."""
    count, _, *shape = images.shape
    blocks = images.reshape(count, *(n for edge in shape for n in (edge // 4, 4)))
    answers = np.zeros((count, 5, *(edge // 4 for edge in shape)), np.float32)
    answers[:, 0] = 60.0 * (blocks.mean(axis=(2, 4, 6)) - 0.5)
    return answers


def lung_with_blobs(*, lesions: tuple[Lesion, ...] = ()) -> Region:
    hu = np.full((40, 120, 140), -1000.0, np.float32)
    hu[:, 10:110, 10:130] = -395.0  # a body that the network does not see
    hu[4:36, 25:95, 20:120] = -850.0
    hu[15:21, 40:52, 40:52] = hu[15:21, 70:82, 90:102] = 40.0
    return Region.of_scan(hu, spacing_zyx_mm=(2.0, 1.0, 1.0), lesions=lesions)


def test_a_detection_on_a_readers_nodule_is_no_hard_negative() -> None:
    nodule = Lesion(center_mm=(35.0, 45.5, 45.5), diameter_mm=18.0)
    wrong = false_positives(lung_with_blobs(lesions=(nodule,)), marks_bright_blocks)
    assert len(wrong) > 0
    # what is left lies in the other blob, 30 to 42 by 70 to 82 by 90 to 102 mm
    assert (np.abs(wrong - [35.0, 75.5, 95.5]) <= 7.0).all()


def test_without_readers_both_are_hard_negatives() -> None:
    wrong = false_positives(lung_with_blobs(), marks_bright_blocks)
    assert {bool(y > 60) for y in wrong[:, 1]} == {True, False}


def test_mined_places_join_those_that_were_known(tmp_path: Path) -> None:
    channels, depths = [4, 4, 4, 4], [1, 1, 1, 1]
    save_state(
        tmp_path / "tiny.safetensors",
        HeatmapNetwork(channels, depths).state_dict(),
        stage="candidates",
        architecture={"channels": channels, "depths": depths},
        training_patients=(),
    )
    known = np.array([[30.0, 40.0, 50.0]])
    (mined,) = with_hard_negatives(
        [replace(lung_with_blobs(), hard_mm=known)], Weights.open(tmp_path / "tiny.safetensors")
    )
    np.testing.assert_array_equal(mined.hard_mm[:1], known)
