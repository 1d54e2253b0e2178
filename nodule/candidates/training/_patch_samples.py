"""Training samples: a patch, its maps, and where they are known.

What a crop does not show is filled with lung of a whole scan, by a feathered blend: a network that
saw crops end in air would know neither scans nor crops. So that a blend tells nothing of what it
frames, slabs are cut out of whole scans, too, and inserted into others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from nodule.candidates._heatmap import STRIDE
from nodule.candidates.training._heatmap_targets import Target, encode
from nodule.candidates.training._nodule_insertion import draw_cutout, insert
from nodule.geometry import as_vector
from nodule.hu import AIR_HU, NETWORK_WINDOW
from nodule.patch_pose import Box, PatchPose
from nodule.training import (
    STRAIGHT,
    PoseRanges,
    ScannerRanges,
    draw_pose,
    draw_scanner,
    feathered_blend,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from nodule.candidates.training._crop_regions import NoduleSource
    from nodule.training import Lesion, Region

DIAMETER_BINS_MM = (0.0, 5.0, 7.0, 10.0, 14.0, 19.0, 100.0)
_BIN_SHARES = (0.17, 0.23, 0.20, 0.16, 0.14, 0.10)  # nature: about 30, 35, 17, 9, 6, 3 %
_SCAN_SHARE, _CUBE_SHARE, _SLAB_SHARE = 0.58, 0.1, 0.32
_SLAB_OF_SCAN_SHARE = 0.3
_SLAB_OF_SCAN_MM = (3.0, 25.0)
_LESION_SHARE = 0.4  # of the patches of a scan that has nodules of its own
_HARD_SHARE = 0.4
_FAINT_WEIGHT = 3.0  # of nodules that are not solid, which are few
_INSERTED_IN_SCAN = (0.15, 0.35, 0.35, 0.15)  # chances of 0, 1, 2 and 3
_INSERTED_IN_CROP = (0.5, 0.5)
_POSES = PoseRanges(tilt_deg=12.0, scale=(0.87, 1.15), shift_mm=(14.0, 14.0, 14.0))
_SCANNERS = ScannerRanges()
_RIM_MM = 3.0  # of what is shown, not known for lack of context
_RIM_SHARE = 0.1  # or this share of a thin slab
_SEEN_SHARE = 0.6  # of its radius that a nodule must lie inside what is shown
_FEATHER_MM = (1.0, 4.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchSamples:
    """Endless samples; number ``index`` depends on ``seed`` and ``index`` alone.

    Each is a mapping of ``image`` (1, z, y, x) in [0, 1], ``heat`` (1, …), ``log_diameter``
    (1, …), ``offset`` (3, …) and ``known`` (1, …) on the grid of cells, all float32.

    Parameters
    ----------
    nodules : to insert; there may be none.
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
        pose = _draw_pose(region, focus, rng, size=self.size)
        slab = whole and rng.random() < _SLAB_OF_SCAN_SHARE
        box = _draw_slab(region, focus, rng) if slab else region.box
        image = _cut(region, pose, whole=whole)
        targets = [_seen(pose, lesion) for lesion in region.lesions]
        ignored = [_seen(pose, lesion) for lesion in region.ignored]
        known = _known(box, pose)
        chances = _INSERTED_IN_SCAN if whole else _INSERTED_IN_CROP
        insertions = int(rng.choice(len(chances), p=chances))
        for _ in range(insertions if self.nodules else 0):
            cutout = draw_cutout(self._draw_nodule(rng), rng)
            inserted = insert(image, cutout, rng, taken=[*targets, *ignored], free=known)
            if inserted is not None:
                image, target = inserted
                targets.append(target)
        if slab or not whole:
            image = self._surround(image, box, pose, rng)
        shown = [_is_shown(target, box, pose) for target in targets]
        ignored += [target for target, fits in zip(targets, shown, strict=True) if not fits]
        targets = [target for target, fits in zip(targets, shown, strict=True) if fits]
        image = draw_scanner(rng, _SCANNERS).show(image, rng)
        return _sample(image, targets, ignored, known)

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
        self, image_hu: NDArray[np.float32], box: Box, pose: PatchPose, rng: Generator
    ) -> NDArray[np.float32]:
        """Insert what the box shows into a patch of any scan; into air where there is no scan."""
        if self.scans:
            scan = self.scans[int(rng.integers(len(self.scans)))]
            there = _draw_pose(scan, _draw_focus(scan, rng), rng, size=self.size)
            under = _cut(scan, there, whole=True)
        else:
            under = np.full_like(image_hu, AIR_HU)
        width_mm = rng.uniform(*_FEATHER_MM)
        return feathered_blend(image_hu, under, depth_mm=pose.depth_mm(box), width_mm=width_mm)


