"""A crop as a detector would meet it: laid into the lung of a whole scan.

A stack ends, above and below, with the last slice that a reader outlined. Looked at alone, with
air beyond, it is unlike any scan, and a detector is judged by what it makes of that. Here it lies
in lung that the detector never saw: of many places in a scan the one whose tissue fits best where
the two meet. Nothing inside the crop is changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.candidates.heatmap import STRIDE
from nodule.candidates.training.patch_samples import surround
from nodule.errors import InputError
from nodule.geometry import as_matrix
from nodule.hu import AIR_HU, NETWORK_WINDOW
from nodule.training.packed_crop import PackedCrop, decode_hu
from nodule.training.pose import View, centered
from nodule.training.region import Box
from nodule.volume import LungMask, Volume

PATCH_MM = 64

_OFF_GRID_MM = STRIDE / 2  # no nodule shall sit on the network's grid because it was centred
_SEAM_MM = 2.0
_FIT_MM = 2.0  # on either side of where crop and scan meet
_PLACES_TRIED = 40
_PLACE_STEP = 3  # voxels between places


@dataclass(frozen=True, kw_only=True, eq=False)
class Host:
    """A scan that lends its lung.

    Parameters
    ----------
    array_hu : float32 [z, y, x], 1 mm.
    places : voxels in its lungs with a whole patch around them, (n, 3).
    """

    array_hu: NDArray[np.float32]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, volume: Volume, lungs: LungMask) -> Host:
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
                "a scan is too small to lay crops into",
                code="NO_ROOM",
                expected=f"lung with {half} mm of scan to all sides",
                got=volume.array_zyx.shape,
            )
        return cls(array_hu=volume.array_zyx, places=places)

    def patch(self, place: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the patch around a place."""
        low = place - PATCH_MM // 2
        return self.array_hu[tuple(slice(start, start + PATCH_MM) for start in low)]


def lay(
    packed: PackedCrop, host: Host, *, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Lay a crop into a scan.

    Parameters
    ----------
    rng : of where between the network's cells the nodule lies, and of the places tried.

    Returns
    -------
    The patch, float32 HU [z, y, x], 1 mm, and the centre of the nodule in its voxels, zyx.
    """
    spacing = packed.geometry.spacing_zyx_mm
    center_mm = _center_mm(packed)
    shift = rng.uniform(-_OFF_GRID_MM, _OFF_GRID_MM, size=3)
    view = centered(center_mm + shift, size=PATCH_MM, turn=as_matrix(np.eye(3)))
    hu = NETWORK_WINDOW.clip(decode_hu(packed.stored))
    top = view.cut(hu, spacing_zyx_mm=spacing, outside=AIR_HU, mode="nearest")
    box = Box.whole(packed.stored.shape, spacing)
    under = _best_fit(top, host, _meeting(box, view), rng)
    return surround(top, under, box, view, seam_mm=_SEAM_MM), view.to_patch(center_mm)


def _center_mm(packed: PackedCrop) -> NDArray[np.float64]:
    crop = packed.unpack()
    masks = (crop.consensus(), crop.reader_masks.any(axis=0))
    inside = next((np.argwhere(mask) for mask in masks if mask.any()), None)
    if inside is not None:
        center = inside.mean(axis=0)
    elif packed.record.center_lps_mm is not None:  # of a list; a crop may end where its scan does
        center = packed.geometry.lps_to_index(packed.record.center_lps_mm)
    else:
        center = (np.asarray(packed.stored.shape) - 1) / 2
    return np.asarray(center * np.asarray(packed.geometry.spacing_zyx_mm), dtype=np.float64)


def _meeting(box: Box, view: View) -> NDArray[np.bool_]:
    """Return the voxels of a patch next to where the box ends."""
    voxels = np.moveaxis(np.indices((view.size,) * 3), 0, -1)
    depth_mm = box.depth_mm(view.to_scan(voxels)).min(axis=-1)
    return np.asarray(np.abs(depth_mm) <= _FIT_MM, dtype=np.bool_)


def _best_fit(
    top: NDArray[np.float32], host: Host, meeting: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    tried = host.places[rng.integers(len(host.places), size=_PLACES_TRIED)]
    edge = top[meeting]
    misfits = [float(np.abs(host.patch(place)[meeting] - edge).sum()) for place in tried]
    return host.patch(tried[int(np.argmin(misfits))])
