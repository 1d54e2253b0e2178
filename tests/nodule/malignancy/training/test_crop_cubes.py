"""A crop is shown about its nodule, in the same synthetic lung each time."""

from collections.abc import Callable

import numpy as np
import pytest

from nodule.malignancy.network import C3DMultitask
from nodule.malignancy.training import NoduleExample, crop_cubes

NODULE, OWN_LUNG, AROUND = ((hu + 1000) / 1400 for hu in (100, -780, -850))


def test_the_nodule_lies_in_the_middle_and_lung_around_the_crop(
    example: Callable[..., NoduleExample],
) -> None:
    network = C3DMultitask(magnifications_mm=(1.0, 1.5), channels=(8, 8))
    views = example(slices=5).views
    cubes = crop_cubes(views, network)
    assert cubes.shape == (1, 2, 32, 32, 32)
    assert cubes[0, 0, 15:17, 15:17, 15:17].mean() == pytest.approx(NODULE, abs=0.01)
    # five slices of 2 mm reach 5 mm up and down; beyond there is synthetic lung
    assert cubes[0, 0, 15, 15, 25] == pytest.approx(OWN_LUNG, abs=0.01)
    assert cubes[0, 0, :8].mean() == pytest.approx(AROUND, abs=0.01)
    np.testing.assert_array_equal(cubes, crop_cubes(views, network))
