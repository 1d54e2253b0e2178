"""Where the organs of a chest lie: signed distances in LPS mm, varied by a seed.

The origin is the midline, midway between sternum and spine, about 5 cm below the carina. The
numbers are those of an adult in inspiration, read off anatomy atlases and CT, and rounded.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from nodule.phantom.fields import (
    Array,
    Fields,
    Grid,
    as_distance,
    random_field,
    smooth_max,
    smooth_min,
)

Path = NDArray[np.float64]

# half-width, half-depth and centre y of the thoracic cavity against height z, all mm
_CAGE_Z = (-220, -120, -60, 0, 50, 85, 108, 122, 132, 260)
_CAGE_HALF_WIDTH = (130, 133, 131, 125, 111, 92, 68, 44, 22, 18)
_CAGE_HALF_DEPTH = (92, 94, 91, 85, 72, 58, 44, 30, 16, 14)
_CAGE_CENTRE_Y = (-6, -5, -3, -1, 4, 11, 18, 23, 26, 27)

_BODY_Z = (-220, -120, -20, 50, 90, 120, 150, 260)
_BODY_HALF_WIDTH = (160, 160, 160, 168, 184, 196, 200, 200)
_BODY_HALF_DEPTH = (112, 113, 110, 104, 96, 84, 74, 72)
_BODY_CENTRE_Y = (-2, -2, 0, 6, 12, 18, 22, 22)

_SPINE_Z = (-220, -100, -20, 50, 100, 160, 260)
_SPINE_Y = (40, 52, 56, 49, 38, 26, 20)

# x, y, z, radius along the great vessels, oesophagus and airways
_AORTA = (
    (6, -16, -28, 14), (-12, -26, 6, 15), (-12, -24, 36, 14), (-3, -12, 58, 13),
    (14, 12, 63, 12), (25, 30, 52, 12), (29, 38, 22, 11.5), (28, 42, -50, 11),
    (17, 32, -120, 10.5), (8, 20, -220, 10),
)  # fmt: skip
_PULMONARY_LEFT = (
    (22, -36, -14, 14), (23, -26, 8, 13), (28, -8, 22, 12), (46, 10, 22, 9.5), (56, 20, 10, 8),
)  # fmt: skip
_PULMONARY_RIGHT = ((24, -14, 16, 11), (4, 0, 12, 10), (-24, 2, 6, 10), (-50, 6, 0, 8.5))
_CAVA = ((-22, -6, 84, 7), (-27, -10, 50, 8.5), (-29, -10, 0, 9.5), (-28, -14, -30, 11))
_CAVA_INFERIOR = ((-24, 0, -50, 12), (-26, 6, -100, 12), (-18, 12, -220, 11))
_NECK_VESSELS = (
    ((-6, -14, 60, 6), (-12, -8, 85, 6), (-26, 0, 125, 5), (-34, 4, 180, 5)),
    ((4, -4, 64, 4.5), (12, 2, 95, 4), (22, 6, 130, 4), (26, 8, 180, 4)),
    ((14, 10, 66, 5), (24, 12, 95, 5), (44, 12, 122, 5), (90, 6, 132, 5)),
    ((-22, -10, 78, 7), (-6, -20, 84, 7), (22, -14, 96, 7), (40, -4, 120, 6), (70, -8, 128, 6)),
    ((-24, -8, 80, 8), (-32, -6, 110, 7), (-62, -6, 126, 6)),
)
_CLAVICLE = ((20, -44, 88, 7), (44, -50, 98, 5.5), (95, -30, 118, 5), (150, 8, 132, 6))
_OESOPHAGUS = (
    (1, 6, 200, 5), (2, 20, 100, 6), (5, 31, 40, 6), (7, 34, -30, 6.5), (16, 18, -110, 8),
)  # fmt: skip
TRACHEA = ((0, -10, 220, 8.5), (0, 0, 130, 8.5), (1, 8, 80, 8.5), (2, 17, 48, 8.5))
MAIN_BRONCHI = (
    ((2, 17, 48, 7.5), (-18, 22, 28, 7), (-36, 20, 12, 6.5)),
    ((2, 17, 48, 7), (24, 24, 30, 6.2), (46, 24, 18, 6)),
)
HILA_LPS_MM = ((-48.0, 10.0, 2.0), (54.0, 18.0, 10.0))  # right, left
VEIN_ROOTS_LPS_MM = ((-34.0, 14.0, -22.0), (42.0, 16.0, -18.0))

_TUBE_REACH_MM = 26.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Chest:
    """The organs of one person.

    Parameters
    ----------
    fields : signed distances in mm, negative inside: ``body``, ``cage`` (inner surface of the
        chest wall), ``lung``, ``heart``, ``chambers``, ``vessels``, ``oesophagus``, ``clavicles``,
        ``liver``, ``spleen``, ``stomach``; heights in mm: ``diaphragm`` (positive below
        it), ``oblique`` and ``horizontal`` (positive above the fissure); unit noise:
        ``mottle``, ``grain``.
    width, depth : the person's size over the standard's, across and front to back.
    """

    fields: Fields
    width: float
    depth: float

    def spine_y_mm(self, z_mm: float) -> float:
        """Centre of the vertebral bodies at a height."""
        return float(_along(_SPINE_Z, _SPINE_Y, np.array(z_mm))) * self.depth


def make_chest(grid: Grid, rng: np.random.Generator) -> Chest:
    """Draw a person and lay out the organs on a grid."""
    width, depth = rng.uniform(0.94, 1.04), rng.uniform(0.94, 1.05)
    fat_mm, heart = rng.uniform(-4.0, 6.0), rng.uniform(0.92, 1.08)
    x, y, z = grid.mesh()
    x, y = x / np.float32(width), y / np.float32(depth)  # the standard person's coordinates
    ripple = random_field(grid, rng, correlation_mm=26.0)
    cage = _superellipse(
        x, y, z, _CAGE_Z, _CAGE_HALF_WIDTH, _CAGE_HALF_DEPTH, _CAGE_CENTRE_Y, power=2.35
    )
    body = _superellipse(
        x, y, z, _BODY_Z, _BODY_HALF_WIDTH, _BODY_HALF_DEPTH, _BODY_CENTRE_Y, power=2.6
    )
    arrays = {
        "cage": as_distance(cage),
        "body": as_distance(body) - np.float32(fat_mm) - 2.5 * ripple,
    }
    arrays |= _heart_and_vessels(x, y, z, scale=heart)
    arrays["diaphragm"] = _diaphragm(x, y, z, lift_mm=rng.uniform(-8, 8)) + 1.2 * ripple
    arrays["lung"] = _lungs(x, y, z, arrays, ripple)
    arrays |= _fissures(x, y, z, ripple) | _abdomen(x, y, z, arrays["diaphragm"])
    arrays["mottle"] = random_field(grid, rng, correlation_mm=9.0)
    arrays["grain"] = random_field(grid, rng, correlation_mm=2.0)
    full = {
        name: np.ascontiguousarray(np.broadcast_to(a, grid.shape_zyx), dtype=np.float32)
        for name, a in arrays.items()
    }
    return Chest(fields=Fields(grid=grid, arrays=full), width=width, depth=depth)


def lobe_of(side_x_mm: Array, oblique: Array, horizontal: Array) -> NDArray[np.uint8]:
    """Name lobes wherever there is lung: 1 to 3 right from above, 4 and 5 left from above."""
    right = np.where(oblique < 0, 3, np.where(horizontal < 0, 2, 1))
    left = np.where(oblique < 0, 5, 4)
    return np.where(side_x_mm < 0, right, left).astype(np.uint8)


def _along(heights: ArrayLike, values: ArrayLike, z: NDArray[np.generic]) -> Array:
    return np.asarray(PchipInterpolator(heights, values)(z), dtype=np.float32)


def _superellipse(
    x: Array,
    y: Array,
    z: Array,
    heights: ArrayLike,
    half_width: ArrayLike,
    half_depth: ArrayLike,
    centre_y: ArrayLike,
    *,
    power: float,
) -> Array:
    a, b = _along(heights, half_width, z), _along(heights, half_depth, z)
    u, v = np.abs(x) / a, np.abs(y - _along(heights, centre_y, z)) / b
    return np.asarray((u**power + v**power) ** (1 / power) - 1, dtype=np.float32)


def _ellipsoid(x: Array, y: Array, z: Array, centre: ArrayLike, half_axes: ArrayLike) -> Array:
    c, h = np.asarray(centre, np.float32), np.asarray(half_axes, np.float32)
    level = np.sqrt(((x - c[0]) / h[0]) ** 2 + ((y - c[1]) / h[1]) ** 2 + ((z - c[2]) / h[2]) ** 2)
    return as_distance(np.asarray(level - 1, dtype=np.float32))


def smooth_path(knots: ArrayLike, *, pieces: int = 6) -> Path:
    """Points x, y, z, radius along a curve through knots, shape (n, 4)."""
    k = np.asarray(knots, float)
    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(k[:, :3], axis=0), axis=1))])
    wanted = np.linspace(0, at[-1], pieces * (len(k) - 1) + 1)
    return np.asarray(PchipInterpolator(at, k, axis=0)(wanted))


def _tube(x: Array, y: Array, z: Array, knots: ArrayLike) -> Array:
    """Signed distance to a tube, computed only where it may matter."""
    path = smooth_path(knots, pieces=4).astype(np.float32)
    out = np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), _TUBE_REACH_MM, np.float32)
    flat = (z.ravel(), y.ravel(), x.ravel())
    for start, end in itertools.pairwise(path):
        box = tuple(
            slice(*np.searchsorted(axis, [min(a, b) - _TUBE_REACH_MM, max(a, b) + _TUBE_REACH_MM]))
            for axis, a, b in zip(flat, start[2::-1], end[2::-1], strict=True)
        )
        local = (x[:, :, box[2]], y[:, box[1], :], z[box[0], :, :])
        out[box] = np.minimum(out[box], _capsule(local, start, end))
    return out


def _mirrored(knots: ArrayLike) -> Path:
    return np.asarray(knots, float) * (-1, 1, 1, 1)


def _capsule(mesh: tuple[Array, Array, Array], start: Array, end: Array) -> Array:
    offset = [m - s for m, s in zip(mesh, start[:3], strict=True)]
    axis = end[:3] - start[:3]
    share = sum(o * a for o, a in zip(offset, axis, strict=True)) / max(float(axis @ axis), 1e-6)
    share = np.clip(share, 0, 1)
    squared = sum((o - share * a) ** 2 for o, a in zip(offset, axis, strict=True))
    radius = start[3] + share * (end[3] - start[3])
    return np.asarray(np.sqrt(squared) - radius, dtype=np.float32)


def _union(distances: list[Array], *, radius_mm: float) -> Array:
    total = distances[0]
    for d in distances[1:]:
        total = smooth_min(total, d, radius_mm=radius_mm)
    return total


def _heart_and_vessels(x: Array, y: Array, z: Array, *, scale: float) -> dict[str, Array]:
    # turn so that the long axis points to the left, the front and the feet
    long_axis = np.array([0.74, -0.46, -0.49])
    across = np.cross(long_axis, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    up = np.cross(across, long_axis)
    offset = (x - 16, y + 24, z + 48)

    def turned(centre: float, half_axes: tuple[float, float, float]) -> Array:
        u, v, w = (
            np.asarray(offset[0] * a[0] + offset[1] * a[1] + offset[2] * a[2], np.float32)
            for a in (long_axis.tolist(), across.tolist(), up.tolist())
        )
        return _ellipsoid(u, v, w, (centre, 0, 0), np.array(half_axes) * scale)

    outer = turned(0, (66, 47, 47))
    right_atrium = _ellipsoid(x, y, z, (-26, -16, -44), np.array([27, 30, 34]) * scale)
    left_atrium = _ellipsoid(x, y, z, (10, 18, -24), np.array([36, 19, 24]) * scale)
    left_ventricle = as_distance(turned(22, (36, 23, 25))) + 0
    right_ventricle = np.maximum(outer + 5, _ellipsoid(x, y, z, (10, -52, -46), (42, 26, 40)))
    tubes = [_AORTA, _PULMONARY_LEFT, _PULMONARY_RIGHT, _CAVA, _CAVA_INFERIOR, *_NECK_VESSELS]
    return {
        "heart": _union([outer, right_atrium, left_atrium], radius_mm=10),
        "chambers": np.minimum.reduce(
            [left_ventricle, right_ventricle, right_atrium + 3, left_atrium + 2]
        ),
        "vessels": np.minimum.reduce([_tube(x, y, z, t) for t in tubes]),
        "oesophagus": _tube(x, y, z, _OESOPHAGUS),
        "clavicles": np.minimum(_tube(x, y, z, _CLAVICLE), _tube(x, y, z, _mirrored(_CLAVICLE))),
        "airway": np.minimum.reduce([_tube(x, y, z, t) for t in (TRACHEA, *MAIN_BRONCHI)]),
    }


def _diaphragm(x: Array, y: Array, z: Array, *, lift_mm: float) -> Array:
    """Height below the diaphragm in mm: two domes that fall to a deep posterior recess."""
    dome_right = _dome(x, y, centre=(-66, -8), half_width=74, top=-48 + lift_mm, drop=76)
    dome_left = _dome(x, y, centre=(72, -6), half_width=68, top=-60 + lift_mm, drop=72)
    middle = -84 - 0.25 * (y + 20) - 0.006 * np.maximum(np.abs(x - 4) - 14, 0) ** 2
    middle = middle - 0.02 * np.maximum(y - 10, 0) ** 2
    height = smooth_max(dome_right, smooth_max(dome_left, middle, radius_mm=12), radius_mm=12)
    height = smooth_max(height, np.full_like(height, -152), radius_mm=8)
    return np.asarray((height - z) * 0.8, dtype=np.float32)


def _dome(
    x: Array, y: Array, *, centre: tuple[float, float], half_width: float, top: float, drop: float
) -> Array:
    """Height of one half of the diaphragm, steeper behind."""
    u, v = (x - centre[0]) / half_width, (y - centre[1]) / np.where(y < centre[1], 92, 84)
    behind = 8 * np.maximum(y / 60, 0) ** 2
    return np.asarray(top - drop * (u**2 + v**2) ** 1.25 - behind, dtype=np.float32)


def _lungs(x: Array, y: Array, z: Array, arrays: dict[str, Array], ripple: Array) -> Array:
    spine = np.hypot(x, y - _along(_SPINE_Z, _SPINE_Y, z) - 6) - 25
    bridge = np.clip(1 - np.abs(y - 2) / 34, 0, 1) * np.clip((z + 60) / 40, 0, 1)
    septum = np.abs(x) - 4 - bridge * (14 + 12 * np.clip((z - 40) / 40, 0, 1))
    core = _union(
        [
            arrays["heart"] - 4,
            arrays["vessels"] - 2.5,
            arrays["oesophagus"] - 2,
            arrays["airway"] - 1.8,
            np.asarray(spine, np.float32),
            np.asarray(septum, np.float32),
        ],
        radius_mm=9,
    )
    lung = smooth_max(arrays["cage"] + 1.5, -core, radius_mm=6)
    lung = smooth_max(lung, arrays["diaphragm"] + 2, radius_mm=5)
    return np.asarray(lung + 0.5 * ripple, dtype=np.float32)


def _fissures(x: Array, y: Array, z: Array, ripple: Array) -> dict[str, Array]:
    bow = 0.0016 * (np.abs(x) - 70) ** 2
    right = z - (-34 + 0.95 * y) + bow
    left = z - (-26 + 1.05 * y) + bow
    oblique = np.where(x < 0, right, left) * 0.7 + 2 * ripple
    horizontal = z + 14 - 0.06 * (y + 30) + 0.12 * (np.abs(x) - 70) + 2 * ripple
    return {
        "oblique": np.asarray(oblique, np.float32),
        "horizontal": np.asarray(horizontal, np.float32),
    }


def _abdomen(x: Array, y: Array, z: Array, diaphragm: Array) -> dict[str, Array]:
    under = 2 - diaphragm  # negative where at least 2 mm below the diaphragm
    liver = smooth_max(under, _ellipsoid(x, y, z, (-52, -8, -118), (94, 86, 92)), radius_mm=3)
    spleen = smooth_max(under, _ellipsoid(x, y, z, (88, 42, -125), (34, 40, 52)), radius_mm=6)
    stomach = smooth_max(under, _ellipsoid(x, y, z, (62, -14, -122), (44, 46, 54)), radius_mm=6)
    return {"liver": liver, "spleen": spleen, "stomach": stomach}
