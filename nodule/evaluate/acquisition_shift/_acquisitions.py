"""One scan as other acquisitions might have shown it: the image changes, the patient never does.

Positions stay where they are in LPS mm, so that what readers marked holds for every acquisition.
What training simulates too (blur, sharpening) is done by training's own scanner, slice by slice.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image as Picture
from scipy import ndimage

from nodule.geometry import Geometry, as_matrix, as_vector
from nodule.hu import AIR_HU
from nodule.resample import resample_mask
from nodule.study import Study
from nodule.training import Scanner
from nodule.volume import LungMask, Volume

Hu = NDArray[np.float32]
Acquire = Callable[[Study, LungMask, Generator], Study]

_SOFT_SIGMA_MM = 1.2
_SHARPENING = 1.5
_QUARTER_DOSE = np.sqrt(3.0)  # times the noise that is there, added to it: twice as much in all
_NOISE_SIGMA_PIXELS = 0.55  # of its correlation, as of a standard kernel
_LEAST_NOISE_HU = 10.0
_BLOOD_HU = 180.0  # what contrast medium adds
_TISSUE_HU = (-150.0, 40.0)  # between them it adds the more the denser
_LARGER, _SMALLER = 1.4, 0.7
_FIELD = 0.6
_MOTION_MM = 4.0
_JPEG_QUALITY, _JPEG_HU = 30, (-1000.0, 400.0)
_CLIPPED_HU = (-1000.0, 240.0)
_FEWEST_SLICES, _FEWEST_ROWS = 8, 3


def _hu(study: Study) -> Hu:
    return study.volume.array_zyx.astype(np.float32, copy=False)


def _with_array(study: Study, array_zyx: Hu, geometry: Geometry | None = None) -> Study:
    volume = Volume(
        array_zyx=np.ascontiguousarray(array_zyx, np.float32),
        geometry=study.volume.geometry if geometry is None else geometry,
    )
    return replace(study, volume=volume, slices=(), origin=None)


def _thick(mm: float) -> Acquire:
    """Average into slices of a thickness, one after the other."""

    def acquire(study: Study, lungs: LungMask, rng: Generator) -> Study:
        array, grid = _hu(study), study.volume.geometry
        spacing = grid.spacing_zyx_mm[0]
        count = max(int(len(array) * spacing / mm), _FEWEST_SLICES)
        step = mm / spacing
        first = 0.5 * (step - 1.0)  # middle of the first new slice, in old ones
        smooth = ndimage.uniform_filter1d(array, max(round(step), 1), axis=0, mode="nearest")
        places = first + step * np.arange(count)
        below = np.floor(places).astype(int).clip(0, len(array) - 1)
        share = (places - below).astype(np.float32)[:, None, None]
        above = (below + 1).clip(0, len(array) - 1)
        thick = smooth[below] * (1 - share) + smooth[above] * share
        geometry = Geometry(
            shape_zyx=(count, *grid.shape_zyx[1:]),
            spacing_zyx_mm=(mm, *grid.spacing_zyx_mm[1:]),
            origin_lps_mm=as_vector(grid.index_to_lps((first, 0.0, 0.0))),
            direction=grid.direction,
        )
        made = _with_array(study, thick, geometry)
        return replace(made, series=replace(study.series, slice_thickness_mm=mm))

    return acquire


def _scanner(scanner: Scanner) -> Acquire:
    def acquire(study: Study, lungs: LungMask, rng: Generator) -> Study:
        pixel_mm = study.volume.geometry.spacing_zyx_mm[1]
        slices = [scanner.show(each[None], rng, voxel_mm=pixel_mm) for each in _hu(study)]
        return _with_array(study, np.concatenate(slices))

    return acquire


def _quarter_dose(study: Study, lungs: LungMask, rng: Generator) -> Study:
    from nodule.home_ground import measure_image

    present = measure_image(study, lungs).noise_hu or 0.0
    noise = rng.standard_normal(study.volume.array_zyx.shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, (0.0, _NOISE_SIGMA_PIXELS, _NOISE_SIGMA_PIXELS))
    noise *= np.float32(_QUARTER_DOSE * max(present, _LEAST_NOISE_HU) / noise.std())
    return _with_array(study, _hu(study) + noise)


def _contrast(study: Study, lungs: LungMask, rng: Generator) -> Study:
    """Raise what is as dense as blood within the lungs' outline and between the lungs."""
    array, grid = _hu(study), study.volume.geometry
    lung = resample_mask(lungs, geometry=grid).labels_zyx > 0
    room = np.zeros_like(lung)
    for z in np.flatnonzero(lung.any(axis=(1, 2))):
        rows, columns = np.nonzero(lung[z])
        middle = (columns.min() + columns.max()) // 2
        width = (columns.max() - columns.min()) // 4
        room[z, rows.min() : int(np.median(rows)), middle - width : middle + width] = True
    vessels = ndimage.binary_opening(array > _TISSUE_HU[0], np.ones((1, 3, 3), np.bool_))
    low, high = _TISSUE_HU
    share = np.clip((array - low) / (high - low), 0.0, 1.0) * ((lung & vessels) | room)
    share *= array < 200.0  # bone stays
    return _with_array(study, array + np.float32(_BLOOD_HU) * share)


