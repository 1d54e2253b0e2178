"""Windows reach every wanted cell, the border included, and answers land where they belong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nodule.candidates import STRIDE, Plan, plan_cheapest, plan_windows, slide_window
from nodule.candidates._sliding_window import axis_starts, cells_of


def answer_with_voxels(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Answer with the voxel on which each cell sits."""
    return np.repeat(images[:, :, ::STRIDE, ::STRIDE, ::STRIDE], 5, axis=1)


def ramp(shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """HU that differ from voxel to voxel, within the network's window."""
    return np.linspace(-900, 300, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def echo(array_hu: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    plan = plan_windows(wanted, size=16, halo=4)
    return slide_window(answer_with_voxels, array_hu, plan, batch=2)[0]


def test_the_last_window_is_aligned_with_the_end() -> None:
    # 100 cells, windows of 32 with rims of 8: steps of 16 from 0 to 64, then 68 = 100 - 32
    assert axis_starts(0, 100, window=32, halo=8) == [0, 16, 32, 48, 64, 68]


def test_one_window_is_enough_for_a_short_axis() -> None:
    assert axis_starts(4, 20, window=32, halo=8) == [4]


@pytest.mark.parametrize("shape", [(70, 65, 129), (16, 40, 200), (64, 64, 64), (9, 130, 66)])
def test_every_cell_to_the_last_is_answered_by_its_own_place(shape: tuple[int, int, int]) -> None:
    array_hu = ramp(shape)
    answers = echo(array_hu, np.ones(cells_of(shape), bool))
    expected = (array_hu[::STRIDE, ::STRIDE, ::STRIDE] + 1000) / 1400
    np.testing.assert_allclose(answers, expected, atol=1e-6)


@given(low=st.tuples(*[st.integers(0, 39)] * 3), size=st.tuples(*[st.integers(1, 40)] * 3))
def test_any_box_of_wanted_cells_is_answered_exactly_once(
    low: tuple[int, int, int], size: tuple[int, int, int]
) -> None:
    wanted = np.zeros((40, 40, 40), bool)
    wanted[tuple(slice(a, a + n) for a, n in zip(low, size, strict=True))] = True
    answered = np.zeros(wanted.shape, int)
    for window in plan_windows(wanted, size=16, halo=4).windows:
        answered[window.core] += 1
        for start, core in zip(window.start, window.core, strict=True):
            assert start <= core.start < core.stop <= start + 16
    assert (answered[wanted] == 1).all()
    assert answered.max() == 1


def test_windows_without_wanted_cells_are_not_run() -> None:
    wanted = np.zeros((64, 64, 64), bool)
    wanted[2, 2, 2] = wanted[60, 60, 60] = True
    assert len(plan_windows(wanted, size=16, halo=4).windows) == 2
    assert plan_windows(np.zeros((8, 8, 8), bool), size=16, halo=4) == Plan(size=16, windows=())


def test_the_cheapest_plan_is_taken() -> None:
    wanted = np.ones((24, 24, 24), bool)
    # 24 cells: one window of 24; two of 16 along each axis, 8 * 16^3 = 32768 > 24^3 = 13824; one
    # of 32
    plan = plan_cheapest(wanted, sizes=(16, 24, 32), halo=4)
    assert (plan.size, len(plan.windows), plan.cells) == (24, 1, 13824)


def test_nothing_is_hot_where_no_window_looked() -> None:
    wanted = np.zeros(cells_of((256, 64, 64)), bool)
    wanted[1] = True
    answers = echo(ramp((256, 64, 64)), wanted)
    assert answers[-1].max() < -20
