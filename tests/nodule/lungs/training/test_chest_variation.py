import numpy as np
import pytest
import torch

from nodule.lungs.training._chest_variation import add_masses, consolidate, rescan, shorten
from nodule.lungs.training._chests import TrainingChest


@pytest.fixture
def chest() -> TrainingChest:
    image = torch.full((20, 24, 32), 0.75)
    lungs = torch.zeros(2, 20, 24, 32)
    lungs[0, 4:16, 6:18, 4:13] = 1.0
    lungs[1, 4:16, 6:18, 19:29] = 1.0
    image[lungs.sum(0) > 0] = 0.1
    image[4:16, 6:18, 4] = 0.2  # tells the right lung's outer side
    return TrainingChest(image=image, lungs=lungs)


@pytest.mark.parametrize("disease", [consolidate, add_masses])
def test_disease_makes_lungs_denser_and_keeps_their_label(chest, disease):
    for seed in range(10):
        ill = disease(chest, np.random.default_rng(seed))
        torch.testing.assert_close(ill.lungs, chest.lungs)
        change = ill.image - chest.image
        assert (change[chest.lungs.sum(0) == 0] == 0).all()
        assert change.min() >= 0


@pytest.mark.parametrize("seed", range(6))
def test_a_shortened_view_has_neither_tissue_nor_lung_beyond_its_ends(chest, seed):
    short = shorten(chest, np.random.default_rng(seed))
    seen = short.image > 0
    assert 0 < seen.float().mean() < 1
    assert not short.lungs[:, ~seen].any()
    torch.testing.assert_close(short.image[seen], chest.image[seen])
    torch.testing.assert_close(short.lungs[:, seen], chest.lungs[:, seen])


def test_noise_stays_in_the_window(chest):
    noisy = rescan(chest, np.random.default_rng(3))
    assert noisy.image.min() >= 0
    assert noisy.image.max() <= 1
    assert not torch.equal(noisy.image, chest.image)
