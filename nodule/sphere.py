"""A sphere's volume from its diameter, and back. Free of NumPy, for rules are plain arithmetic."""

from __future__ import annotations

import math


def sphere_volume_mm3(diameter_mm: float) -> float:
    """Volume of a sphere, pi/6 d³."""
    return math.pi / 6 * diameter_mm**3


def sphere_diameter_mm(volume_mm3: float) -> float:
    """Diameter of the sphere with this volume, (6V/pi)^(1/3)."""
    return math.cbrt(6 * volume_mm3 / math.pi)
