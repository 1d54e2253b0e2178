"""The network answers on its grid, folds without changing its mind, and can learn one batch."""

from pathlib import Path

import pytest
import torch

from nodule.candidates import STRIDE, HeatmapNetwork
from nodule.candidates.network import GRANULARITY, OUTPUTS, pair_columns
from nodule.candidates.training import CandidatesTask
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


def test_learns_one_batch_by_heart() -> None:
    torch.manual_seed(0)
    task = CandidatesTask(crop_set=Path("unused"), channels=(8, 16, 16, 16), depths=(1, 1, 1, 1))
    network = task.network()
    batch = _one_batch()
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    first = last = float("nan")
    for step in range(60):
        losses = task.losses(network, batch)
        first = losses["loss"].item() if step == 0 else first
        last = losses["loss"].item()
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    assert last < 0.1 * first
    hottest = torch.sigmoid(network(batch["image"])[:, 0]).flatten(1).argmax(dim=1)
    assert torch.equal(hottest, batch["heat"][:, 0].flatten(1).argmax(dim=1))


def _one_batch() -> dict[str, torch.Tensor]:
    """Two images of 32 mm with a bright ball of 8 and one of 12 mm."""
    from nodule.candidates.training._heatmap_targets import Target, encode

    grid = torch.stack(torch.meshgrid(*[torch.arange(32.0)] * 3, indexing="ij"))
    samples = []
    for center, diameter in (((9.0, 17.5, 21.0), 8.0), ((20.0, 11.0, 14.0), 12.0)):
        distance = (grid - torch.tensor(center)[:, None, None, None]).norm(dim=0)
        maps = encode([Target(center_zyx=center, diameter_mm=diameter)], cells_zyx=(8, 8, 8))
        samples.append(
            {
                "image": (distance < diameter / 2).float()[None] * 0.6 + 0.1,
                "heat": torch.from_numpy(maps.heat)[None],
                "log_diameter": torch.from_numpy(maps.log_diameter)[None],
                "offset": torch.from_numpy(maps.offset),
                "known": torch.ones(1, 8, 8, 8),
            }
        )
    return {name: torch.stack([s[name] for s in samples]) for name in samples[0]}
