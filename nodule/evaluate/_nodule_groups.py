"""Groups of nodules that detection and malignancy are evaluated in."""

from __future__ import annotations

import numpy as np

SIZES_MM = (6.0, 10.0, 20.0)

_SIZE_NAMES = ("<6", "6-<10", "10-<20", ">=20")


def size_class(diameter_mm: float) -> str:
    """Return the class of a diameter, named in mm."""
    return _SIZE_NAMES[int(np.digitize(diameter_mm, SIZES_MM))]
