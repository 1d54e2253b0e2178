import numpy as np
import pytest
import torch

from nodule.lungs.training._chest_window import cut_fields, cut_window, draw_window_pose
from nodule.lungs.training._chests import TrainingChest
from nodule.training import STRAIGHT, SamplePose

MIRRORED = SamplePose(
    turn=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)), mirrored=(False, False, True)
)


@pytest.fixture
def chest() -> TrainingChest:
    """Lungs about the middle of a chest, index (9.5, 11.5, 15.5) of 3 mm voxels."""
    image = torch.full((20, 24, 32), 0.75)
    lungs = torch.zeros(2, 20, 24, 32)
    lungs[0, 4:16, 6:18, 3:13] = 1.0
    lungs[1, 4:16, 6:18, 19:29] = 1.0
    image[lungs.sum(0) > 0] = 0.1
    image[4:16, 6:18, 3] = 0.2  # tells the right lung's outer side
    return TrainingChest(image=image, lungs=lungs)


def test_an_untouched_window_is_the_chest_itself(chest):
    window = cut_window(chest, STRAIGHT, size_zyx=(20, 24, 32))
    torch.testing.assert_close(window.image, chest.image, atol=1e-4, rtol=0)
    torch.testing.assert_close(window.lungs, chest.lungs, atol=1e-4, rtol=0)


def test_a_window_lies_where_its_shift_says(chest):
    shifted = SamplePose(shift_mm=(3.0, 6.0, -9.0))
    window = cut_window(chest, shifted, size_zyx=(8, 8, 8))
    torch.testing.assert_close(window.image, chest.image[7:15, 10:18, 9:17], atol=1e-4, rtol=0)


def test_beyond_the_chest_there_is_air_and_no_lung(chest):
    window = cut_window(chest, SamplePose(shift_mm=(-90.0, 0.0, 0.0)), size_zyx=(8, 8, 8))
    assert not window.image.any()
    assert not window.lungs.any()


def test_a_mirrored_chest_still_has_its_right_lung_on_the_right(chest):
    window = cut_window(chest, MIRRORED, size_zyx=(20, 24, 32))
    torch.testing.assert_close(window.lungs[0], chest.lungs[1].flip(-1), atol=1e-4, rtol=0)
    torch.testing.assert_close(window.image, chest.image.flip(-1), atol=1e-4, rtol=0)


def test_every_drawn_window_keeps_right_at_smaller_x(chest):
    x = torch.arange(32.0)
    for seed in range(30):
        pose = draw_window_pose(np.random.default_rng(seed))
        window = cut_window(chest, pose, size_zyx=(32, 32, 32))
        right, left = (float((side.sum((0, 1)) * x).sum() / side.sum()) for side in window.lungs)
        if window.lungs.sum((1, 2, 3)).min() > 50:
            assert right < left


def test_fields_are_interpolated_at_once_as_a_patch_is_alone():
    fields = np.random.default_rng(0).random((3, 18, 20, 25)).astype(np.float32)
    for seed in range(4):
        drawn = draw_window_pose(np.random.default_rng(seed))
        pose = drawn.at((9.0, 8.0, 11.0), (3.0,) * 3, shape_zyx=(16, 12, 14), voxel_mm=3.0)
        at_once = cut_fields(torch.from_numpy(fields), pose).numpy()
        alone = np.stack([pose.cut(field, outside=0.0) for field in fields])
        np.testing.assert_allclose(at_once, alone, atol=1e-4)
