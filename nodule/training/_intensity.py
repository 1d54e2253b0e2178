"""Other scanners, doses and kernels: what training does to intensities, for every network.

Every draw is apart from its application, so that one scanner may show several patches. The filters
are SciPy's: MONAI's ``GaussianSmooth`` and ``GaussianSharpen`` take what lies beyond a patch for 0,
which in HU is water, so that patches of lung would get bright rims; it has no thick slices at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from nodule.hu import AIR_HU

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

_SHARPENED_FROM_MM = 1.0  # sigma of what an unsharp mask takes away


@dataclass(frozen=True, kw_only=True)
class ScannerRanges:
    """What scanners may do, and how often.

    Parameters
    ----------
    thick_share, thickness_mm : images of thick slices, averaged and interpolated back.
    blur_share, blur_sigma_mm : images of a smooth kernel.
    sharpen_share, sharpen : of the others those of a sharp one, and the unsharp mask's weight.
    noise_share, noise_hu : noisy images, and the noise's standard deviation.
    correlated_share : of these the images whose noise is correlated over two voxels.
    shift_hu : largest shift of all HU.
    gain : of the distance to air.
    """

    thick_share: float = 0.4
    thickness_mm: tuple[float, float] = (1.5, 4.0)
    blur_share: float = 0.25
    blur_sigma_mm: tuple[float, float] = (0.3, 0.8)
    sharpen_share: float = 0.2
    sharpen: tuple[float, float] = (0.3, 1.0)
    noise_share: float = 0.6
    noise_hu: tuple[float, float] = (3.0, 45.0)
    correlated_share: float = 0.5
    shift_hu: float = 25.0
    gain: tuple[float, float] = (0.94, 1.06)


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """One scanner of many; the defaults show everything as it is.

    Parameters
    ----------
    thickness_mm : of its slices; None leaves them as they are.
    phase : where the first slice lies, as a share of the thickness.
    blur_sigma_mm : of a Gaussian kernel, 0 for none.
    sharpening : weight of an unsharp mask, 0 for none.
    noise_hu : standard deviation of the noise, 0 for none.
    correlated : whether the noise is correlated over two voxels.
    gain, shift_hu : of the calibration, about air.
    """

    thickness_mm: float | None = None
    phase: float = 0.0
    blur_sigma_mm: float = 0.0
    sharpening: float = 0.0
    noise_hu: float = 0.0
    correlated: bool = False
    gain: float = 1.0
    shift_hu: float = 0.0

    def show(
        self, image_hu: NDArray[np.float32], rng: Generator, *, voxel_mm: float = 1.0
    ) -> NDArray[np.float32]:
        """Return a patch as this scanner might have shown it.

        Parameters
        ----------
        image_hu : float32 HU [z, y, x], z across the slices; left as it is.
        rng : of the noise.
        voxel_mm : edge of the patch's voxels.
        """
        image = image_hu
        if self.thickness_mm is not None:
            image = _thick_slices(image, self.thickness_mm / voxel_mm, phase=self.phase)
        if self.blur_sigma_mm > 0:
            image = ndimage.gaussian_filter(image, self.blur_sigma_mm / voxel_mm)
        if self.sharpening > 0:
            smooth = ndimage.gaussian_filter(image, _SHARPENED_FROM_MM / voxel_mm)
            image = image + self.sharpening * (image - smooth)
        if self.noise_hu > 0:
            image = image + self._noise(image.shape, rng)
        return np.asarray((image - AIR_HU) * self.gain + AIR_HU + self.shift_hu, dtype=np.float32)

    def _noise(self, shape: tuple[int, ...], rng: Generator) -> NDArray[np.float32]:
        noise = rng.standard_normal(shape, dtype=np.float32)
        if self.correlated:
            noise = ndimage.uniform_filter(noise, 2)
            noise /= noise.std()
        return np.float32(self.noise_hu) * noise


def draw_scanner(rng: Generator, ranges: ScannerRanges) -> Scanner:
    """Draw a scanner."""
    thick = rng.random() < ranges.thick_share
    thickness_mm, phase = rng.uniform(*ranges.thickness_mm), rng.random()
    blurs = rng.random() < ranges.blur_share
    sharpens = not blurs and rng.random() < ranges.sharpen_share
    noisy = rng.random() < ranges.noise_share
    return Scanner(
        thickness_mm=thickness_mm if thick else None,
        phase=phase,
        blur_sigma_mm=rng.uniform(*ranges.blur_sigma_mm) * blurs,
        sharpening=rng.uniform(*ranges.sharpen) * sharpens,
        noise_hu=rng.uniform(*ranges.noise_hu) * noisy,
        correlated=bool(rng.random() < ranges.correlated_share),
        gain=rng.uniform(*ranges.gain),
        shift_hu=rng.uniform(-ranges.shift_hu, ranges.shift_hu),
    )


def _thick_slices(
    image_hu: NDArray[np.float32], thickness: float, *, phase: float
) -> NDArray[np.float32]:
    """Average into slices of so many voxels and interpolate back, as a thick scan looks."""
    count = image_hu.shape[0]
    averaged = ndimage.uniform_filter1d(image_hu, max(2, round(thickness)), axis=0)
    centers = np.arange(-phase * thickness, count + thickness, thickness)
    sampled = averaged[np.clip(np.rint(centers).astype(int), 0, count - 1)]
    position = (np.arange(count) - centers[0]) / thickness
    below = np.floor(position).astype(int)
    share = (position - below).astype(np.float32)[:, None, None]
    return np.asarray(sampled[below] * (1 - share) + sampled[below + 1] * share, dtype=np.float32)
