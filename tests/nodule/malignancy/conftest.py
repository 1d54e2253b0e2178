"""A made-up nodule and a made-up scan whose tissues have known densities."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for hand_built and made_up_nodules

from made_up_nodules import make_example, write_member

from nodule.malignancy.training import NoduleExample
from nodule.malignancy.training._backgrounds import Background
from nodule.weights import Weights

OTHER_LUNG_HU = -900


@pytest.fixture
def example() -> Callable[..., NoduleExample]:
    """Return a maker of a ball in lung, in a view of so many 2 mm slices."""
    return make_example


@pytest.fixture
def background() -> Background:
    """Return lung without anything in it, whose places all lie in its middle."""
    middle = np.full((1, 3), 60.0, np.float32)
    return Background(
        hu=np.full((120, 120, 120), OTHER_LUNG_HU, np.int16),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        places={"parenchyma": middle, "structure": middle},
    )


@pytest.fixture
def make_member(tmp_path: Path) -> Callable[..., Weights]:
    """Return a maker of a small network's weights, different for every seed."""
    return partial(write_member, tmp_path)
