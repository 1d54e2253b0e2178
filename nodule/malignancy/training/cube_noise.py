"""What scanners do to an image: noise, blur, thick slices, a shifted scale."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

Cubes = NDArray[np.float32]


def degrade(cubes: Cubes, rng: Generator) -> Cubes:
    """Return cubes [magnification, z, y, x], HU, as another scanner might have shown them."""
    out = cubes + np.float32(rng.normal(0.0, 12.0))
    if rng.random() < 0.25:
        out = ndimage.gaussian_filter(out, sigma=(0.0, *[rng.uniform(0.3, 0.8)] * 3))
    if rng.random() < 0.25:
        out = ndimage.uniform_filter1d(out, size=int(rng.integers(2, 4)), axis=1)
    if rng.random() < 0.5:
        noise = rng.standard_normal(out.shape, dtype=np.float32)
        out = out + noise * np.float32(rng.uniform(5.0, 50.0))
    return np.asarray(out, dtype=np.float32)
