"""Training samples: a patch, its maps, and where they are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from nodule.candidates.augment import degrade
from nodule.candidates.compose import draw_graft, paste
from nodule.candidates.heatmap import STRIDE, Target, encode
from nodule.candidates.views import View, centered, draw_turn
from nodule.geometry import as_vector
from nodule.hu import AIR_HU, NETWORK_WINDOW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from nodule.candidates.material import Lesion, NoduleSource, Region

DIAMETER_BINS_MM = (0.0, 5.0, 7.0, 10.0, 14.0, 19.0, 100.0)
_BIN_SHARES = (0.17, 0.23, 0.20, 0.16, 0.14, 0.10)  # nature: about 30, 35, 17, 9, 6, 3 %
_SCAN_SHARE, _CUBE_SHARE, _SLAB_SHARE = 0.6, 0.15, 0.25
_PASTED_IN_SCAN = (0.15, 0.35, 0.35, 0.15)  # chances of 0, 1, 2 and 3
_PASTED_IN_CROP = (0.5, 0.5)
_PATCH_SCALE = (0.87, 1.15)
_JITTER_MM = 14.0
_TILT_DEG = 12.0
_RIM_MM = 3.0  # of a region that is not known for lack of context


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchSamples:
    """Endless samples; number ``index`` depends on ``seed`` and ``index`` alone.

    Each is a mapping of ``image`` (1, z, y, x) in [0, 1], ``heat`` (1, …), ``log_diameter``
    (1, …), ``offset`` (3, …) and ``known`` (1, …) on the grid of cells, all float32.

    Parameters
    ----------
    nodules : to paste.
    scans, cubes, slabs : where; an empty kind is never drawn.
    size : voxels of a patch along each axis.
    seed : of all randomness.
    """

    nodules: tuple[NoduleSource, ...]
    scans: tuple[Region, ...]
    cubes: tuple[Region, ...]
    slabs: tuple[Region, ...]
    size: int
    seed: int

    def __getitem__(self, index: int) -> Mapping[str, Tensor]:
        """Return one sample."""
        rng = np.random.default_rng([self.seed, index])
        region, whole = self._draw_region(rng)
        view = _draw_view(region, rng, size=self.size)
        image = _cut(region, view)
        targets = [_seen(view, lesion) for lesion in region.lesions]
        ignored = [_seen(view, lesion) for lesion in region.ignored]
        known = _inside(region, view)
        chances = _PASTED_IN_SCAN if whole else _PASTED_IN_CROP
        for _ in range(int(rng.choice(len(chances), p=chances))):
            graft = draw_graft(self._draw_nodule(rng), rng)
            pasted = paste(image, graft, rng, taken=[*targets, *ignored], free=known)
            if pasted is not None:
                image, target = pasted
                targets.append(target)
        return _sample(degrade(image, rng), targets, ignored, known)

    def _draw_region(self, rng: Generator) -> tuple[Region, bool]:
        kinds = (self.scans, self.cubes, self.slabs)
        shares = np.array([_SCAN_SHARE, _CUBE_SHARE, _SLAB_SHARE]) * [bool(k) for k in kinds]
        kind = int(rng.choice(len(kinds), p=shares / shares.sum()))
        return kinds[kind][int(rng.integers(len(kinds[kind])))], kind == 0

    def _draw_nodule(self, rng: Generator) -> NoduleSource:
        diameters = [nodule.lesion.diameter_mm for nodule in self.nodules]
        bins = np.digitize(diameters, DIAMETER_BINS_MM) - 1
        shares = np.array(_BIN_SHARES) * np.isin(np.arange(len(_BIN_SHARES)), bins)
        chosen = rng.choice(len(_BIN_SHARES), p=shares / shares.sum())
        return self.nodules[int(rng.choice(np.flatnonzero(bins == chosen)))]


def plain_sample(region: Region, *, size: int) -> Mapping[str, Tensor]:
    """Return the sample about a region's first focus as it is: nothing turned, added, degraded."""
    view = centered(region.focus_mm[0], size=size, turn=((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    targets = [_seen(view, lesion) for lesion in region.lesions]
    ignored = [_seen(view, lesion) for lesion in region.ignored]
    return _sample(_cut(region, view), targets, ignored, _inside(region, view))


def _draw_view(region: Region, rng: Generator, *, size: int) -> View:
    focus = region.focus_mm[int(rng.integers(len(region.focus_mm)))]
    center = focus + rng.uniform(-_JITTER_MM, _JITTER_MM, size=3)
    turn = draw_turn(rng, scale=_PATCH_SCALE, tilt_deg=_TILT_DEG)
    return centered(center, size=size, turn=turn)


def _cut(region: Region, view: View) -> NDArray[np.float32]:
    return view.cut(
        region.array_hu, spacing_zyx_mm=region.spacing_zyx_mm, outside=AIR_HU, mode="constant"
    )


def _seen(view: View, lesion: Lesion) -> Target:
    return Target(
        center_zyx=as_vector(view.to_patch(lesion.center_mm)),
        diameter_mm=lesion.diameter_mm / view.scale,
    )


def _inside(region: Region, view: View) -> NDArray[np.bool_]:
    """Return which cells of a patch lie well inside the region, bool on the grid of cells."""
    per_axis = -(-view.size // STRIDE)
    here = np.moveaxis(np.indices((per_axis,) * 3) * STRIDE, 0, -1)
    position_mm = view.to_scan(here)
    inside = (position_mm >= _RIM_MM) & (position_mm <= region.extent_mm - _RIM_MM)
    return np.asarray(inside.all(axis=-1), dtype=np.bool_)


def _sample(
    image_hu: NDArray[np.float32],
    targets: Sequence[Target],
    ignored: Sequence[Target],
    known: NDArray[np.bool_],
) -> Mapping[str, Tensor]:
    here = np.indices(known.shape) * STRIDE
    for place in ignored:
        center = np.asarray(place.center_zyx)[:, None, None, None]
        known = known & (((here - center) ** 2).sum(axis=0) > (place.diameter_mm / 2) ** 2)
    depth, rows, columns = known.shape
    maps = encode(targets, cells_zyx=(depth, rows, columns))
    return {
        "image": torch.from_numpy(NETWORK_WINDOW.normalise(image_hu)[None]),
        "heat": torch.from_numpy(maps.heat[None]),
        "log_diameter": torch.from_numpy(maps.log_diameter[None]),
        "offset": torch.from_numpy(maps.offset),
        "known": torch.from_numpy(known[None].astype(np.float32)),
    }
