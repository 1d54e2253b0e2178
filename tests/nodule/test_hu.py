"""Windows of Hounsfield units, at their ends and just beyond."""

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.hu import (
    AIR_HU,
    LUNG_WINDOW,
    MEDIASTINAL_WINDOW,
    NETWORK_WINDOW,
    HuWindow,
    normalise_in_two_windows,
)


def test_air_is_minus_1000_by_definition_of_the_unit() -> None:
    assert AIR_HU == -1000.0


def test_networks_see_minus_1000_to_400() -> None:
    """LUNA16 and de Wit 2017."""
    hu = np.array([-1001, -1000, -999, -300, 399, 400, 401], np.float32)
    np.testing.assert_array_equal(
        NETWORK_WINDOW.clip(hu), [-1000, -1000, -999, -300, 399, 400, 400]
    )
    expected = np.array([0, 0, 1, 700, 1399, 1400, 1400]) / 1400
    np.testing.assert_allclose(NETWORK_WINDOW.normalise(hu), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("window", "width_hu", "level_hu"),
    [(LUNG_WINDOW, 1500.0, -600.0), (MEDIASTINAL_WINDOW, 400.0, 40.0)],
)
def test_displays_have_their_customary_width_and_level(
    window: HuWindow, width_hu: float, level_hu: float
) -> None:
    assert window.high_hu - window.low_hu == width_hu
    assert (window.high_hu + window.low_hu) / 2 == level_hu


@pytest.mark.parametrize(("high_hu", "refused"), [(-1.0, True), (0.0, True), (1.0, False)])
def test_a_window_rises(high_hu: float, refused: bool) -> None:
    if refused:
        with pytest.raises(InputError, match="BAD_WINDOW"):
            HuWindow(low_hu=0.0, high_hu=high_hu)
    else:
        assert HuWindow(low_hu=0.0, high_hu=high_hu).normalise(np.float32([0.5]))[0] == 0.5


def test_two_windows_go_on_where_the_first_ends() -> None:
    hu = np.array([-3000, -1000, -300, 400, 1100, 1800, 3000], np.float32)
    mapped = normalise_in_two_windows(hu)
    np.testing.assert_allclose(mapped, [0, 0, 0.5, 1, 1.5, 2, 2], atol=1e-6)
    np.testing.assert_array_equal(np.minimum(mapped, 1), NETWORK_WINDOW.normalise(hu))
