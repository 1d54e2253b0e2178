"""Nodules of a crop set segmented as in a run, and scored against their readers' outlines.

The reference is what at least half of three or more readers outlined. A reader's own scores are
against the same consensus of the others, so that software and readers can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from nodule.evaluate._overlap import dice
from nodule.geometry import Vector, as_vector
from nodule.lidc import texture_class
from nodule.masks import Texture
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.measure.volume_error import volume_ci95_mm3
from nodule.sphere import sphere_diameter_mm
from nodule.training import CropSet, NoduleCrop, NoduleRecord
from nodule.volume import Volume

Masks = NDArray[np.bool_]
_LEAST_READERS = 3
_AGREED = 0.5
# a detector's centre and size are off by some 15 % and 25 %
_ASIDE: tuple[Vector, ...] = ((0.1, 0.1, 0.0), (-0.1, 0.0, 0.1), (0.0, -0.1, -0.1))
_GUESSED = (0.8, 1.25)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadNodule:
    """A nodule with its surroundings and the masks of several readers on one grid.

    Parameters
    ----------
    record : its row of the crop set.
    volume : HU.
    readers : bool [reader, z, y, x].
    """

    record: NoduleRecord
    volume: Volume
    readers: Masks

    @property
    def consensus(self) -> Masks:
        """What at least half of the readers outlined."""
        return _agreed(self.readers)

    @property
    def texture(self) -> Texture | None:
        """The readers' texture, grouped as in every evaluation; None where nobody rated it."""
        texture = texture_class(self.record.ratings.get("texture", ()))
        return None if texture == "unrated" else texture


@dataclass(frozen=True, kw_only=True)
class OutlinePair:
    """A mask against its reference: their overlap and both volumes.

    Parameters
    ----------
    dice : 2|A and B| / (|A| + |B|).
    volume_mm3, reference_mm3 : of the mask and of the reference; the mask's is 0 where none grew.
    """

    dice: float
    volume_mm3: float
    reference_mm3: float

    @property
    def volume_error(self) -> float:
        """Difference over the mean of both volumes."""
        return 2 * (self.volume_mm3 - self.reference_mm3) / (self.volume_mm3 + self.reference_mm3)

    @property
    def diameter_error_mm(self) -> float:
        """Difference of the effective diameters."""
        return sphere_diameter_mm(self.volume_mm3) - sphere_diameter_mm(self.reference_mm3)


@dataclass(frozen=True, kw_only=True)
class MaskScore:
    """A nodule's grown mask, and each reader's, against the others.

    Parameters
    ----------
    patient_id, nodule : the nodule's names.
    software : the grown mask against the consensus.
    readers : each reader against the consensus of the others.
    limits_mm3 : stated with the volume, None where none could be stated or no mask grew.
    texture : as measured, None where no mask grew; calcified counts as solid.
    rated : texture by the readers.
    """

    patient_id: str
    nodule: str
    software: OutlinePair
    readers: tuple[OutlinePair, ...]
    limits_mm3: tuple[float, float] | None
    texture: Texture | None
    rated: Texture | None

    @property
    def reference_mm(self) -> float:
        """Effective diameter of the consensus."""
        return sphere_diameter_mm(self.software.reference_mm3)

    @property
    def grown(self) -> bool:
        """Whether a mask could be grown at all."""
        return self.software.volume_mm3 > 0


def read_nodules(
    crops: CropSet, *, keep: Callable[[NoduleRecord], bool] = lambda _: True
) -> Iterator[ReadNodule]:
    """Load the nodules that three or more readers outlined, on the image with most around it.

    Where the set has volumes of interest, a stack's masks are put on its own, and a stack without
    one is left out; where it has none, stacks are used as they are.
    """
    images = {record.voi_file: record for record in crops.records if record.kind == "voi"}
    for record in crops.records:
        if record.kind != "stack" or record.n_readers < _LEAST_READERS or not keep(record):
            continue
        linked = images.get(record.voi_file) if record.origin_lps_mm is not None else None
        if linked is not None:
            volume = crops.load(linked).volume
            readers = _on_grid_of(volume, crops.load(record))
        elif images:
            continue
        else:
            crop = crops.load(record)
            volume, readers = crop.volume, crop.reader_masks
        if _agreed(readers).any():
            yield ReadNodule(record=record, volume=volume, readers=readers)


