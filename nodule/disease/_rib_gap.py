"""Soft tissue between the ribs and a lung's mask, where lung should be.

Pleura lies on the ribs. From the middle of a lung outwards, to its side and its back, the mask ends
within millimetres of the first rib, unless consolidation, fluid or a mass that the mask leaves out
lies between. Ribs are oblique and a slice shows a few of them: the nearest of neighbouring slices
and directions stands for all. What is outside the ribs, as shoulder blades, arms and tables, is
never nearest.

Below the dome of the diaphragm liver and spleen lie between ribs and lung: only slices count in
which the other lung is wide, and this one is there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.disease._coarse_chest import CoarseChest, Mask
from nodule.volume import LungMask

_BONE_HU = 150.0  # a block that is mostly rib
_STEP_DEG = 5
_DIRECTIONS_DEG = np.arange(-30, 101, _STEP_DEG)  # 0 to the side, 90 to the back
_FARTHEST_MM = 210.0
_NEAR_MM, _NEAR_DIRECTIONS = 33.0, 5  # ribs are some 27 mm apart; 25 degrees
_LEAST_GAP_MM = 15.0  # of 10 healthy chests hardly any ray has more
_RIB_MM = 6.0  # pleura and muscle before the rib's middle
_OWN_WIDTH, _OTHER_WIDTH = 0.2, 0.5  # of a lung's usual area in a slice
_USUAL_PERCENTILE = 90.0
_HIGHEST = 0.9  # of the lungs' height: above lie clavicles and the first rib
_STEADY_MM = 27.0

Rays = NDArray[np.float64]


def rib_gap(chest: CoarseChest) -> Mask:
    """Return the blocks between ribs and mask, of either lung."""
    found = np.zeros(chest.hu.shape, np.bool_)
    for side in (LungMask.RIGHT, LungMask.LEFT):
        slices = _slices(chest, side)
        if len(slices):
            _fill(found, chest, side, slices)
    return found


def _slices(chest: CoarseChest, side: int) -> NDArray[np.int64]:
    own, other = (
        (chest.sides == label).sum(axis=(1, 2))
        for label in (side, LungMask.RIGHT + LungMask.LEFT - side)
    )
    if not own.any() or not other.any():
        return np.empty(0, np.int64)
    filled = np.flatnonzero(own + other)
    height = (np.arange(len(own)) - filled[0]) / max(filled[-1] - filled[0], 1)
    wide = (
        (own >= _OWN_WIDTH * np.percentile(own[own > 0], _USUAL_PERCENTILE))
        & (other >= _OTHER_WIDTH * np.percentile(other[other > 0], _USUAL_PERCENTILE))
        & (height <= _HIGHEST)
    )
    return np.flatnonzero(wide)


def _fill(found: Mask, chest: CoarseChest, side: int, slices: NDArray[np.int64]) -> None:
    """Mark what lies on the rays from each slice's lung between its mask and the ribs."""
    outward = -1.0 if side == LungMask.RIGHT else 1.0
    middle = np.array([np.argwhere(chest.sides[z] == side).mean(axis=0) for z in slices])
    steady = max(round(_STEADY_MM / chest.step_mm), 1)
    middle = ndimage.uniform_filter1d(middle, steady, axis=0, mode="nearest")
    last_lung, first_bone = _ends(chest, side, slices, middle, outward)
    near = (max(round(_NEAR_MM / chest.step_mm), 1), _NEAR_DIRECTIONS)
    bone = ndimage.minimum_filter(first_bone, size=near, mode="nearest")
    wide = (last_lung >= 0) & np.isfinite(bone)
    wide &= bone - np.where(wide, last_lung, 0) >= _LEAST_GAP_MM / chest.step_mm
    wide = ndimage.median_filter(wide.astype(np.uint8), size=3) > 0
    for number in np.flatnonzero(wide.any(axis=1)):
        rows, columns = np.indices(chest.hu.shape[1:])
        down, aside = rows - middle[number, 0], outward * (columns - middle[number, 1])
        away = np.hypot(down, aside)
        turn = np.rint((np.rad2deg(np.arctan2(down, aside)) - _DIRECTIONS_DEG[0]) / _STEP_DEG)
        seen = (turn >= 0) & (turn < len(_DIRECTIONS_DEG))
        turn = np.where(seen, turn, 0).astype(np.int64)
        z = slices[number]
        beyond = (away > last_lung[number][turn]) & (
            away < bone[number][turn] - _RIB_MM / chest.step_mm
        )
        found[z] |= seen & wide[number][turn] & beyond & (chest.sides[z] == 0)


def _ends(
    chest: CoarseChest, side: int, slices: NDArray[np.int64], middle: Rays, outward: float
) -> tuple[Rays, Rays]:
    """Return, in blocks from the middle, where each ray leaves the lung and first meets bone.

    -1 where a ray meets no lung, infinity where it meets no bone beyond it.
    """
    turn = np.deg2rad(_DIRECTIONS_DEG)[:, None]
    steps = np.arange(int(_FARTHEST_MM / chest.step_mm))
    last_lung = np.full((len(slices), len(turn)), -1.0)
    first_bone = np.full((len(slices), len(turn)), np.inf)
    for number, z in enumerate(slices):
        row = np.rint(middle[number, 0] + np.sin(turn) * steps).astype(np.int64)
        column = np.rint(middle[number, 1] + outward * np.cos(turn) * steps).astype(np.int64)
        height, width = chest.hu.shape[1:]
        shown = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        row, column = row.clip(0, height - 1), column.clip(0, width - 1)
        lung = shown & (chest.sides[z][row, column] == side)
        last = np.where(lung.any(axis=1), len(steps) - 1 - lung[:, ::-1].argmax(axis=1), -1)
        bone = shown & (chest.hu[z][row, column] > _BONE_HU) & (steps > last[:, None])
        last_lung[number] = last
        first_bone[number] = np.where(bone.any(axis=1), bone.argmax(axis=1), np.inf)
    return last_lung, first_bone
