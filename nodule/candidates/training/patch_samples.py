"""Training samples: a patch, its maps, and where they are known.

What a crop does not show is filled with lung of a whole scan, joined by a soft seam: a network that
saw crops end in air would know neither scans nor crops. So that a seam tells nothing of what it
frames, slabs are cut out of whole scans, too, and laid into others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from nodule.candidates.heatmap import STRIDE, Target, encode
from nodule.candidates.training.nodule_insertion import draw_graft, paste
from nodule.geometry import as_vector
from nodule.hu import AIR_HU, NETWORK_WINDOW
from nodule.training.copy_paste import feathered_blend
from nodule.training.intensity import degrade
from nodule.training.pose import View, centered, draw_turn
from nodule.training.region import Box

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from nodule.candidates.training.crop_regions import NoduleSource
    from nodule.training.region import Lesion, Region

DIAMETER_BINS_MM = (0.0, 5.0, 7.0, 10.0, 14.0, 19.0, 100.0)
_BIN_SHARES = (0.17, 0.23, 0.20, 0.16, 0.14, 0.10)  # nature: about 30, 35, 17, 9, 6, 3 %
_SCAN_SHARE, _CUBE_SHARE, _SLAB_SHARE = 0.58, 0.1, 0.32
_SLAB_OF_SCAN_SHARE = 0.3
_SLAB_OF_SCAN_MM = (3.0, 25.0)
_LESION_SHARE = 0.4  # of the patches of a scan that has nodules of its own
_HARD_SHARE = 0.4
_FAINT_WEIGHT = 3.0  # of nodules that are not solid, which are few
_PASTED_IN_SCAN = (0.15, 0.35, 0.35, 0.15)  # chances of 0, 1, 2 and 3
_PASTED_IN_CROP = (0.5, 0.5)
_PATCH_SCALE = (0.87, 1.15)
_JITTER_MM = 14.0
_TILT_DEG = 12.0
_RIM_MM = 3.0  # of what is shown, not known for lack of context
_RIM_SHARE = 0.1  # or this share of a thin slab
_SEEN_SHARE = 0.6  # of its radius that a nodule must lie inside what is shown
_SEAM_MM = (1.0, 4.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchSamples:
    """Endless samples; number ``index`` depends on ``seed`` and ``index`` alone.

    Each is a mapping of ``image`` (1, z, y, x) in [0, 1], ``heat`` (1, …), ``log_diameter``
    (1, …), ``offset`` (3, …) and ``known`` (1, …) on the grid of cells, all float32.

    Parameters
    ----------
    nodules : to paste; there may be none.
    scans, cubes, slabs : where; an empty kind is never drawn.
    size : voxels of a patch along each axis.
    seed : of all randomness.
    """

    nodules: tuple[NoduleSource, ...]
    scans: Sequence[Region]
    cubes: tuple[Region, ...]
    slabs: tuple[Region, ...]
    size: int
    seed: int

    def __getitem__(self, index: int) -> Mapping[str, Tensor]:
        """Return one sample."""
        rng = np.random.default_rng([self.seed, index])
        region, whole = self._draw_region(rng)
        focus = _draw_focus(region, rng, at_lesions=whole)
        view = _draw_view(focus, rng, size=self.size)
        slab = whole and rng.random() < _SLAB_OF_SCAN_SHARE
        box = _draw_slab(region, focus, rng) if slab else region.box
        image = _cut(region, view, whole=whole)
        targets = [_seen(view, lesion) for lesion in region.lesions]
        ignored = [_seen(view, lesion) for lesion in region.ignored]
        known = _known(box, view)
        chances = _PASTED_IN_SCAN if whole else _PASTED_IN_CROP
        pastes = int(rng.choice(len(chances), p=chances))
        for _ in range(pastes if self.nodules else 0):
            graft = draw_graft(self._draw_nodule(rng), rng)
            pasted = paste(image, graft, rng, taken=[*targets, *ignored], free=known)
            if pasted is not None:
                image, target = pasted
                targets.append(target)
        if slab or not whole:
            image = self._surround(image, box, view, rng)
        shown = [_is_shown(target, box, view) for target in targets]
        ignored += [target for target, fits in zip(targets, shown, strict=True) if not fits]
        targets = [target for target, fits in zip(targets, shown, strict=True) if fits]
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
        weights = np.array([_FAINT_WEIGHT if n.faint else 1.0 for n in self.nodules])
        weights *= bins == chosen
        return self.nodules[int(rng.choice(len(weights), p=weights / weights.sum()))]

    def _surround(
        self, image_hu: NDArray[np.float32], box: Box, view: View, rng: Generator
    ) -> NDArray[np.float32]:
        """Lay what the box shows into a patch of any scan; into air where there is no scan."""
        if self.scans:
            scan = self.scans[int(rng.integers(len(self.scans)))]
            under = _cut(scan, _draw_view(_draw_focus(scan, rng), rng, size=self.size), whole=True)
        else:
            under = np.full_like(image_hu, AIR_HU)
        return surround(image_hu, under, box, view, seam_mm=rng.uniform(*_SEAM_MM))


def surround(
    image_hu: NDArray[np.float32],
    under_hu: NDArray[np.float32],
    box: Box,
    view: View,
    *,
    seam_mm: float,
) -> NDArray[np.float32]:
    """Return a patch that shows a box of one scan and, around it, another patch."""
    voxels = np.moveaxis(np.indices(image_hu.shape), 0, -1)
    depth_mm = box.depth_mm(view.to_scan(voxels)).min(axis=-1).astype(np.float32)
    return feathered_blend(image_hu, under_hu, depth_mm=depth_mm, seam_mm=seam_mm)


def plain_sample(region: Region, *, size: int) -> Mapping[str, Tensor]:
    """Return the sample about a region's first focus as it is, in air: nothing turned or added."""
    view = centered(region.focus_mm[0], size=size, turn=((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    targets = [_seen(view, lesion) for lesion in region.lesions]
    ignored = [_seen(view, lesion) for lesion in region.ignored]
    image, box = _cut(region, view, whole=False), region.box
    image = surround(image, np.full_like(image, AIR_HU), box, view, seam_mm=_SEAM_MM[0])
    return _sample(image, targets, ignored, _known(box, view))


def _draw_focus(region: Region, rng: Generator, *, at_lesions: bool = False) -> NDArray[np.float64]:
    if at_lesions and region.lesions and rng.random() < _LESION_SHARE:
        lesion = region.lesions[int(rng.integers(len(region.lesions)))]
        return np.asarray(lesion.center_mm)
    hard = len(region.hard_mm) > 0 and rng.random() < _HARD_SHARE
    points = region.hard_mm if hard else region.focus_mm
    focus: NDArray[np.float64] = points[int(rng.integers(len(points)))]
    return focus


def _draw_view(focus_mm: NDArray[np.float64], rng: Generator, *, size: int) -> View:
    center = focus_mm + rng.uniform(-_JITTER_MM, _JITTER_MM, size=3)
    turn = draw_turn(rng, scale=_PATCH_SCALE, tilt_deg=_TILT_DEG)
    return centered(center, size=size, turn=turn)


def _draw_slab(region: Region, focus_mm: NDArray[np.float64], rng: Generator) -> Box:
    """Return a part of a scan as thin as a stack, about a point."""
    box = region.box
    low, high = box.low_mm.copy(), box.high_mm.copy()
    height = float(np.exp(rng.uniform(*np.log(_SLAB_OF_SCAN_MM))))
    middle = focus_mm[0] + rng.uniform(-0.5, 0.5) * height
    low[0], high[0] = max(low[0], middle - height / 2), min(high[0], middle + height / 2)
    return Box(low_mm=low, high_mm=high)


def _cut(region: Region, view: View, *, whole: bool) -> NDArray[np.float32]:
    """Cut a patch; beyond a whole scan is air, beyond a crop what its border shows."""
    spacing = region.spacing_zyx_mm
    mode = "constant" if whole else "nearest"
    return view.cut(region.array_hu, spacing_zyx_mm=spacing, outside=AIR_HU, mode=mode)


def _seen(view: View, lesion: Lesion) -> Target:
    return Target(
        center_zyx=as_vector(view.to_patch(lesion.center_mm)),
        diameter_mm=lesion.diameter_mm / view.scale,
    )


def _known(box: Box, view: View) -> NDArray[np.bool_]:
    """Return which cells of a patch lie well inside what is shown, bool on the grid of cells."""
    per_axis = -(-view.size // STRIDE)
    here = np.moveaxis(np.indices((per_axis,) * 3) * STRIDE, 0, -1)
    rim = np.minimum(_RIM_MM, _RIM_SHARE * (box.high_mm - box.low_mm))
    return np.asarray((box.depth_mm(view.to_scan(here)) >= rim).all(axis=-1), dtype=np.bool_)


def _is_shown(target: Target, box: Box, view: View) -> bool:
    """Return whether enough of a nodule lies inside what is shown."""
    depth_mm = float(box.depth_mm(view.to_scan(target.center_zyx)).min())
    return depth_mm >= _SEEN_SHARE * view.scale * target.diameter_mm / 2


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
