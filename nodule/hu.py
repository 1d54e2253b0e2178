"""Hounsfield windows and constants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError

AIR_HU = -1000.0


@dataclass(frozen=True, kw_only=True)
class HuWindow:
    """A closed interval of Hounsfield units.

    Raises
    ------
    InputError : ``BAD_WINDOW`` unless low < high.
    """

    low_hu: float
    high_hu: float

    def __post_init__(self) -> None:
        if not self.low_hu < self.high_hu:
            raise InputError(
                "a HU window must rise",
                code="BAD_WINDOW",
                expected="low_hu < high_hu",
                got=f"{self.low_hu} and {self.high_hu}",
            )

    def clip(self, array_hu: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a copy limited to the window; any shape, HU."""
        return np.clip(array_hu, np.float32(self.low_hu), np.float32(self.high_hu))

    def normalise(self, array_hu: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the window mapped to [0, 1], float32, clipped; any shape."""
        scale = np.float32(1.0 / (self.high_hu - self.low_hu))
        return (self.clip(array_hu) - np.float32(self.low_hu)) * scale


NETWORK_WINDOW = HuWindow(low_hu=-1000.0, high_hu=400.0)  # LUNA16 and de Wit 2017
LUNG_WINDOW = HuWindow(low_hu=-1350.0, high_hu=150.0)  # customary display, W 1500 L -600
MEDIASTINAL_WINDOW = HuWindow(low_hu=-160.0, high_hu=240.0)  # customary display, W 400 L 40
