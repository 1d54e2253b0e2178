"""One image of labels that holds all masks of a study, and the masks back from it.

:func:`label_masks` puts all masks of a study into one array for ``nodules.nii.gz``: one label a
nodule, and one more for each set of nodules that share voxels, so that :func:`restore_masks` gives
back every mask as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.masks import NoduleMask, Texture

Labels = NDArray[np.uint8] | NDArray[np.uint16]

_MOST_IN_A_BYTE = 255


@dataclass(frozen=True, kw_only=True)
class MaskReference:
    """Where a nodule's mask is to be found among labels, and what it must be.

    Parameters
    ----------
    labels : the values of its voxels: its own, then those of voxels that it shares with others.
    sha256 : as :attr:`NoduleMask.sha256`.
    """

    labels: tuple[int, ...]
    sha256: str


def refer_to_masks(masks: Mapping[str, NoduleMask], *, grid: Geometry) -> dict[str, MaskReference]:
    """Give every mask its labels: 1, 2, … in their order, then one for each set that overlaps.

    Parameters
    ----------
    masks : by finding's id.
    grid : the source's.

    Raises
    ------
    InputError : ``MASK_OUTSIDE_GRID``.
    """
    numbers = _numbers_of_sets(_shared(masks, grid), after=len(masks))
    return {
        id_: MaskReference(
            labels=(own, *(n for owners, n in numbers.items() if own in owners)),
            sha256=mask.sha256,
        )
        for own, (id_, mask) in enumerate(masks.items(), start=1)
    }


def label_masks(masks: Mapping[str, NoduleMask], *, grid: Geometry) -> Labels:
    """Put masks into one array of labels, as :func:`refer_to_masks` numbers them.

    Returns
    -------
    uint8, or uint16 for more than 255 labels, shape ``grid.shape_zyx``; 0 is none of them.

    Raises
    ------
    InputError : ``MASK_OUTSIDE_GRID``.
    """
    shared = _shared(masks, grid)
    numbers = _numbers_of_sets(shared, after=len(masks))
    count = len(masks) + len(numbers)
    labels = np.zeros(grid.shape_zyx, np.uint8 if count <= _MOST_IN_A_BYTE else np.uint16)
    for own, mask in enumerate(masks.values(), start=1):
        labels[mask.box][mask.array_zyx] = own
    for voxel, owners in shared.items():
        labels.flat[voxel] = numbers[owners]
    return labels


def restore_masks(
    references: Mapping[str, MaskReference],
    labels_zyx: Labels,
    *,
    grid: Geometry,
    textures: Mapping[str, Texture | None],
) -> dict[str, NoduleMask]:
    """Return masks as they were before :func:`label_masks`, without their cores.

    Parameters
    ----------
    references : of the masks, by finding's id.
    labels_zyx : shape ``grid.shape_zyx``.
    grid : the source's.
    textures : what the nodules are made of, by finding's id.

    Raises
    ------
    InputError : ``FOREIGN_MASKS`` where the labels do not hold those masks.
    """
    boxes = ndimage.find_objects(labels_zyx)
    return {
        id_: _restored(reference, labels_zyx, boxes, grid, textures[id_])
        for id_, reference in references.items()
    }


def _restored(
    reference: MaskReference,
    labels_zyx: Labels,
    boxes: Sequence[tuple[slice, ...] | None],
    grid: Geometry,
    texture: Texture | None,
) -> NoduleMask:
    own = [boxes[label - 1] for label in reference.labels if label <= len(boxes)]
    filled = [box for box in own if box is not None]
    if filled:
        start = [min(box[axis].start for box in filled) for axis in range(3)]
        stop = [max(box[axis].stop for box in filled) for axis in range(3)]
        part = labels_zyx[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
        mask = NoduleMask.cropped(
            np.isin(part, reference.labels),
            start_zyx=(start[0], start[1], start[2]),
            source=grid,
            texture=texture,
        )
        if mask.sha256 == reference.sha256:
            return mask
    raise InputError(
        "the masks beside a report are not its own",
        code="FOREIGN_MASKS",
        expected=reference.sha256,
        hint="Keep a report's files together.",
    )


def _shared(masks: Mapping[str, NoduleMask], grid: Geometry) -> dict[int, tuple[int, ...]]:
    """Return which masks, by number from 1, hold each voxel that more than one holds."""
    for mask in masks.values():
        if not mask.fits(grid):
            raise InputError(
                "a mask lies on another grid than the series",
                code="MASK_OUTSIDE_GRID",
                expected=grid.shape_zyx,
                got=f"{mask.start_zyx} and {mask.shape_zyx} from there",
            )
    voxels = [mask.voxel_numbers(grid) for mask in masks.values()]
    if not voxels:
        return {}
    numbers, counts = np.unique(np.concatenate(voxels), return_counts=True)
    owners: dict[int, tuple[int, ...]] = {int(n): () for n in numbers[counts > 1]}
    for own, held in enumerate(voxels, start=1):
        for voxel in np.intersect1d(held, list(owners)).tolist():
            owners[int(voxel)] += (own,)
    return owners


def _numbers_of_sets(
    shared: Mapping[int, tuple[int, ...]], *, after: int
) -> dict[tuple[int, ...], int]:
    return {owners: after + n for n, owners in enumerate(sorted(set(shared.values())), start=1)}
