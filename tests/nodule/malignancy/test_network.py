"""The network keeps its tasks apart, and can learn a batch by heart."""

from pathlib import Path

import torch

from nodule.inference import fold_normalisation
from nodule.lidc import CHARACTERISTICS
from nodule.malignancy._answers import LEVELS
from nodule.malignancy.network import C3DMultitask, build
from nodule.malignancy.training import MalignancyTask

TASK = MalignancyTask(crop_set=Path(), scans=(), magnifications_mm=(1.0,))  # no data is read


def batch(*, negatives: int = 2, positives: int = 2, cube: int = 16) -> dict[str, torch.Tensor]:
    size = negatives + positives
    generator = torch.Generator().manual_seed(3)
    votes = torch.zeros(size, sum(LEVELS.values()))
    start = 0
    for levels in LEVELS.values():
        for item in range(negatives, size):
            votes[item, start + int(torch.randint(levels, (), generator=generator))] = 3.0
        start += levels
    known = torch.tensor([0.0] * negatives + [1.0] * positives)
    return {
        "cubes": torch.rand((size, 1, cube, cube, cube), generator=generator),
        "nodule": known,
        "nodule_weight": torch.ones(size),
        "votes": votes,
        "log_diameter": torch.linspace(-0.5, 0.8, size),
        "diameter_weight": known,
    }


def test_every_lidc_characteristic_has_an_output() -> None:
    assert tuple(LEVELS) == CHARACTERISTICS
    outputs = C3DMultitask(magnifications_mm=(1.0, 1.5))(torch.rand(2, 2, 32, 32, 32))
    assert {name: tuple(v.shape) for name, v in outputs.ratings.items()} == {
        name: (2, levels) for name, levels in LEVELS.items()
    }
    assert outputs.nodule.shape == outputs.log_diameter.shape == (2,)


def test_only_a_second_window_tells_calcium_from_what_ends_the_first() -> None:
    torch.manual_seed(0)
    dense = torch.ones(1, 1, 16, 16, 16)  # 400 HU everywhere
    calcium = 1.5 * dense  # 1100 HU
    for windows, differs in ((1, False), (2, True)):
        network = C3DMultitask(windows=windows).eval()
        with torch.no_grad():
            apart = network(dense).nodule - network(calcium).nodule
        assert bool(apart.abs() > 1e-6) == differs


def test_negatives_pull_on_the_nodule_output_only() -> None:
    network = TASK.network()
    TASK.losses(network, batch(negatives=3, positives=0))["loss"].backward()
    gradient = network.tasks.weight.grad
    assert gradient is not None
    assert gradient[0].abs().max() > 0
    assert gradient[1:].abs().max() == 0


def test_a_nodule_without_context_does_not_pull_on_the_nodule_output() -> None:
    network = TASK.network()
    unsure = {**batch(negatives=0, positives=3), "nodule_weight": torch.zeros(3)}
    TASK.losses(network, unsure)["loss"].backward()
    gradient = network.tasks.weight.grad
    assert gradient is not None
    assert gradient[0].abs().max() == 0
    assert gradient[1:].abs().max() > 0


def test_learns_one_batch_by_heart() -> None:
    torch.manual_seed(0)
    network = build({**TASK.architecture(), "dropout": 0.0})
    learned = batch()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        losses = TASK.losses(network, learned)
        losses["loss"].backward()
        optimiser.step()
    assert losses["malignancy"].item() < 0.05
    assert losses["nodule"].item() < 0.05
    assert losses["characteristics"].item() < 0.1


def test_folding_the_normalisation_changes_no_answer() -> None:
    torch.manual_seed(0)
    network = TASK.network()
    cubes = torch.rand(6, 1, 32, 32, 32)
    network(cubes)  # moves the running statistics away from 0 and 1
    network.eval()
    with torch.inference_mode():
        before = network(cubes)
        after = fold_normalisation(network)(cubes)
    torch.testing.assert_close(after.nodule, before.nodule, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm3d) for m in network.modules())
