"""Diseased lung: patches of ground glass and of consolidation, with their true extent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodule.geometry import Geometry
from nodule.phantom.fields import Array, Fields, PlaneReader
from nodule.phantom.spec import DiseasePatch

GROUND_GLASS, CONSOLIDATION = 1, 2
"""Labels of what a patch is made of."""

_GROUND_GLASS_HU, _CONSOLIDATION_HU = -560.0, 38.0
_EDGE_MM = 4.0  # over which a patch fades into the lung


def add_patches(
    hu: Array, fields: Fields, patches: tuple[DiseasePatch, ...], *, geometry: Geometry
) -> NDArray[np.uint8]:
    """Draw patches into an image, HU, in place, each over the ones before it.

    Ground glass veils the lung and leaves its vessels visible; consolidation hides them.

    Returns
    -------
    NDArray : uint8 of the image's shape: 0, or what at least half of a voxel's lung has become.
    """
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    z, y, x = (
        np.float32(o) + np.float32(s) * np.arange(n, dtype=np.float32)
        for o, s, n in zip(
            geometry.origin_lps_mm[::-1], geometry.spacing_zyx_mm, geometry.shape_zyx, strict=True
        )
    )
    reader = PlaneReader(fields, x_mm=x, y_mm=y)
    for patch in patches:
        cx, cy, cz = patch.center_lps_mm
        for k in np.flatnonzero(np.abs(z - cz) < patch.radius_mm + _EDGE_MM):
            lung = np.clip(0.5 - reader.read("lung", float(z[k])), 0, 1)
            away = np.sqrt((x[None, :] - cx) ** 2 + (y[:, None] - cy) ** 2 + (z[k] - cz) ** 2)
            share = lung * np.clip(0.5 + (patch.radius_mm - away) / _EDGE_MM, 0, 1)
            if patch.kind == "ground-glass":
                hu[k] += share * np.maximum(np.float32(_GROUND_GLASS_HU) - hu[k], 0)
                labels[k][share >= 0.5] = GROUND_GLASS
            else:
                hu[k] += share * (np.float32(_CONSOLIDATION_HU) - hu[k])
                labels[k][share >= 0.5] = CONSOLIDATION
    return labels
