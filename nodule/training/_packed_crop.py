"""The voxels of a crop set's nodules, as stored and in HU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nodule.errors import GeometryError, InputError
from nodule.geometry import Geometry, Matrix, lps_to_ras
from nodule.training._nodule_record import NoduleRecord
from nodule.volume import Volume

CODE_LOW_HU = -1000.0
CODE_STEP_HU = 1400.0 / 255.0

_POSITION_TOLERANCE_MM = 0.01
_MAX_READERS = 8

Stored = NDArray[np.uint8] | NDArray[np.int16]
Members = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleCrop:
    """A nodule and what surrounds it.

    Parameters
    ----------
    record : its row.
    volume : float32 HU. Without a known frame the origin is 0 in x and y (and in z for
        ``crop51``); ``record.frame_known`` says so.
    reader_masks : bool [reader, z, y, x]; the first ``len(record.readers)`` belong to the
        ratings, in their order; readers without ratings follow.
    exact_slices : bool [z], whether a slice's HU are exact to the step of their storage.
    """

    record: NoduleRecord
    volume: Volume
    reader_masks: NDArray[np.bool_]
    exact_slices: NDArray[np.bool_]

    def consensus(self, level: float = 0.5) -> NDArray[np.bool_]:
        """Return the voxels, bool [z, y, x], that at least this share of the readers marked.

        Where no reader left a mask, as in sets made from LUNA16's lists, there are none.
        """
        if not len(self.reader_masks):
            return np.zeros(self.volume.array_zyx.shape, dtype=np.bool_)
        return np.asarray(self.reader_masks.mean(axis=0) >= level, dtype=np.bool_)


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedCrop:
    """A crop as stored, 2 to 3 bytes a voxel, for trainers that keep a whole set in memory.

    Parameters
    ----------
    record : its row.
    stored : uint8 codes or int16 HU [z, y, x]; :func:`decode_hu` gives HU.
    reader_bits : uint8 [z, y, x], bit r = reader r.
    exact_slices : bool [z].
    geometry : the grid.
    """

    record: NoduleRecord
    stored: Stored
    reader_bits: NDArray[np.uint8]
    exact_slices: NDArray[np.bool_]
    geometry: Geometry

    def unpack(self) -> NoduleCrop:
        """Return the crop in HU with one mask per reader."""
        return NoduleCrop(
            record=self.record,
            volume=Volume(array_zyx=decode_hu(self.stored), geometry=self.geometry),
            reader_masks=_split_readers(self.reader_bits, self.record.readers),
            exact_slices=self.exact_slices,
        )


def decode_hu(stored: Stored) -> NDArray[np.float32]:
    """Return float32 HU of uint8 codes or int16 HU, any shape."""
    hu = stored.astype(np.float32)
    if stored.dtype == np.uint8:
        hu *= np.float32(CODE_STEP_HU)
        hu += np.float32(CODE_LOW_HU)
    return hu


def _read_nifti(path: Path) -> tuple[NDArray[Any], Geometry]:
    import nibabel

    image: Any = nibabel.load(path)
    # index xyz and RAS in the file, index zyx and LPS here
    array = np.ascontiguousarray(np.asanyarray(image.dataobj).T)
    affine = np.array(image.affine, dtype=np.float64)[:, [2, 1, 0, 3]]
    affine[:3] = lps_to_ras(affine[:3].T).T
    shape = cast("tuple[int, int, int]", array.shape)
    return array, Geometry.from_affine(affine, shape_zyx=shape)


def pack_voi(record: NoduleRecord, *, image_file: Path, mask_file: Path) -> PackedCrop:
    """Read a nodule's image and mask from NIfTI; raises ``BAD_CROP``."""
    stored, geometry = _read_nifti(image_file)
    mask, mask_geometry = _read_nifti(mask_file)
    if not geometry.is_close(mask_geometry, tolerance_mm=_POSITION_TOLERANCE_MM):
        raise _bad_crop(record, "a mask on the image's grid", mask_geometry.shape_zyx)
    return PackedCrop(
        record=record,
        stored=stored.astype(np.int16),
        reader_bits=(mask > 0).astype(np.uint8),
        exact_slices=np.ones(stored.shape[0], dtype=np.bool_),
        geometry=geometry,
    )


