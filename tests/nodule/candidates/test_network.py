"""The network answers on its grid, folds without changing its mind."""

import pytest
import torch

from nodule.candidates import STRIDE, HeatmapNetwork
from nodule.candidates._heatmap import GRANULARITY, OUTPUTS
from nodule.candidates.network import pair_columns
from nodule.inference import fold_normalisation


def test_answers_once_per_cell() -> None:
    network = HeatmapNetwork((4, 4, 4, 4), (1, 1, 1, 1)).eval()
    answers = network(torch.zeros(2, 1, GRANULARITY, 2 * GRANULARITY, 3 * GRANULARITY))
    assert answers.shape == (2, OUTPUTS, *(n * GRANULARITY // STRIDE for n in (1, 2, 3)))


def test_expects_a_nodule_in_one_cell_of_a_hundred_before_training() -> None:
    network = HeatmapNetwork((4, 4, 4, 4), (1, 1, 1, 1))
    bias = network.head.bias
    assert bias is not None
    assert torch.sigmoid(bias[0]).item() == pytest.approx(0.01, abs=0.001)


def test_folding_the_normalisation_keeps_the_answers() -> None:
    torch.manual_seed(3)
    network = HeatmapNetwork((8, 8, 8, 8), (1, 1, 1, 1))
    network(torch.rand(4, 1, 32, 32, 32))  # moves the running statistics away from 0 and 1
    network.eval()
    image = torch.rand(1, 1, 32, 32, 32)
    with torch.no_grad():
        before = network(image)
        folded = fold_normalisation(network)
        after = folded(image)
    assert not any(isinstance(m, torch.nn.BatchNorm3d) for m in folded.modules())
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


def test_reading_columns_in_pairs_keeps_the_answers() -> None:
    torch.manual_seed(4)
    network = HeatmapNetwork((8, 8, 8, 8), (1, 1, 1, 1)).eval()
    image = torch.rand(2, 1, 16, 32, 48)
    with torch.no_grad():
        before = network(image)
        after = pair_columns(network)(image)
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)