def detector_errors() -> Iterator[tuple[Vector, float]]:
    """Yield, without end, how a detector errs: its centre, in diameters, and its size's factor."""
    return zip(cycle(_ASIDE), cycle(_GUESSED), strict=False)


def score_masks(
    nodules: Iterator[ReadNodule], *, rules: GrowthRules | None = None
) -> Iterator[MaskScore]:
    """Segment each nodule from a point beside its centre, with a wrong estimate of its size.

    Both errors are those of a detector: 0.14 diameters, and -20 % or +25 %.
    """
    for nodule, (aside, guess) in zip(nodules, detector_errors(), strict=False):
        yield _score(nodule, rules or GrowthRules(), aside, guess)


def _agreed(readers: Masks) -> Masks:
    return np.asarray(readers.mean(axis=0) >= _AGREED, dtype=np.bool_)


def _on_grid_of(image: Volume, stack: NoduleCrop) -> Masks:
    """Return a stack's masks on the grid of the same nodule's volume of interest."""
    reader, *index = np.nonzero(stack.reader_masks)
    points = stack.volume.geometry.index_to_lps(np.stack(index, axis=1))
    places = np.rint(image.geometry.lps_to_index(points)).astype(int)
    inside = ((places >= 0) & (places < np.array(image.geometry.shape_zyx))).all(axis=1)
    masks = np.zeros((len(stack.reader_masks), *image.geometry.shape_zyx), dtype=np.bool_)
    masks[reader[inside], *places[inside].T] = True
    return masks


def _score(nodule: ReadNodule, rules: GrowthRules, aside: Vector, guess: float) -> MaskScore:
    consensus, geometry = nodule.consensus, nodule.volume.geometry
    diameter_mm = sphere_diameter_mm(float(consensus.sum()) * geometry.voxel_volume_mm3)
    center = geometry.index_to_lps(np.argwhere(consensus).mean(axis=0))
    found = segment_nodule(
        nodule.volume,
        center_lps_mm=as_vector(center + np.asarray(aside) * diameter_mm),
        diameter_mm=guess * diameter_mm,
        rules=rules,
    )
    mask, limits_mm3, texture = np.zeros_like(consensus), None, None
    if found is not None:
        part = zip(found.start_zyx, found.array_zyx.shape, strict=True)
        mask[tuple(slice(a, a + n) for a, n in part)] = found.array_zyx
        # a crop's end is not the scan's
        limits_mm3 = volume_ci95_mm3(found.volume_mm3, slice_mm=geometry.spacing_zyx_mm[0])
        texture = "solid" if found.texture == "calcified" else found.texture
    voxel_mm3 = geometry.voxel_volume_mm3
    return MaskScore(
        patient_id=nodule.record.patient_id,
        nodule=nodule.record.nodule_key,
        software=_pair(mask, consensus, voxel_mm3),
        readers=tuple(_pairs_of_readers(nodule.readers, voxel_mm3)),
        limits_mm3=limits_mm3,
        texture=texture,
        rated=nodule.texture,
    )


def _pairs_of_readers(readers: Masks, voxel_mm3: float) -> Iterator[OutlinePair]:
    for number, own in enumerate(readers):
        others = _agreed(np.delete(readers, number, axis=0))
        if own.any() and others.any():
            yield _pair(own, others, voxel_mm3)


def _pair(mask: Masks, reference: Masks, voxel_mm3: float) -> OutlinePair:
    return OutlinePair(
        dice=dice(mask, reference),
        volume_mm3=int(mask.sum()) * voxel_mm3,
        reference_mm3=int(reference.sum()) * voxel_mm3,
    )