def _pixels(factor: float) -> Acquire:
    """Sample the plane on pixels larger or smaller by a factor."""

    def acquire(study: Study, lungs: LungMask, rng: Generator) -> Study:
        array, grid = _hu(study), study.volume.geometry
        if factor > 1:
            sigma = 0.42 * np.sqrt(factor**2 - 1)
            array = ndimage.gaussian_filter(array, (0.0, sigma, sigma))
        depth, height, width = grid.shape_zyx
        rows, columns = (np.arange(int((n - 1) / factor) + 1) * factor for n in (height, width))
        mesh = np.meshgrid(rows, columns, indexing="ij")
        shown = np.stack(
            [ndimage.map_coordinates(each, mesh, order=1, mode="nearest") for each in array]
        )
        dz, dy, dx = grid.spacing_zyx_mm
        geometry = Geometry(
            shape_zyx=(depth, len(rows), len(columns)),
            spacing_zyx_mm=(dz, dy * factor, dx * factor),
            origin_lps_mm=grid.origin_lps_mm,
            direction=grid.direction,
        )
        return _with_array(study, shown, geometry)

    return acquire


def _small_field(study: Study, lungs: LungMask, rng: Generator) -> Study:
    """Show the middle 60 % of the plane about the lungs."""
    array, grid = _hu(study), study.volume.geometry
    lung = resample_mask(lungs, geometry=grid).labels_zyx > 0
    boxes = []
    for axis, size in ((1, grid.shape_zyx[1]), (2, grid.shape_zyx[2])):
        filled = np.flatnonzero(lung.any(axis=tuple({0, 1, 2} - {axis})))
        middle, reach = (filled[0] + filled[-1]) / 2, 0.5 * _FIELD * size
        start = int(np.clip(middle - reach, 0, size - 2 * reach))
        boxes.append((start, int(start + 2 * reach)))
    (top, bottom), (left, right) = boxes
    geometry = Geometry(
        shape_zyx=(grid.shape_zyx[0], bottom - top, right - left),
        spacing_zyx_mm=grid.spacing_zyx_mm,
        origin_lps_mm=as_vector(grid.index_to_lps((0, top, left))),
        direction=grid.direction,
    )
    return _with_array(study, array[:, top:bottom, left:right], geometry)


def _motion(study: Study, lungs: LungMask, rng: Generator) -> Study:
    """Show every second pair of slices as the mean of two places of the chest."""
    array, grid = _hu(study), study.volume.geometry
    shift = _MOTION_MM / grid.spacing_zyx_mm[1]
    moved = array.copy()
    for k in range(len(array)):
        if (k // 2) % 2:
            moved[k] = 0.5 * (array[k] + ndimage.shift(array[k], (shift, 0.0), mode="nearest"))
    return _with_array(study, moved)


def _lossy(study: Study, lungs: LungMask, rng: Generator) -> Study:
    """Compress every slice as an 8-bit JPEG; nothing in the header says so."""
    low, high = _JPEG_HU
    shown = []
    for each in _hu(study):
        grey = np.rint((np.clip(each, low, high) - low) * (255.0 / (high - low))).astype(np.uint8)
        stream = io.BytesIO()
        Picture.fromarray(grey).save(stream, "JPEG", quality=_JPEG_QUALITY)
        opened = np.asarray(Picture.open(io.BytesIO(stream.getvalue())), np.float32)
        shown.append(low + opened * ((high - low) / 255.0))
    return _with_array(study, np.stack(shown))


def _clipped(study: Study, lungs: LungMask, rng: Generator) -> Study:
    return _with_array(study, np.clip(_hu(study), *_CLIPPED_HU))


def _prone(study: Study, lungs: LungMask, rng: Generator) -> Study:
    """Turn the patient over: the front of the lungs is the denser one, rows run to the front."""
    array, grid = _hu(study), study.volume.geometry
    lung = resample_mask(lungs, geometry=grid).labels_zyx > 0
    aerated = lung & (array < -700.0) & (array > AIR_HU)
    rows = np.flatnonzero(aerated.any(axis=(0, 2)))
    if rows.size < _FEWEST_ROWS:
        return study
    levels = [float(np.median(array[:, row][aerated[:, row]])) for row in rows]
    slope, middle = float(np.polyfit(rows, levels, 1)[0]), float(rows.mean())
    away = np.arange(grid.shape_zyx[1], dtype=np.float32)[None, :, None] - np.float32(middle)
    turned = array - np.float32(2.0 * slope) * away * aerated
    direction = np.asarray(grid.direction) * np.asarray([[1.0, -1.0, -1.0]])
    _, height, width = grid.shape_zyx
    geometry = replace(
        grid,
        origin_lps_mm=as_vector(grid.index_to_lps((0, height - 1, width - 1))),
        direction=as_matrix(direction),
    )
    return _with_array(study, turned[:, ::-1, ::-1], geometry)


ACQUISITIONS: Mapping[str, Acquire] = MappingProxyType(
    {
        "slices of 3 mm": _thick(3.0),
        "slices of 5 mm": _thick(5.0),
        "sharp": _scanner(Scanner(sharpening=_SHARPENING)),
        "soft": _scanner(Scanner(blur_sigma_mm=_SOFT_SIGMA_MM)),
        "quarter dose": _quarter_dose,
        "contrast medium": _contrast,
        "large pixels": _pixels(_LARGER),
        "small pixels": _pixels(_SMALLER),
        "60 % field": _small_field,
        "motion": _motion,
        "lossy": _lossy,
        "clipped HU": _clipped,
        "prone": _prone,
    }
)
"""By name; each takes a study, its lungs, and a generator of noise."""