def pack_stack(record: NoduleRecord, members: Members) -> PackedCrop:
    """Place a patient file's arrays of one nodule on their grid.

    Raises
    ------
    InputError : ``BAD_CROP``.
    GeometryError : ``NON_UNIFORM_SPACING``.
    """
    names = [f"{record.key}_{part}" for part in ("image", "mask", "z", "calsrc")]
    if any(name not in members for name in names):
        raise _bad_crop(record, ", ".join(names), ", ".join(members))
    image, bits, positions_mm, source = (members[name] for name in names)
    _check_arrays(record, image, bits)
    z_mm = np.asarray(positions_mm, float)
    spacing_mm = record.spacing_zyx_mm[0]
    off_mm = np.abs(z_mm - z_mm[0] - spacing_mm * np.arange(len(z_mm))).max()
    if off_mm > _POSITION_TOLERANCE_MM:
        raise GeometryError(
            f"slices of {record.nodule_key} are not equally spaced",
            code="NON_UNIFORM_SPACING",
            expected=f"{spacing_mm} mm",
            got=np.round(np.diff(z_mm), 3).tolist(),
        )
    x_mm, y_mm, _ = record.origin_lps_mm or (0.0, 0.0, 0.0)
    along = float(record.xy_dir)
    direction: Matrix = ((0.0, 0.0, along), (0.0, along, 0.0), (1.0, 0.0, 0.0))
    geometry = Geometry(
        shape_zyx=cast("tuple[int, int, int]", image.shape),
        spacing_zyx_mm=record.spacing_zyx_mm,
        origin_lps_mm=(x_mm, y_mm, float(z_mm[0])),
        direction=direction,
    )
    return PackedCrop(
        record=record,
        stored=cast("Stored", image),
        reader_bits=cast("NDArray[np.uint8]", bits),
        exact_slices=np.asarray(source) < 2,
        geometry=geometry,
    )


def pack_crop51(record: NoduleRecord, members: Members) -> PackedCrop:
    """Take the arrays of a 51 mm cube; raises ``BAD_CROP``."""
    if not {"image", "mask"} <= members.keys():
        raise _bad_crop(record, "image and mask", ", ".join(members))
    image, mask = members["image"], members["mask"]
    _check_arrays(record, image, mask)
    return PackedCrop(
        record=record,
        stored=cast("Stored", image),
        reader_bits=(np.asarray(mask, dtype=np.uint8) > 0).astype(np.uint8),
        # resampling rounded every slice
        exact_slices=np.zeros(image.shape[0], dtype=np.bool_),
        geometry=Geometry(
            shape_zyx=cast("tuple[int, int, int]", image.shape),
            spacing_zyx_mm=record.spacing_zyx_mm,
        ),
    )


def _check_arrays(record: NoduleRecord, image: NDArray[Any], bits: NDArray[Any]) -> None:
    if image.dtype not in (np.uint8, np.int16) or image.ndim != 3:
        raise _bad_crop(record, "a uint8 or int16 image of 3 axes", f"{image.dtype} {image.shape}")
    if bits.dtype != np.uint8 or bits.shape != image.shape:
        raise _bad_crop(
            record, f"a uint8 mask of shape {image.shape}", f"{bits.dtype} {bits.shape}"
        )


def _split_readers(bits: NDArray[np.uint8], rated: tuple[int, ...]) -> NDArray[np.bool_]:
    present = int(np.bitwise_or.reduce(bits, axis=None))
    unrated = (r for r in range(_MAX_READERS) if present >> r & 1 and r not in rated)
    order = np.array([*rated, *unrated], dtype=np.uint8)
    return ((bits[None] >> order[:, None, None, None]) & 1).astype(np.bool_)


def _bad_crop(record: NoduleRecord, expected: object, got: object) -> InputError:
    return InputError(
        f"{record.nodule_key} is not as its table says", code="BAD_CROP", expected=expected, got=got
    )
