"""A place is shown in every mirror, and the answers are averaged."""

import math

import numpy as np
import pytest
import torch

from nodule.malignancy import Predictor
from nodule.malignancy._predict import TTA_FLIPS
from nodule.malignancy.network import LEVELS, Outputs


class SeesItsFirstVoxel(torch.nn.Module):
    """Answers by the voxel that lies first: another one in each mirror."""

    def forward(self, cubes: torch.Tensor) -> Outputs:
        first = cubes[:, 0, 0, 0, 0]
        return Outputs(
            nodule=first,
            log_diameter=first,
            ratings={name: first[:, None].repeat(1, n) for name, n in LEVELS.items()},
        )


@pytest.fixture
def predictor() -> Predictor:
    network = SeesItsFirstVoxel()
    return Predictor(network=network, device=torch.device("cpu"), precision="fp32", batch=2)  # type: ignore[arg-type]


def test_there_are_eight_mirrors_and_the_first_is_none() -> None:
    assert len(set(TTA_FLIPS)) == 2**3
    assert TTA_FLIPS[0] == ()
    assert {axis for axes in TTA_FLIPS for axis in axes} == {2, 3, 4}


def test_probabilities_and_logarithms_of_diameters_are_averaged_over_mirrors(
    predictor: Predictor,
) -> None:
    """Each mirror brings another corner to the front: 0, 1, … 7 in some order."""
    cubes = np.zeros((3, 1, 4, 4, 4), np.float32)
    corners = [(z, y, x) for z in (0, 3) for y in (0, 3) for x in (0, 3)]
    for value, corner in enumerate(corners):
        cubes[:, 0, *corner] = value
    found = predictor.predict(cubes)
    sigmoids = [1 / (1 + math.exp(-value)) for value in range(8)]
    assert found.probability == pytest.approx([np.mean(sigmoids)] * 3, abs=1e-6)
    assert found.diameter_mm == pytest.approx([8.0 * math.exp(3.5)] * 3, rel=1e-5)
    assert found.malignancy == pytest.approx(np.full((3, 5), 0.2), abs=1e-6)
