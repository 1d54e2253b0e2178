"""What the scanner adds: blur in the plane, and noise with the texture of a kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from nodule.geometry import Geometry
from nodule.hu import AIR_HU

LOWEST_HU, HIGHEST_HU = -1024.0, 3071.0  # what 12 bits with an intercept of -1024 hold
_GRAIN_MM = 0.65  # correlation of the noise under a standard kernel
_STREAK_MM = 12.0


def blur_in_plane(
    array_zyx: NDArray[np.float32], geometry: Geometry, *, sigma_mm: float
) -> NDArray[np.float32]:
    """Convolve each slice with a Gaussian point spread; HU in, HU out."""
    sigma = [sigma_mm / s for s in geometry.spacing_zyx_mm]
    blurred = gaussian_filter1d(array_zyx, sigma[1], axis=1, mode="nearest", truncate=3.0)
    return np.asarray(
        gaussian_filter1d(blurred, sigma[2], axis=2, mode="nearest", truncate=3.0),
        dtype=np.float32,
    )


def noise_like(
    array_zyx: NDArray[np.float32],
    geometry: Geometry,
    *,
    sigma_hu: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Noise for an image: grainy, strongest behind much tissue, streaky across the shoulders.

    Each slice's noise is scaled by the square root of the attenuation that its rays meet (here
    the slice's mean density against that of mid-chest), and falls towards the skin.
    """
    dz, dy, dx = geometry.spacing_zyx_mm
    x, y = _axes_mm(geometry)
    bowl = (0.55 + 0.45 * np.exp(-(x**2 + 1.6 * y**2) / 120.0**2)).astype(np.float32)
    density = np.clip(array_zyx.mean(axis=(1, 2)) / 1000.0 + 1.0, 0.05, None)
    load = np.sqrt(density / np.median(density))
    out = np.empty_like(array_zyx)
    for k in range(array_zyx.shape[0]):
        white = rng.standard_normal(array_zyx.shape[1:], dtype=np.float32)
        grain = _unit(gaussian_filter(white, (_GRAIN_MM / dy, _GRAIN_MM / dx), truncate=3.0))
        streak = max(0.0, float(load[k]) - 1.1)
        if streak:
            rows = gaussian_filter(white, (0.5 / dy, _STREAK_MM / dx), truncate=3.0)
            grain = grain + min(streak, 0.8) * _unit(rows)
        out[k] = np.float32(sigma_hu * load[k]) * bowl * grain
    if dz < 1.0:  # thin slices share part of their projections
        out = gaussian_filter1d(out, 0.5 / dz, axis=0) / _shrink(0.5 / dz)
    return out


def detect(array_zyx: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to whole HU within what the scanner stores."""
    return np.clip(np.rint(array_zyx), LOWEST_HU, HIGHEST_HU).astype(np.float32)


def outside_circle(geometry: Geometry) -> NDArray[np.bool_]:
    """Pixels beyond the circle inscribed in the field of view, shape (rows, columns)."""
    x, y = _axes_mm(geometry)
    radius = 0.5 * min(geometry.shape_zyx[i] * geometry.spacing_zyx_mm[i] for i in (1, 2))
    return np.asarray(np.hypot(x, y) > radius)


def pad_circle(array_zyx: NDArray[np.float32], geometry: Geometry) -> NDArray[np.float32]:
    """Replace what no ray crossed by air."""
    return np.where(outside_circle(geometry), np.float32(AIR_HU), array_zyx)


def _axes_mm(geometry: Geometry) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Columns (1, n) and rows (n, 1) in mm from the centre of the field of view."""
    _, height, width = geometry.shape_zyx
    _, dy, dx = geometry.spacing_zyx_mm
    x = (np.arange(width) - 0.5 * (width - 1)) * dx
    y = (np.arange(height) - 0.5 * (height - 1)) * dy
    return x[None, :], y[:, None]


def _unit(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return plane / np.float32(max(float(plane.std()), 1e-6))


def _shrink(sigma: float) -> float:
    """Return the standard deviation that white noise keeps under a 1-D Gaussian."""
    impulse = np.zeros(65)
    impulse[32] = 1
    return float(np.sqrt((gaussian_filter1d(impulse, sigma) ** 2).sum()))
