"""What is not known costs nothing, and one batch can be learned by heart."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nodule.candidates.training import CandidatesTask
from nodule.candidates.training._candidates_task import focal_loss
from nodule.candidates.training._heatmap_targets import Target, encode


def one_batch() -> dict[str, torch.Tensor]:
    """Two images of 32 mm with a bright ball of 8 and one of 12 mm."""
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


def test_learns_one_batch_by_heart() -> None:
    torch.manual_seed(0)
    task = CandidatesTask(crop_set=Path("unused"), channels=(8, 16, 16, 16), depths=(1, 1, 1, 1))
    network = task.network()
    batch = one_batch()
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


def test_unknown_cells_cost_nothing() -> None:
    logits, heat = torch.randn(1, 1, 4, 4, 4), torch.zeros(1, 1, 4, 4, 4)
    heat[0, 0, 1, 1, 1] = 1.0
    nothing = torch.zeros_like(heat)
    assert focal_loss(logits, heat, nothing).item() == 0.0


def test_focal_loss_of_a_known_case() -> None:
    # a positive at 0.5 and a negative at 0.5 on a slope of 0.5:
    # 0.25 ln 2 + 0.0625 * 0.25 ln 2, for one nodule
    logits = torch.zeros(1, 1, 1, 1, 2)
    heat = torch.tensor([1.0, 0.5]).reshape(1, 1, 1, 1, 2)
    expected = (0.25 + 0.0625 * 0.25) * np.log(2)
    assert focal_loss(logits, heat, torch.ones_like(heat)).item() == pytest.approx(expected)
