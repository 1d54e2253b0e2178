from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from nodule.errors import ConfigError
from nodule.lungs.training import LungsTask
from nodule.lungs.training._chests import TrainingChest
from nodule.lungs.training._lungs_task import WindowSamples, sample_of


@pytest.fixture
def case() -> TrainingChest:
    image = torch.full((16, 16, 24), 0.75)
    lungs = torch.zeros(2, 16, 16, 24)
    lungs[0, 3:13, 4:12, 2:10] = 1.0
    lungs[1, 3:13, 4:12, 14:22] = 1.0
    image[lungs.sum(0) > 0] = 0.1
    return TrainingChest(image=image, lungs=lungs)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute on one thread: on tiny arrays, threads wait for each other longer than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_learns_one_batch_by_heart(case):
    torch.manual_seed(0)
    task = LungsTask(channels=(8, 16, 32), residual_units=1)
    network = task.network()
    batch = {name: value[None] for name, value in sample_of(case).items()}
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    first = task.losses(network, batch)["loss"].item()
    for _ in range(40):
        optimizer.zero_grad()
        losses = task.losses(network, batch)
        losses["loss"].backward()
        optimizer.step()
    assert losses["dice"].item() < 0.1
    assert losses["loss"].item() < first / 5


def test_a_sample_depends_on_its_index_and_the_seed_alone(case):
    def samples(seed: int) -> WindowSamples:
        return WindowSamples(scans=[case], phantoms=[case], size_zyx=(16, 16, 16), seed=seed)

    first = samples(1)
    _ = first[3]
    torch.testing.assert_close(first[7]["image"], samples(1)[7]["image"], atol=0, rtol=0)
    assert not torch.equal(first[7]["image"], samples(2)[7]["image"])
    assert not torch.equal(first[7]["image"], first[8]["image"])


def test_targets_are_shares_that_sum_to_one(case):
    samples = WindowSamples(scans=[], phantoms=[case], size_zyx=(16, 16, 16), seed=0)
    for index in range(5):
        target = samples[index]["target"]
        assert target.shape == (3, 16, 16, 16)
        torch.testing.assert_close(target.sum(0), torch.ones(16, 16, 16), atol=1e-4, rtol=0)


def test_names_its_patients_after_their_scans():
    task = LungsTask(scans=(Path("data/LIDC-IDRI-0002"), Path("data/chest.nii.gz")))
    assert task.training_patients() == ("LIDC-IDRI-0002", "chest")


def test_refuses_to_train_on_an_unseen_patient():
    task = LungsTask(scans=(Path("LIDC-IDRI-0001"),), unseen_patients=("LIDC-IDRI-0001",))
    with pytest.raises(ConfigError, match="HELD_OUT_SCAN"):
        task.training_samples()


def test_refuses_to_train_on_nothing():
    with pytest.raises(ConfigError, match="NO_TRAINING_DATA"):
        LungsTask(phantoms=0).training_samples()
