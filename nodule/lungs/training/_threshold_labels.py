"""Lung labels without a network: what the network learns from, and a reference to compare with.

Air inside the body, less the airways outside the lungs, right and left parted where the two lungs
touch, then closed so that vessels and nodules on the pleura belong to the lung. The boundary is
the pleura; trachea, main bronchi and the great vessels at the hilum stay outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.errors import InputError
from nodule.lungs._distance import depth_in, distance_to
from nodule.volume import LungMask, Volume

Mask = NDArray[np.bool_]

_AIR_BELOW_HU = -400.0  # midway between lung at about -850 HU and soft tissue at about 50 HU
_LEAST_LUNG_MM3 = 50_000.0
_LEAST_SHARE = 0.05  # of the largest component: smaller ones are bowel gas or noise
_AIRWAY_UPPER_HU = range(-980, -790, 20)
_AIRWAY_LARGEST_MM3 = 120_000.0  # trachea and bronchi hold 30 to 90 ml; a leak holds more
_AIRWAY_LARGEST_LEAP_MM3 = 40_000.0  # from one threshold to the next
_SMOOTHING_MM = 0.6
_COUCH_MM = 2.0
_LEAST_EROSION, _LARGEST_EROSION = 2, 15  # voxels of the halved grid
_LEAST_CORE_SHARE = 0.15
_LEAST_CORE_GAP = 20.0
_TRACHEA_STEP_MM = 5.0
_TRACHEA_STEPS = 7
_TRACHEA_DRIFT_MM = 20.0  # of the darkest pixel, from step to step
_TRACHEA_OFF_CENTRE_MM = 35.0
_TRACHEA_FULLNESS = 0.55  # of its bounding box
_TRACHEA_AREA_MM2 = (60.0, 700.0)


@dataclass(frozen=True, kw_only=True)
class Closing:
    """Radii of the closings, mm.

    Parameters
    ----------
    airway_wall_mm : airways are widened by their wall before they are taken away.
    central_airway_mm : radius above which an airway stays outside the lung.
    lung_mm : gaps narrower than twice this are filled: vessels, nodules on the pleura.
    """

    airway_wall_mm: float = 2.0
    central_airway_mm: float = 3.5
    lung_mm: float = 9.0


def label_lungs(volume: Volume, *, closing: Closing | None = None) -> LungMask:
    """Segment the lungs by thresholds, region growing and a watershed.

    Parameters
    ----------
    volume : canonical isotropic grid, HU.

    Returns
    -------
    LungMask : on the volume's grid.

    Raises
    ------
    InputError : ``NO_LUNGS`` when no air inside the body is large enough.
    """
    closing = closing or Closing()
    spacing_mm = volume.geometry.spacing_zyx_mm[0]
    hu = ndimage.gaussian_filter(volume.array_zyx.astype(np.float32), _SMOOTHING_MM / spacing_mm)
    inner = _inner_air(hu, spacing_mm)
    airway = _airways(hu, inner, spacing_mm)
    walled = distance_to(airway) <= closing.airway_wall_mm / spacing_mm
    lungs = _largest_parts(inner & ~walled, spacing_mm)
    sides = _part_sides(lungs, hu)
    central = _central(airway, closing, spacing_mm)
    labels = _close_sides(sides, central, closing.lung_mm / spacing_mm)
    return LungMask(labels_zyx=labels, geometry=volume.geometry)


def _central(airway: Mask, closing: Closing, spacing_mm: float) -> Mask:
    """Keep the airways wide enough to be trachea or main bronchi, with their wall."""
    radius = closing.central_airway_mm / spacing_mm
    core = depth_in(airway) > radius
    if not core.any():
        return core
    central: Mask = distance_to(core) <= radius + closing.airway_wall_mm / spacing_mm
    return central


def _components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return 6-connected components, and voxel counts by label with the background's set to 0."""
    labels, _ = ndimage.label(mask)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    return labels, counts


def _inner_air(hu: NDArray[np.float32], spacing_mm: float) -> Mask:
    """Return air that the body encloses on its axial slice.

    Slice by slice, so that lungs which the scan's first or last slice cuts stay enclosed.
    """
    tissue = hu > _AIR_BELOW_HU
    firm = depth_in(tissue) > _COUCH_MM / spacing_mm  # lets go of couch and clothes
    labels, counts = _components(firm)
    body = (distance_to(labels == counts.argmax()) <= _COUCH_MM / spacing_mm) & tissue
    inner: Mask = np.stack([ndimage.binary_fill_holes(s) for s in body]) & ~tissue
    return inner


def _airways(hu: NDArray[np.float32], inner: Mask, spacing_mm: float) -> Mask:
    """Grow the airways from the trachea, stopping before they leak into the lung."""
    import SimpleITK as sitk

    seed = _trachea_seed(hu, inner, spacing_mm)
    grown = np.zeros(hu.shape, bool)
    if seed is None:
        return grown
    image = sitk.GetImageFromArray(np.where(inner, hu, 0).astype(np.int16))
    before_mm3 = 0.0
    for upper_hu in _AIRWAY_UPPER_HU:
        region = sitk.ConnectedThreshold(  # type: ignore[no-untyped-call]
            image, [seed[::-1]], -2000, upper_hu
        )
        candidate = sitk.GetArrayFromImage(region).astype(bool)
        volume_mm3 = float(candidate.sum()) * spacing_mm**3
        leaps = before_mm3 > 0 and volume_mm3 - before_mm3 > _AIRWAY_LARGEST_LEAP_MM3
        if leaps or volume_mm3 > _AIRWAY_LARGEST_MM3:
            break
        grown, before_mm3 = candidate, volume_mm3
    return grown