def plain_sample(region: Region, *, size: int) -> Mapping[str, Tensor]:
    """Return the sample about a region's first focus as it is, in air: nothing turned or added."""
    pose = STRAIGHT.at(
        np.asarray(region.focus_mm[0]) / np.asarray(region.spacing_zyx_mm),
        region.spacing_zyx_mm,
        shape_zyx=(size, size, size),
    )
    targets = [_seen(pose, lesion) for lesion in region.lesions]
    ignored = [_seen(pose, lesion) for lesion in region.ignored]
    image, box = _cut(region, pose, whole=False), region.box
    image = feathered_blend(
        image,
        np.full_like(image, AIR_HU),
        depth_mm=pose.depth_mm(box),
        width_mm=_FEATHER_MM[0],
    )
    return _sample(image, targets, ignored, _known(box, pose))


def _draw_focus(region: Region, rng: Generator, *, at_lesions: bool = False) -> NDArray[np.float64]:
    if at_lesions and region.lesions and rng.random() < _LESION_SHARE:
        lesion = region.lesions[int(rng.integers(len(region.lesions)))]
        return np.asarray(lesion.center_mm)
    hard = len(region.hard_mm) > 0 and rng.random() < _HARD_SHARE
    points = region.hard_mm if hard else region.focus_mm
    focus: NDArray[np.float64] = points[int(rng.integers(len(points)))]
    return focus


def _draw_pose(
    region: Region, focus_mm: NDArray[np.float64], rng: Generator, *, size: int
) -> PatchPose:
    return draw_pose(rng, _POSES).at(
        focus_mm / np.asarray(region.spacing_zyx_mm),
        region.spacing_zyx_mm,
        shape_zyx=(size, size, size),
    )


def _draw_slab(region: Region, focus_mm: NDArray[np.float64], rng: Generator) -> Box:
    """Return a part of a scan as thin as a stack, about a point."""
    (low, *low_yx), (high, *high_yx) = region.box.low_mm, region.box.high_mm
    height = float(np.exp(rng.uniform(*np.log(_SLAB_OF_SCAN_MM))))
    middle = float(focus_mm[0] + rng.uniform(-0.5, 0.5) * height)
    return Box(
        low_mm=as_vector((max(low, middle - height / 2), *low_yx)),
        high_mm=as_vector((min(high, middle + height / 2), *high_yx)),
    )


def _cut(region: Region, pose: PatchPose, *, whole: bool) -> NDArray[np.float32]:
    """Cut a patch; beyond a whole scan is air, beyond a crop what its border shows."""
    return pose.cut(region.array_hu, outside=AIR_HU if whole else None)


def _seen(pose: PatchPose, lesion: Lesion) -> Target:
    return Target(
        center_zyx=as_vector(pose.to_patch(lesion.center_mm)),
        diameter_mm=lesion.diameter_mm / pose.voxel_mm,
    )


def _known(box: Box, pose: PatchPose) -> NDArray[np.bool_]:
    """Return which cells of a patch lie well inside what is shown, bool on the grid of cells."""
    cells = [-(-n // STRIDE) for n in pose.shape_zyx]
    here = np.moveaxis(np.indices(cells) * STRIDE, 0, -1)
    rim = np.minimum(_RIM_MM, _RIM_SHARE * np.subtract(box.high_mm, box.low_mm))
    depth_mm = box.depth_mm(pose.to_array_mm(here))
    return np.asarray((depth_mm >= rim).all(axis=-1), dtype=np.bool_)


def _is_shown(target: Target, box: Box, pose: PatchPose) -> bool:
    """Return whether enough of a nodule lies inside what is shown."""
    depth_mm = float(box.depth_mm(pose.to_array_mm(target.center_zyx)).min())
    return depth_mm >= _SEEN_SHARE * pose.voxel_mm * target.diameter_mm / 2


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
