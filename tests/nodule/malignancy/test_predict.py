"""A place is shown in every mirror, and the answers are averaged."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.malignancy import Predictor
from nodule.malignancy._answers import LEVELS, CubeSizes
from nodule.malignancy._predict import TTA_FLIPS


def sees_its_first_voxel(cubes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Answer by the voxel that lies first: another one in each mirror."""
    return np.repeat(cubes[:, 0, 0, 0, :1], 2 + sum(LEVELS.values()), axis=1)


@pytest.fixture
def predictor() -> Predictor:
    return Predictor(network=sees_its_first_voxel, sees=CubeSizes(cube=4), batch=2)


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
