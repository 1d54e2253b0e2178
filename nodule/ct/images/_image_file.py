"""Volumes in one file: what NIfTI, MetaImage and NRRD have in common."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nodule.ct._containers import Member
from nodule.ct._hounsfield import put_air_below_scale
from nodule.ct.dicom._checks import too_few, too_large, too_wide
from nodule.ct.dicom._stack_checks import SILENT_DEVIATION_MM
from nodule.errors import GeometryError, InputError
from nodule.geometry import Geometry
from nodule.hu import HuArray
from nodule.input_folders import lies_within
from nodule.study import SeriesHeader, SourceFormat, StudyWarning
from nodule.volume import compact

MIN_SPACING_MM, MAX_SPACING_MM = 0.01, 20.0
_GZIP_MAGIC = b"\x1f\x8b"
_UID = re.compile(r"[0-9]+(\.[0-9]+){5,}")


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """A volume whose header has been read and whose voxels have not.

    Parameters
    ----------
    source_format : which of the formats.
    members : the file, and the data file beside it where there is one.
    shape_ijk : number of voxels, the fastest axis first.
    affine_lps : 4x4 row-major, from index ijk to LPS mm.
    read_voxels : returns the voxels, shape ``shape_ijk``, any real type.
    warnings : what is odd about the header.
    """

    source_format: SourceFormat
    members: tuple[Member, ...]
    shape_ijk: tuple[int, int, int]
    affine_lps: tuple[tuple[float, ...], ...]
    read_voxels: Callable[[], NDArray[np.generic]]
    warnings: tuple[StudyWarning, ...] = ()

    def __post_init__(self) -> None:
        # the axes can only be told apart on a grid that is one
        stored = Geometry.from_affine(self.affine_lps, shape_zyx=self.shape_ijk)
        refused = too_large(int(np.prod(self.shape_ijk, dtype=object))) or too_few(
            self.geometry.shape_zyx[0]
        )
        if refused is not None:
            raise refused
        shortest_mm, longest_mm = min(stored.spacing_zyx_mm), max(stored.spacing_zyx_mm)
        if not MIN_SPACING_MM < shortest_mm <= longest_mm < MAX_SPACING_MM:
            raise GeometryError(
                "the voxels do not have the size of those of a CT",
                code="BAD_SPACING",
                expected=f"between {MIN_SPACING_MM} and {MAX_SPACING_MM} mm",
                got=stored.spacing_zyx_mm,
                hint="The header may state another unit than millimetres.",
            )
        if (refused := too_wide(stored)) is not None:
            raise refused

    @property
    def series_uid(self) -> str | None:
        """The file's name where it is a UID, as in LUNA16."""
        stem = self.members[0].path.name.split(".nii")[0].removesuffix(".mhd").removesuffix(".mha")
        return stem if _UID.fullmatch(stem) else None

    @property
    def _axes(self) -> tuple[tuple[int, int, int], bool]:
        """Which stored axes serve as z, y, x, and whether z must be turned to ascend."""
        import nibabel

        affine, untyped = np.asarray(self.affine_lps), cast(Any, nibabel.orientations)
        world = untyped.io_orientation(affine)[:, 0].astype(int).tolist()
        z, y, x = (world.index(axis) for axis in (2, 1, 0))
        return (z, y, x), bool(affine[2, z] < 0)

    @property
    def geometry(self) -> Geometry:
        """The grid with the slices ascending to the head; in-plane flips stay as stored."""
        affine = np.asarray(self.affine_lps, float)
        axes, is_descending = self._axes
        reordered = affine[:, [*axes, 3]]
        if is_descending:
            reordered[:, 3] += (self.shape_ijk[axes[0]] - 1) * reordered[:, 0]
            reordered[:, 0] *= -1
        i, j, k = (self.shape_ijk[a] for a in axes)
        return Geometry.from_affine(reordered, shape_zyx=(i, j, k))

    @property
    def header(self) -> SeriesHeader:
        """How the series was made, of which these formats say nothing."""
        return SeriesHeader(source_format=self.source_format, series_instance_uid=self.series_uid)

    def read(self) -> HuArray:
        """Decode the voxels: HU on :attr:`geometry`, what no CT can store mapped to air.

        They come as int16 where all are whole and fit.

        Raises
        ------
        InputError : ``TRUNCATED``, ``NOT_FINITE``, or what the format's reader raises.
        """
        axes, is_descending = self._axes
        voxels = np.transpose(self.read_voxels(), axes)
        if is_descending:
            voxels = voxels[::-1]
        farthest = max(abs(float(voxels.min())), abs(float(voxels.max())))
        if not farthest <= np.finfo(np.float32).max:
            raise InputError(
                "an image holds NaN or infinity",
                code="NOT_FINITE",
                expected="finite Hounsfield units",
                hint="Write the image again with a value for every voxel.",
            )
        array = _hu_of(voxels)
        for slice_yx in array:
            put_air_below_scale(slice_yx)
        return compact(array)


def _hu_of(voxels: NDArray[np.generic]) -> HuArray:
    """Return a copy of finite voxels: int16 where their type says that they fit, else float32."""
    if np.can_cast(voxels.dtype, np.int16):
        return np.array(voxels, np.int16, order="C")
    return np.array(voxels, np.float32, order="C")


