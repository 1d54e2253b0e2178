"""What an image itself says of how it was made: noise, kernel, contrast medium, field, position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.geometry import Geometry
from nodule.hu import HuArray
from nodule.printed import Digits
from nodule.resample import resample_mask
from nodule.study import Study
from nodule.volume import LungMask

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

_PARENCHYMA_HU = (-960.0, -700.0)  # of the smoothed image: lung between its vessels
_SMOOTH = 2.0  # pixels
_KEPT_PERCENT, _KEPT_MEAN = 80.0, 0.5586  # mean of the nearest 80 % of normal values, in their SD
_REACH = 16  # pixels: a Gaussian ends at four times its SD, the other neighbourhoods earlier
_FEWEST = 400  # pixels that noise is measured on
_NEAR_WEIGHT = 1.25  # variance of a pixel less the mean of four others, over its own
_SLAB = 64  # slices looked at, evenly spaced, so that a scan takes a second
_SOFT_HU = (-50.0, 350.0)
_BLOOD_PERCENTILE = 90.0
_MIDLINE_MM, _FRONT_MM = 35.0, (50.0, 5.0)  # about the lungs' middle: heart and great vessels
_EDGE_PERCENTILE = 90.0
_TISSUE_ABOVE_HU = -500.0
_TOP = 10  # voxels: a few bright ones are metal


@dataclass(frozen=True, kw_only=True)
class ImageMeasures:
    """What is measured on the images; None where there is too little to measure it on.

    Parameters
    ----------
    slice_mm : distance of slices, or their thickness where that is stated and greater.
    pixel_mm : the larger edge of a pixel.
    noise_hu : standard deviation of a pixel against its four neighbours, in lung between vessels.
    grain : the same noise over that against pixels two away: what the kernel leaves of the finest
        detail. Near 1 for a sharp kernel, low for a soft one.
    edge_hu_mm : steepness of the lungs' edge in the plane, 90th percentile.
    blood_hu : density of heart and great vessels, 90th percentile.
    cut_share : of the lungs' outline that lies at the image's sides.
    highest_hu : of all but a few voxels.
    gravity_hu : by how much the back half of the lungs is denser than the front half; negative in
        a prone patient.
    block_edges : mean step between pixels at multiples of eight, over that elsewhere; above 1 where
        blocks of eight were compressed with loss.
    """

    slice_mm: Annotated[float, Digits(2)]
    pixel_mm: Annotated[float, Digits(3)]
    noise_hu: Annotated[float | None, Digits(1)]
    grain: Annotated[float | None, Digits(3)]
    edge_hu_mm: Annotated[float | None, Digits(0)]
    blood_hu: Annotated[float | None, Digits(0)]
    cut_share: Annotated[float | None, Digits(3)]
    highest_hu: Annotated[float, Digits(0)]
    gravity_hu: Annotated[float | None, Digits(0)]
    block_edges: Annotated[float | None, Digits(3)]


def measure_image(study: Study, lungs: LungMask) -> ImageMeasures:
    """Measure a study's images on their own grid.

    Parameters
    ----------
    study : as read.
    lungs : on any grid in the same frame.
    """
    grid = study.volume.geometry
    lung = resample_mask(lungs, geometry=grid).labels_zyx > 0
    slices = _sampled(lung)
    seen, whole = study.volume.array_zyx[slices], lung[slices]
    near = _surroundings(whole)
    hu, inside = seen[near].astype(np.float32, copy=False), whole[near]
    texture = noise_and_grain(hu, within=inside)
    return ImageMeasures(
        slice_mm=max(grid.spacing_zyx_mm[0], study.series.slice_thickness_mm or 0.0),
        pixel_mm=max(grid.spacing_zyx_mm[1:]),
        noise_hu=None if texture is None else texture[0],
        grain=None if texture is None else texture[1],
        edge_hu_mm=_edge_hu_mm(hu, inside, grid),
        blood_hu=_blood_hu(seen, whole, grid),
        cut_share=_cut_share(whole),
        highest_hu=_highest_hu(study.volume.array_zyx),
        gravity_hu=_gravity_hu(hu, inside, grid),
        block_edges=_block_edges(hu, inside),
    )


def noise_and_grain(hu: Image, *, within: Mask | None = None) -> tuple[float, float] | None:
    """Return noise, HU, and grain of lung between vessels, None where there is too little of it.

    Parameters
    ----------
    hu : [z, y, x] on a scanner's own pixels.
    within : where to look; None looks everywhere.
    """
    smooth = ndimage.gaussian_filter(hu, (0.0, _SMOOTH, _SMOOTH))
    low, high = _PARENCHYMA_HU
    quiet = (smooth > low) & (smooth < high)
    if within is not None:
        quiet &= within
    quiet = ndimage.binary_erosion(quiet, np.ones((1, 3, 3), np.bool_))
    if np.count_nonzero(quiet) < _FEWEST:
        return None
    near, far = (_against_four(hu, step)[quiet] for step in (1, 2))
    noise, wide = _spread(near), _spread(far)
    return (noise, noise / wide) if wide > 0 else None


def _against_four(hu: Image, step: int) -> Image:
    """Return each pixel less the mean of the four at a distance in its slice."""
    kernel = np.zeros((1, 2 * step + 1, 2 * step + 1), np.float32)
    for row, column in ((0, step), (2 * step, step), (step, 0), (step, 2 * step)):
        kernel[0, row, column] = -0.25
    kernel[0, step, step] = 1.0
    return cast("Image", ndimage.convolve(hu, kernel, mode="nearest"))


def _spread(values: Image) -> float:
    """Return the standard deviation by the median, as one pixel's own."""
    away = np.abs(values - np.median(values))
    most = away[away <= np.percentile(away, _KEPT_PERCENT)]
    return float(most.mean() / (_KEPT_MEAN * np.sqrt(_NEAR_WEIGHT)))


