from typing import Any

import numpy as np
import pytest

from nodule.errors import NoduleError
from nodule.geometry import Geometry
from nodule.saliency import SaliencyChecks, SaliencyMap

GRID = Geometry(shape_zyx=(2, 3, 4), spacing_zyx_mm=(1.0, 1.0, 1.0))
CHECKS = SaliencyChecks(
    score=4.0,
    score_without_hottest=2.5,
    scores_without_elsewhere=(4.0, 3.5, 4.2),
    likeness_random_head=0.5,
    likeness_random_network=0.1,
)


def heat_map(saliency_zyx: Any) -> SaliencyMap:
    return SaliencyMap(
        finding_id="N1",
        answer="malignancy",
        saliency_zyx=saliency_zyx,
        geometry=GRID,
        checks=CHECKS,
    )


def test_changes_are_from_the_answer_as_it_is() -> None:
    assert CHECKS.change_hottest == pytest.approx(-1.5)
    assert CHECKS.change_elsewhere == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("saliency_zyx", "code"),
    [
        (np.zeros((4, 3, 2), np.float16), "SHAPE_MISMATCH"),
        (np.zeros(GRID.shape_zyx, np.float32), "BAD_DTYPE"),
        (np.full(GRID.shape_zyx, 1.5, np.float16), "BAD_HEAT"),
        (np.full(GRID.shape_zyx, -0.5, np.float16), "BAD_HEAT"),
        (np.full(GRID.shape_zyx, np.nan, np.float16), "BAD_HEAT"),
    ],
)
def test_refuses_what_is_no_heat(saliency_zyx: Any, code: str) -> None:
    with pytest.raises(NoduleError, match=code):
        heat_map(saliency_zyx)


def test_an_even_map_is_a_map() -> None:
    assert heat_map(np.zeros(GRID.shape_zyx, np.float16)).geometry == GRID