def skew_mm(axes: NDArray[np.float64], shape_ijk: Sequence[int]) -> float:
    """How far the far corner may lie off where axes at right angles would put it.

    Parameters
    ----------
    axes : 3x3, a column for each axis of the index, of any length.
    """
    lengths = np.linalg.norm(axes, axis=0)
    unit = axes / lengths
    return float(np.abs(unit.T @ unit - np.eye(3)).max() * np.linalg.norm(lengths * shape_ijk))


def axes_warnings(off_mm: float) -> tuple[StudyWarning, ...]:
    """Tell of axes that a header states twice, or by angles and lengths, and not quite alike."""
    if off_mm <= SILENT_DEVIATION_MM:
        return ()
    message = f"what the header says of the axes differs by up to {off_mm:.3f} mm at the far corner"
    return (StudyWarning(code="UNEVEN_ORIENTATION", message=message),)


def unpack_voxels(
    content: bytes,
    *,
    shape_ijk: tuple[int, int, int],
    dtype: np.dtype[np.generic],
    is_compressed: bool,
    name: str,
) -> NDArray[np.generic]:
    """Return the voxels that follow a header, raw or compressed as zlib or gzip, shape ijk.

    Raises
    ------
    InputError : as :func:`exactly` and :func:`inflate_exactly`.
    """
    i, j, k = shape_ijk
    take = inflate_exactly if is_compressed else exactly
    voxels = take(content, size=i * j * k * dtype.itemsize, name=name)
    return np.frombuffer(voxels, dtype).reshape(shape_ijk, order="F")


def inflate_exactly(content: bytes, *, size: int, name: str) -> bytes:
    """Inflate zlib or gzip data, several gzip members included, to exactly the size promised.

    The stream is read to its end, where its checksum stands, and no further than the size.

    Raises
    ------
    InputError : ``TRUNCATED`` when there is less, ``SURPLUS_DATA`` when there is more,
        ``UNREADABLE`` when the stream is damaged or does not match its checksum.
    """
    parts, left, rest = [], size, content
    while True:
        inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            part = inflater.decompress(rest, left + 1)
        except zlib.error:
            raise unreadable(name, "a damaged compressed stream") from None
        parts.append(part)
        left -= len(part)
        if left < 0 or not inflater.eof:
            break
        rest = inflater.unused_data
        if not rest.startswith(_GZIP_MAGIC):
            break
    if left >= 0 and not inflater.eof:
        raise _cut_short(name, size, f"a compressed stream that breaks off after {size - left}")
    if left >= 0 and rest.strip(b"\0"):
        raise unreadable(name, "bytes after the compressed stream")
    return exactly(b"".join(parts), size=size, name=name)


def exactly(content: bytes, *, size: int, name: str) -> bytes:
    """Return content that has the size that its header describes.

    Raises
    ------
    InputError : ``TRUNCATED`` when there are fewer bytes, ``SURPLUS_DATA`` when there are more.
    """
    if len(content) < size:
        raise _cut_short(name, size, f"{len(content)} bytes")
    if len(content) > size:
        raise InputError(
            f"{name} holds more bytes than its header describes",
            code="SURPLUS_DATA",
            expected=f"{size} bytes",
            got=f"{len(content)} bytes or more",
            hint="The header may state another size or type than the voxels have.",
        )
    return content


def _cut_short(name: str, size: int, got: str) -> InputError:
    return InputError(
        f"{name} ends before its voxels do",
        code="TRUNCATED",
        expected=f"{size} bytes",
        got=got,
        hint="Copy or convert the file again.",
    )


def unreadable(name: str, got: str) -> InputError:
    """Return the error for a file that breaks its format."""
    return InputError(
        f"{name} is malformed",
        code="UNREADABLE",
        got=got,
        hint="Copy or convert the file again.",
    )


def unsupported(name: str, got: str) -> InputError:
    """Return the error for a variant of a format that is not read."""
    return InputError(
        f"{name} uses a variant of its format that is not supported",
        code="UNSUPPORTED_FORMAT",
        expected="one scalar volume of three dimensions, raw or gzip",
        got=got,
        hint="Convert it to NIfTI.",
    )


def no_orientation(name: str, got: str) -> GeometryError:
    """Return the error for a file that does not say how it lies in the patient."""
    return GeometryError(
        f"{name} does not state its position in the patient",
        code="NO_ORIENTATION",
        got=got,
        hint="Convert the scan again from DICOM.",
    )


def sibling(header: Path, name: str) -> Path:
    """Return the data file that a header names: a file beside it, and nothing else.

    Raises
    ------
    InputError : ``UNSAFE_DATA_FILE`` for a name with a folder in it, a pattern, a list or a link
        to elsewhere, ``CANNOT_READ`` when there is no such file.
    """
    path = header.parent / name
    is_bare = name not in ("", ".", "..") and not set(name) & set("/\\:%\0") and name != "LIST"
    if not is_bare or not lies_within(path, header.parent):
        raise InputError(
            f"{header.name} points to data outside its folder",
            code="UNSAFE_DATA_FILE",
            expected="the bare name of one file beside it",
            hint="Do not trust this file, or convert it to one that holds its own data.",
        )
    if not path.is_file():
        raise InputError(
            f"the data file of {header.name} is missing",
            code="CANNOT_READ",
            hint="Copy it beside the header.",
        )
    return path
