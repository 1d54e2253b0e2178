import numpy as np
import pytest
import torch

from nodule.lungs.training.chest_augmentation import (
    View,
    add_masses,
    consolidate,
    cut,
    degrade,
    draw_view,
    shorten,
)
from nodule.lungs.training.chests import TrainingChest

IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@pytest.fixture
def case() -> TrainingChest:
    image = torch.full((20, 24, 32), 0.75)
    lungs = torch.zeros(2, 20, 24, 32)
    lungs[0, 4:16, 6:18, 4:13] = 1.0
    lungs[1, 4:16, 6:18, 19:29] = 1.0
    image[lungs.sum(0) > 0] = 0.1
    image[4:16, 6:18, 4] = 0.2  # tells the right lung's outer side
    return TrainingChest(image=image, lungs=lungs)


def test_an_untouched_window_is_the_chest_itself(case):
    view = View(matrix_xyz=IDENTITY, centre_zyx=(9.5, 11.5, 15.5), mirrored=False)
    window = cut(case, view, size_zyx=(20, 24, 32))
    torch.testing.assert_close(window.image, case.image, atol=1e-4, rtol=0)
    torch.testing.assert_close(window.lungs, case.lungs, atol=1e-4, rtol=0)


def test_a_window_lies_where_its_centre_says(case):
    view = View(matrix_xyz=IDENTITY, centre_zyx=(10.5, 13.5, 12.5), mirrored=False)
    window = cut(case, view, size_zyx=(8, 8, 8))
    torch.testing.assert_close(window.image, case.image[7:15, 10:18, 9:17], atol=1e-4, rtol=0)


def test_beyond_the_chest_there_is_air_and_no_lung(case):
    view = View(matrix_xyz=IDENTITY, centre_zyx=(-20.0, 11.5, 15.5), mirrored=False)
    window = cut(case, view, size_zyx=(8, 8, 8))
    assert not window.image.any()
    assert not window.lungs.any()


def test_a_mirrored_chest_still_has_its_right_lung_on_the_right(case):
    flip = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    view = View(matrix_xyz=flip, centre_zyx=(9.5, 11.5, 15.5), mirrored=True)
    window = cut(case, view, size_zyx=(20, 24, 32))
    torch.testing.assert_close(window.lungs[0], case.lungs[1].flip(-1), atol=1e-4, rtol=0)
    torch.testing.assert_close(window.image, case.image.flip(-1), atol=1e-4, rtol=0)


def test_every_drawn_view_keeps_right_at_smaller_x(case):
    x = torch.arange(32.0)
    for seed in range(30):
        rng = np.random.default_rng(seed)
        window = cut(case, draw_view(case, rng), size_zyx=(32, 32, 32))
        right, left = (float((side.sum((0, 1)) * x).sum() / side.sum()) for side in window.lungs)
        if window.lungs.sum((1, 2, 3)).min() > 50:
            assert right < left


@pytest.mark.parametrize("disease", [consolidate, add_masses])
def test_disease_makes_lungs_denser_and_keeps_their_label(case, disease):
    for seed in range(10):
        ill = disease(case, np.random.default_rng(seed))
        torch.testing.assert_close(ill.lungs, case.lungs)
        change = ill.image - case.image
        assert (change[case.lungs.sum(0) == 0] == 0).all()
        assert change.min() >= 0


@pytest.mark.parametrize("seed", range(6))
def test_a_shortened_view_has_neither_tissue_nor_lung_beyond_its_ends(case, seed):
    short = shorten(case, np.random.default_rng(seed))
    seen = short.image > 0
    assert 0 < seen.float().mean() < 1
    assert not short.lungs[:, ~seen].any()
    torch.testing.assert_close(short.image[seen], case.image[seen])
    torch.testing.assert_close(short.lungs[:, seen], case.lungs[:, seen])


def test_noise_stays_in_the_window(case):
    noisy = degrade(case, np.random.default_rng(3))
    assert noisy.image.min() >= 0
    assert noisy.image.max() <= 1
    assert not torch.equal(noisy.image, case.image)
