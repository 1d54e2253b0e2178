"""Other scanners, doses and kernels: what is done to a patch's intensities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

_THICK_SLICE_SHARE = 0.4
_THICKNESS_MM = (1.5, 4.0)
_BLUR_SHARE = 0.25
_BLUR_SIGMA_MM = (0.3, 0.8)
_SHARPEN_SHARE = 0.2
_SHARPEN = (0.3, 1.0)
_NOISE_SHARE = 0.6
_NOISE_HU = (3.0, 45.0)
_SHIFT_HU = 25.0
_GAIN = (0.94, 1.06)
_WATER_BASE_HU = -1000.0


def degrade(image_hu: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """Return a patch as another scanner might have shown it.

    Parameters
    ----------
    image_hu : float32 HU [z, y, x] at 1 mm, z across the slices; left as it is.
    """
    image = image_hu
    if rng.random() < _THICK_SLICE_SHARE:
        image = _thick_slices(image, rng.uniform(*_THICKNESS_MM), phase=rng.random())
    if rng.random() < _BLUR_SHARE:
        image = ndimage.gaussian_filter(image, rng.uniform(*_BLUR_SIGMA_MM))
    elif rng.random() < _SHARPEN_SHARE:
        image = image + rng.uniform(*_SHARPEN) * (image - ndimage.gaussian_filter(image, 1.0))
    if rng.random() < _NOISE_SHARE:
        image = image + _noise(image.shape, rng)
    gain = rng.uniform(*_GAIN)
    shifted = (image - _WATER_BASE_HU) * gain + _WATER_BASE_HU + rng.uniform(-_SHIFT_HU, _SHIFT_HU)
    return np.asarray(shifted, dtype=np.float32)


def _thick_slices(
    image_hu: NDArray[np.float32], thickness_mm: float, *, phase: float
) -> NDArray[np.float32]:
    """Average into slices of a thickness and interpolate back, as a thick scan at 1 mm looks."""
    count = image_hu.shape[0]
    averaged = ndimage.uniform_filter1d(image_hu, max(2, round(thickness_mm)), axis=0)
    centers = np.arange(-phase * thickness_mm, count + thickness_mm, thickness_mm)
    sampled = averaged[np.clip(np.rint(centers).astype(int), 0, count - 1)]
    position = (np.arange(count) - centers[0]) / thickness_mm
    below = np.floor(position).astype(int)
    share = (position - below).astype(np.float32)[:, None, None]
    return np.asarray(sampled[below] * (1 - share) + sampled[below + 1] * share, dtype=np.float32)


def _noise(shape: tuple[int, ...], rng: Generator) -> NDArray[np.float32]:
    """Draw noise that is white or, as often, correlated over about a millimetre."""
    white = rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.5:
        white = ndimage.uniform_filter(white, 2)
        white /= white.std()
    return np.float32(rng.uniform(*_NOISE_HU)) * white