def _trachea_seed(
    hu: NDArray[np.float32], inner: Mask, spacing_mm: float
) -> tuple[int, int, int] | None:
    """Find a voxel in the trachea: a round, dark, central patch that goes on for 30 mm."""
    step = max(round(_TRACHEA_STEP_MM / spacing_mm), 1)
    middle_x = _body_middle_x(hu)
    chain: list[tuple[int, int, int]] = []
    for z in range(hu.shape[0] - 1, -1, -step):
        spot = _tracheal_spot(hu[z], inner[z], middle_x, spacing_mm)
        if spot is None:
            chain = []
            continue
        if chain and np.hypot(*np.subtract(chain[-1][1:], spot)) * spacing_mm > _TRACHEA_DRIFT_MM:
            chain = []
        chain.append((z, *spot))
        if len(chain) == _TRACHEA_STEPS:
            return chain[-1]
    return None


def _tracheal_spot(
    hu_yx: NDArray[np.float32], inner_yx: Mask, middle_x: float, spacing_mm: float
) -> tuple[int, int] | None:
    """Return the darkest pixel of the most central patch that could be the trachea."""
    patches, _ = ndimage.label(inner_yx)
    low, high = (area_mm2 / spacing_mm**2 for area_mm2 in _TRACHEA_AREA_MM2)
    best: tuple[int, int] | None = None
    nearest = _TRACHEA_OFF_CENTRE_MM / spacing_mm
    for label, box in enumerate(ndimage.find_objects(patches), start=1):
        patch = patches[box] == label
        area, off_centre = patch.sum(), abs(np.nonzero(patch)[1].mean() + box[1].start - middle_x)
        if low <= area <= high and area > _TRACHEA_FULLNESS * patch.size and off_centre < nearest:
            nearest = off_centre
            row, column = divmod(int(np.where(patch, hu_yx[box], np.inf).argmin()), patch.shape[1])
            best = row + box[0].start, column + box[1].start
    return best


def _body_middle_x(hu: NDArray[np.float32]) -> float:
    """Return the column of the body's centre of mass."""
    mass = (hu > _AIR_BELOW_HU).sum(axis=(0, 1)).astype(float)
    return float((mass * np.arange(mass.size)).sum() / max(mass.sum(), 1.0))


def _largest_parts(mask: Mask, spacing_mm: float) -> Mask:
    labels, counts = _components(mask)
    if counts.size < 2 or counts.max() * spacing_mm**3 < _LEAST_LUNG_MM3:
        raise InputError(
            "there is no lung in the image",
            code="NO_LUNGS",
            expected=f"at least {_LEAST_LUNG_MM3 / 1000:.0f} ml of air inside the body",
            got=f"{counts.max(initial=0) * spacing_mm**3 / 1000:.0f} ml",
        )
    kept: Mask = (counts >= _LEAST_SHARE * counts.max())[labels]
    return kept


def _part_sides(lungs: Mask, hu: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Label the patient's right and left; where the lungs touch, cut along their pleurae."""
    from skimage.segmentation import watershed

    small = _halve(lungs)  # half the resolution shows the pleurae and is fast
    markers = _side_markers(depth_in(small), _body_middle_x(hu) / 2)
    ridge = _halve(hu)
    sides = watershed(ridge, markers, mask=small)  # type: ignore[no-untyped-call]
    nearest = ndimage.distance_transform_edt(
        sides == 0, return_distances=False, return_indices=True
    )
    fine = sides[tuple(nearest)].astype(np.uint8).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    depth, rows, columns = lungs.shape
    return np.where(lungs, fine[:depth, :rows, :columns], 0).astype(np.uint8)


def _halve(array: NDArray[Any]) -> NDArray[Any]:
    """Take the largest of each two by two by two voxels, so that thin pleurae stay whole."""
    even = np.pad(array, [(0, n % 2) for n in array.shape], mode="edge")
    depth, rows, columns = (n // 2 for n in even.shape)
    blocks = even.reshape(depth, 2, rows, 2, columns, 2)
    return np.asarray(blocks.max(axis=(1, 3, 5)))


def _side_markers(inside: NDArray[np.float32], middle_x: float) -> NDArray[np.int32]:
    """Mark each lung's core: erode until the two largest cores lie side by side."""
    markers = np.zeros(inside.shape, np.int32)
    for erosion in range(_LEAST_EROSION, _LARGEST_EROSION):
        cores, counts = _components(inside > erosion)
        order = np.argsort(counts)[::-1][:2]
        if counts.size < 3 or counts[order[1]] < _LEAST_CORE_SHARE * counts[order[0]]:
            continue
        x = [float(np.nonzero(cores == k)[2].mean()) for k in order]
        if abs(x[0] - x[1]) > _LEAST_CORE_GAP:
            right, left = order if x[0] < x[1] else order[::-1]
            markers[cores == right] = LungMask.RIGHT
            markers[cores == left] = LungMask.LEFT
            return markers
    x_mean = float(np.nonzero(inside > 0)[2].mean())
    markers[inside > 0] = LungMask.RIGHT if x_mean < middle_x else LungMask.LEFT
    return markers


def _close_sides(labels: NDArray[np.uint8], airway: Mask, radius: float) -> NDArray[np.uint8]:
    """Close each lung and fill its holes; a gap that both could claim goes to the nearer one."""
    out = labels.copy()
    distance = np.full(labels.shape, np.inf, np.float32)
    for side in (LungMask.RIGHT, LungMask.LEFT):
        lung = labels == side
        if not lung.any():
            continue
        outside = distance_to(lung)
        closed = ndimage.binary_fill_holes(distance_to(outside > radius) > radius)
        gained = closed & (labels == 0) & ~airway & (outside < distance)
        out[gained] = side
        distance[gained] = outside[gained]
    return out
