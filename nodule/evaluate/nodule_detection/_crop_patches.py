"""A crop as a detector would meet it: inserted into the lung of a whole scan.

A stack ends, above and below, with the last slice that a reader outlined. Surrounded by air it is
unlike any scan, and a detector would be evaluated on that artefact. Here it is inserted into lung
of a held-out scan: of many places the one whose tissue fits best where the two meet. Nothing
inside the crop is changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.candidates import STRIDE
from nodule.errors import InputError
from nodule.geometry import as_vector
from nodule.hu import CANONICAL_RANGE, HuArray
from nodule.patch_pose import Box
from nodule.training import PackedCrop, SamplePose, decode_hu, feathered_blend, mismatch_hu
from nodule.volume import LungMask, Volume

PATCH_MM = 64

_OFF_GRID_MM = STRIDE / 2  # no nodule may lie on the network's grid only because it was centred
_FEATHER_MM = 2.0
_FIT_MM = 2.0  # on either side of where crop and scan meet
_PLACES_TRIED = 40
_PLACE_STEP = 3  # voxels between places


@dataclass(frozen=True, kw_only=True, eq=False)
class HostScan:
    """A scan into whose lung crops are inserted.

    Parameters
    ----------
    array_hu : float32 [z, y, x], 1 mm.
    places : voxels in its lungs with a whole patch around them, (n, 3).
    """

    array_hu: HuArray
    places: NDArray[np.int64]

    @classmethod
    def of(cls, volume: Volume, lungs: LungMask) -> HostScan:
        """Find the places of a scan on the canonical 1 mm grid.

        Raises
        ------
        InputError : ``NO_ROOM`` where no patch lies whole in the scan.
        """
        inside = lungs.labels_zyx[::_PLACE_STEP, ::_PLACE_STEP, ::_PLACE_STEP] > 0
        places = np.argwhere(inside) * _PLACE_STEP
        half = PATCH_MM // 2
        room = (places >= half) & (places <= np.asarray(volume.array_zyx.shape) - half)
        places = places[room.all(axis=1)]
        if not len(places):
            raise InputError(
                "a scan is too small to insert crops into",
                code="NO_ROOM",
                expected=f"lung with {half} mm of scan to all sides",
                got=volume.array_zyx.shape,
            )
        return cls(array_hu=volume.array_zyx, places=places)

    def patch(self, place: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the patch around a place."""
        low = place - PATCH_MM // 2
        part = self.array_hu[tuple(slice(start, start + PATCH_MM) for start in low)]
        return part.astype(np.float32)


def insert_crop(
    packed: PackedCrop, host: HostScan, *, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Insert a crop into a scan.

    Parameters
    ----------
    rng : of where between the network's cells the nodule lies, and of the places tried.

    Returns
    -------
    The patch, float32 HU [z, y, x], 1 mm, and the centre of the nodule in its voxels, zyx.
    """
    spacing = packed.geometry.spacing_zyx_mm
    center = _center_zyx(packed)
    shift_mm = as_vector(rng.uniform(-_OFF_GRID_MM, _OFF_GRID_MM, size=3))
    pose = SamplePose(shift_mm=shift_mm).at(center, spacing, shape_zyx=(PATCH_MM,) * 3)
    top = pose.cut(CANONICAL_RANGE.clip(decode_hu(packed.stored)), outside=None)
    depth_mm = pose.depth_mm(Box.whole(packed.stored.shape, spacing))
    under = _best_fit(top, host, np.abs(depth_mm) <= _FIT_MM, rng)
    patch = feathered_blend(top, under, depth_mm=depth_mm, width_mm=_FEATHER_MM)
    return patch, pose.to_patch(center * np.asarray(spacing))


def _center_zyx(packed: PackedCrop) -> NDArray[np.float64]:
    crop = packed.unpack()
    masks = (crop.consensus(), crop.reader_masks.any(axis=0))
    inside = next((np.argwhere(mask) for mask in masks if mask.any()), None)
    if inside is not None:
        center = inside.mean(axis=0)
    elif packed.record.center_lps_mm is not None:  # of a list; a crop may end where its scan does
        center = packed.geometry.lps_to_index(packed.record.center_lps_mm)
    else:
        center = (np.asarray(packed.stored.shape) - 1) / 2
    return np.asarray(center, dtype=np.float64)


def _best_fit(
    top: NDArray[np.float32], host: HostScan, meeting: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    tried = host.places[rng.integers(len(host.places), size=_PLACES_TRIED)]
    mismatches = [mismatch_hu(top, host.patch(place), meeting) for place in tried]
    return host.patch(tried[int(np.argmin(mismatches))])
