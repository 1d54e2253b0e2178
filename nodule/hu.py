"""Hounsfield windows and constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.ranges import check_fields

HuArray = NDArray[np.float32] | NDArray[np.int16]
"""HU of any shape: int16 where every value is whole and fits, which takes half the memory."""

AIR_HU = -1000.0
StoredHu = Annotated[float, Interval(ge=-32768, le=32767)]
"""What a scanner can store, in 16 bits."""


@dataclass(frozen=True, kw_only=True)
class HuWindow:
    """A closed interval of Hounsfield units.

    Raises
    ------
    InputError : ``BAD_WINDOW`` unless low < high.
    ConfigError : ``BAD_VALUE``.
    """

    low_hu: StoredHu
    high_hu: StoredHu

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.low_hu < self.high_hu:
            raise InputError(
                "the bounds of a HU window are not in order",
                code="BAD_WINDOW",
                expected="low_hu < high_hu",
                got=f"{self.low_hu} and {self.high_hu}",
            )

    def clip(self, array_hu: HuArray) -> NDArray[np.float32]:
        """Return a float32 copy limited to the window; any shape, HU."""
        return np.clip(array_hu, np.float32(self.low_hu), np.float32(self.high_hu))

    def normalise(self, array_hu: HuArray) -> NDArray[np.float32]:
        """Return the window mapped to [0, 1], float32, clipped; any shape."""
        scale = np.float32(1.0 / (self.high_hu - self.low_hu))
        return (self.clip(array_hu) - np.float32(self.low_hu)) * scale


NETWORK_WINDOW = HuWindow(low_hu=-1000.0, high_hu=400.0)  # LUNA16 and de Wit 2017
DENSE_WINDOW = HuWindow(low_hu=400.0, high_hu=1800.0)  # calcium and bone; as wide as the network's
CANONICAL_RANGE = HuWindow(low_hu=NETWORK_WINDOW.low_hu, high_hu=DENSE_WINDOW.high_hu)
LUNG_WINDOW = HuWindow(low_hu=-1350.0, high_hu=150.0)  # customary display, W 1500 L -600
MEDIASTINAL_WINDOW = HuWindow(low_hu=-160.0, high_hu=240.0)  # customary display, W 400 L 40


def normalise_in_two_windows(array_hu: HuArray) -> NDArray[np.float32]:
    """Return HU with ``NETWORK_WINDOW`` mapped to 0 to 1 and ``DENSE_WINDOW`` to 1 to 2.

    Clipped to 0 to 2, float32, any shape. What is clipped at 1 is the network's window alone.
    """
    return CANONICAL_RANGE.normalise(array_hu) * np.float32(2.0)
