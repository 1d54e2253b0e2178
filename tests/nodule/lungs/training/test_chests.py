"""A chest is averaged to coarse voxels with the share that each lung fills."""

import numpy as np
import torch

from nodule.geometry import Geometry
from nodule.lungs.training._chests import TrainingChest
from nodule.volume import LungMask, Volume

GRID = Geometry(shape_zyx=(6, 9, 12), spacing_zyx_mm=(1.0, 1.0, 1.0))


def test_shares_are_those_of_the_fine_voxels() -> None:
    labels = np.zeros(GRID.shape_zyx, np.uint8)
    labels[:3, :3, :3] = LungMask.RIGHT
    labels[:3, :3, 3:5] = LungMask.LEFT  # two of three columns
    hu = np.full(GRID.shape_zyx, -300.0, np.float32)
    chest = TrainingChest.from_volume(
        Volume(array_zyx=hu, geometry=GRID), LungMask(labels_zyx=labels, geometry=GRID)
    )
    assert chest.lungs.shape == (2, 2, 3, 4)
    torch.testing.assert_close(chest.lungs[0, 0, 0], torch.tensor([1.0, 0.0, 0.0, 0.0]))
    torch.testing.assert_close(chest.lungs[1, 0, 0], torch.tensor([0.0, 2 / 3, 0.0, 0.0]))
    # -300 HU lie at half of the window from -1000 to 400
    torch.testing.assert_close(chest.image, torch.full((2, 3, 4), 0.5))
