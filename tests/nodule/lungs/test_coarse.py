"""The coarse grid: means on the way there, straight lines on the way back."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from nodule.lungs._coarse import COARSENING, coarsen, interpolate


def test_a_coarse_voxel_is_the_mean_of_27_and_the_border_of_what_there_is() -> None:
    fine = np.random.default_rng(0).normal(size=(7, 9, 8)).astype(np.float32)
    coarse = coarsen(fine)
    assert coarse.shape == (3, 3, 3)
    assert coarse.dtype == np.float32
    np.testing.assert_allclose(coarse[0, 0, 0], fine[:3, :3, :3].mean(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(coarse[2, 1, 2], fine[6:, 3:6, 6:].mean(), rtol=1e-4, atol=1e-6)


def test_fine_voxels_lie_on_straight_lines_between_coarse_ones() -> None:
    """Fine voxel 3 i + 1 lies on coarse voxel i, its neighbours a third of the way off."""
    line = np.array([0.0, 3.0, 9.0], np.float32)
    fine = interpolate(np.tile(line, (1, 1, 1)))[0, 0]
    np.testing.assert_allclose(fine, [0, 0, 1, 2, 3, 5, 7, 9, 9], atol=1e-6)


def test_a_field_is_interpolated_as_torch_does() -> None:
    field = np.random.default_rng(1).random((5, 4, 6), np.float32)
    expected = functional.interpolate(
        torch.from_numpy(field)[None, None], scale_factor=COARSENING, mode="trilinear"
    )
    np.testing.assert_allclose(interpolate(field), expected[0, 0].numpy(), atol=1e-6)


@pytest.mark.parametrize("slab", [3, 6, 300])
def test_averages_do_not_depend_on_slabs(slab: int, monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.random.default_rng(8).integers(-1024, 3072, (110, 7, 5)).astype(np.int16)
    whole = coarsen(array)
    monkeypatch.setattr("nodule.lungs._coarse.SLAB", slab)
    np.testing.assert_array_equal(coarsen(array), whole)