def _sampled(lung: Mask) -> NDArray[np.int64]:
    """Return evenly spaced slices of those that show lung, or of all."""
    filled = np.flatnonzero(lung.any(axis=(1, 2)))
    chosen = filled if filled.size else np.arange(len(lung))
    return chosen[np.unique(np.linspace(0, chosen.size - 1, _SLAB).round().astype(np.int64))]


def _surroundings(lung: Mask) -> tuple[slice, slice, slice]:
    """Return the part of all slices beyond which nothing bears on what is measured in lungs.

    It begins at whole blocks.
    """
    box = ndimage.find_objects(lung.astype(np.uint8))
    if not box:
        return slice(None), slice(None), slice(None)
    rows, columns = (
        slice(max(each.start - _REACH, 0) // 8 * 8, each.stop + _REACH) for each in box[0][1:]
    )
    return slice(None), rows, columns


def _rim(inside: Mask) -> Mask:
    """Return the two pixels on either side of the lungs' edge."""
    square = np.ones((1, 3, 3), np.bool_)
    outer = ndimage.binary_dilation(inside, square, iterations=2)
    return cast("Mask", outer & ~ndimage.binary_erosion(inside, square, iterations=2))


def _edge_hu_mm(hu: Image, inside: Mask, grid: Geometry) -> float | None:
    rim = _rim(inside)
    if not rim.any():
        return None
    _, dy, dx = grid.spacing_zyx_mm
    clipped = np.clip(hu, -1000.0, 200.0)
    steep = np.hypot(np.gradient(clipped, dy, axis=1), np.gradient(clipped, dx, axis=2))
    return float(np.percentile(steep[rim], _EDGE_PERCENTILE))


def _blood_hu(hu: HuArray, inside: Mask, grid: Geometry) -> float | None:
    """Return the density before the spine and between the lungs, in their middle third."""
    places = np.argwhere(inside)
    if not len(places):
        return None
    third = len(inside) // 3
    _, row, column = places.mean(axis=0)
    _, dy, dx = grid.spacing_zyx_mm
    # rows run to the back and columns to the left in every axial image but for a prone one's
    top, bottom = int(row - _FRONT_MM[0] / dy), int(row - _FRONT_MM[1] / dy)
    left, right = int(column - _MIDLINE_MM / dx), int(column + _MIDLINE_MM / dx)
    part = hu[third : 2 * third + 1, max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
    smooth = ndimage.uniform_filter(part.astype(np.float32, copy=False), (1, 5, 5))
    low, high = _SOFT_HU
    soft = smooth[(smooth > low) & (smooth < high)]
    return float(np.percentile(soft, _BLOOD_PERCENTILE)) if soft.size >= _FEWEST else None


def _cut_share(inside: Mask) -> float | None:
    widths = inside.any(axis=1).sum() + inside.any(axis=2).sum()
    if not widths:
        return None
    sides = (inside[:, 0], inside[:, -1], inside[:, :, 0], inside[:, :, -1])
    return float(sum(np.count_nonzero(side) for side in sides)) / float(widths)


def _highest_hu(hu: HuArray) -> float:
    return (
        float(np.partition(hu.ravel()[::7], -_TOP)[-_TOP])
        if hu.size > 7 * _TOP
        else float(hu.max())
    )


def _gravity_hu(hu: Image, inside: Mask, grid: Geometry) -> float | None:
    """Compare the back half of the lungs with the front half, by patient's axes."""
    if np.count_nonzero(inside) < _FEWEST:
        return None
    backwards = grid.index_to_lps([(0, 1, 0)])[0][1] - grid.index_to_lps([(0, 0, 0)])[0][1]
    rows = np.arange(inside.shape[1])[None, :, None] * np.ones_like(hu[:, :, :1])
    middle = float(np.average(rows[:, :, 0], weights=inside.sum(axis=2)))
    behind = inside & ((rows - middle) * backwards > 0)
    before = inside & ~behind
    if not behind.any() or not before.any():
        return None
    return float(np.median(hu[behind]) - np.median(hu[before]))


def _block_edges(hu: Image, inside: Mask) -> float | None:
    """Compare steps across multiples of eight pixels with the others, in lung."""
    steps = np.abs(np.diff(hu, axis=2))
    deep = ndimage.binary_erosion(inside, np.ones((1, 3, 3), np.bool_), iterations=4)
    shown = deep[:, :, 1:] & deep[:, :, :-1]
    at_edges = (np.arange(1, hu.shape[2]) % 8) == 0
    edges, others = (steps[:, :, chosen][shown[:, :, chosen]] for chosen in (at_edges, ~at_edges))
    if edges.size < _FEWEST or others.size < _FEWEST or not others.mean():
        return None
    return float(edges.mean() / others.mean())
