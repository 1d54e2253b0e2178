"""Other grids: the stage that makes the networks' 1 mm grid, and the one SimpleITK bridge.

A *canonical* grid is isotropic and aligned with LPS: index z ascends to the head, y to the back,
x to the left. However a patient was positioned or a file is stored, anatomy has the same
orientation there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import AXIAL_DIRECTION, Geometry, as_matrix, as_vector
from nodule.hu import AIR_HU, CANONICAL_RANGE, HuWindow
from nodule.interpolation import ParallelGrids
from nodule.progress import Progress, silent
from nodule.ranges import check_fields
from nodule.volume import LungMask, Volume

_COUNT_TOLERANCE = 1e-4  # voxels; keeps float noise from adding an empty layer
_SLAB = 32  # slices that are converted to floats at a time: bounds the memory


@dataclass(frozen=True, kw_only=True)
class Resample:
    """Bring a CT onto the canonical grid on which the networks work.

    Parameters
    ----------
    spacing_mm : edge of the cubic voxels.
    window : HU outside it are clipped, after interpolation.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    name: ClassVar[str] = "resample"
    version: ClassVar[int] = 3

    spacing_mm: Annotated[float, Interval(ge=0.1, le=10)] = 1.0
    window: HuWindow = CANONICAL_RANGE

    def __post_init__(self) -> None:
        check_fields(self)

    def run(self, *, volume: Volume, progress: Progress = silent) -> Volume:
        """Return the volume on its canonical grid, clipped, in int16, air around the source.

        Raises
        ------
        InputError : ``BAD_SPACING``.
        """
        target = canonical_geometry(volume.geometry, spacing_mm=self.spacing_mm)
        fine = np.empty(target.shape_zyx, np.int16)
        for z, hu in enumerate(_slices_onto(volume, target, AIR_HU)):
            fine[z] = np.rint(self.window.clip(hu))
            progress((z + 1) / len(fine))
        return Volume(array_zyx=fine, geometry=target)


def canonical_geometry(source: Geometry, *, spacing_mm: float) -> Geometry:
    """Return the smallest canonical grid that covers every voxel of the source, borders included.

    It is centred on the source, so that no voxel's centre lies outside an axis-aligned one. A
    grid that is canonical already comes back unchanged.

    Raises
    ------
    InputError : ``BAD_SPACING`` unless the spacing is a positive length.
    """
    if not (np.isfinite(spacing_mm) and spacing_mm > 0):
        raise InputError(
            "the voxel size is not valid",
            code="BAD_SPACING",
            expected="a positive length",
            got=spacing_mm,
        )
    extent_mm = np.abs(source.affine[:3, :3]) @ np.asarray(source.shape_zyx)
    centre_mm = source.index_to_lps((np.asarray(source.shape_zyx) - 1) / 2)
    count = np.maximum(np.ceil(extent_mm / spacing_mm - _COUNT_TOLERANCE), 1).astype(int)
    columns, rows, depth = (int(n) for n in count)
    return Geometry(
        shape_zyx=(depth, rows, columns),
        spacing_zyx_mm=(spacing_mm, spacing_mm, spacing_mm),
        origin_lps_mm=as_vector(centre_mm - (count - 1) * spacing_mm / 2),
        direction=AXIAL_DIRECTION,
    )


def resample_to_spacing(volume: Volume, *, spacing_mm: float, outside_hu: float = AIR_HU) -> Volume:
    """Interpolate linearly onto the canonical grid of one voxel size.

    Parameters
    ----------
    volume : any grid, oblique and flipped ones included.
    spacing_mm : edge of the cubic voxels. Nothing is smoothed: to go much coarser than the
        source, average first.
    outside_hu : value of voxels whose centre lies outside the source.

    Raises
    ------
    InputError : ``BAD_SPACING``.
    """
    target = canonical_geometry(volume.geometry, spacing_mm=spacing_mm)
    return resample_to_geometry(volume, geometry=target, outside_hu=outside_hu)


def resample_to_geometry(
    volume: Volume, *, geometry: Geometry, outside_hu: float = AIR_HU
) -> Volume:
    """Interpolate linearly onto a given grid, ``outside_hu`` where the source does not reach.

    The voxels come as float32.
    """
    array = np.empty(geometry.shape_zyx, np.float32)
    for z, hu in enumerate(_slices_onto(volume, geometry, outside_hu)):
        array[z] = hu
    return Volume(array_zyx=array, geometry=geometry)


def _slices_onto(
    volume: Volume, target: Geometry, outside_hu: float
) -> Iterator[NDArray[np.float32]]:
    """Yield the slices of the target, interpolated linearly."""
    grids = ParallelGrids.between(volume.geometry, target)
    if grids is not None:
        yield from grids.slices(volume.array_zyx, outside_hu=outside_hu)
        return
    for first in range(0, target.shape_zyx[0], _SLAB):
        slab = _part(target, first, min(first + _SLAB, target.shape_zyx[0]))
        yield from _oblique_slab(volume, slab, outside_hu)


def _oblique_slab(volume: Volume, slab: Geometry, outside_hu: float) -> NDArray[np.float32]:
    """Interpolate a slab from the source's slices that reach it, of any direction."""
    import SimpleITK as sitk

    z = volume.geometry.lps_to_index(slab.corners_lps_mm())[:, 0]
    count = volume.geometry.shape_zyx[0]
    low, high = max(int(np.floor(z.min())) - 1, 0), min(int(np.ceil(z.max())) + 2, count)
    if low >= high:
        return np.full(slab.shape_zyx, outside_hu, np.float32)
    array = volume.array_zyx[low:high].astype(np.float32)
    found = _onto(array, _part(volume.geometry, low, high), slab, sitk.sitkLinear, outside_hu)
    return np.asarray(found, np.float32)


def _part(grid: Geometry, first: int, last: int) -> Geometry:
    """Return the slices of a grid from ``first`` to before ``last``."""
    return replace(
        grid,
        shape_zyx=(last - first, *grid.shape_zyx[1:]),
        origin_lps_mm=as_vector(grid.index_to_lps((first, 0, 0))),
    )


def bin_average(volume: Volume, bins_zyx: tuple[int, int, int]) -> Volume:
    """Average whole bins of voxels; what is left over at the far ends, less than a bin, is cut.

    The voxels come as float32.
    """
    source, (deep, high, wide) = volume.geometry, bins_zyx
    depth, rows, columns = (n // b for n, b in zip(source.shape_zyx, bins_zyx, strict=True))
    whole = np.int64 if volume.array_zyx.dtype == np.int16 else np.float64
    averaged = np.empty((depth, rows, columns), np.float32)
    for z in range(depth):
        total = volume.array_zyx[z * deep : (z + 1) * deep].sum(axis=0, dtype=whole)
        total = total[: rows * high].reshape(rows, high, -1).sum(axis=1)
        total = sum(total[:, first : columns * wide : wide] for first in range(wide))
        averaged[z] = total / (deep * high * wide)
    return Volume(
        array_zyx=averaged,
        geometry=Geometry(
            shape_zyx=averaged.shape,
            spacing_zyx_mm=as_vector(np.multiply(source.spacing_zyx_mm, bins_zyx)),
            origin_lps_mm=as_vector(source.index_to_lps((np.asarray(bins_zyx) - 1) / 2)),
            direction=source.direction,
        ),
    )


def resample_mask(mask: LungMask, *, geometry: Geometry) -> LungMask:
    """Bring lungs onto a given grid by nearest neighbour, 0 where the source does not reach."""
    labels = resample_labels(mask.labels_zyx, source=mask.geometry, target=geometry)
    return LungMask(labels_zyx=labels, geometry=geometry)


def resample_labels(
    labels_zyx: NDArray[np.uint8], *, source: Geometry, target: Geometry
) -> NDArray[np.uint8]:
    """Bring labels onto a given grid by nearest neighbour.

    Parameters
    ----------
    labels_zyx : uint8, shape ``source.shape_zyx``.

    Returns
    -------
    NDArray : uint8, shape ``target.shape_zyx``, 0 where the source does not reach.
    """
    grids = ParallelGrids.between(source, target)
    if grids is not None:
        return grids.nearest(labels_zyx)
    import SimpleITK as sitk

    return _onto(labels_zyx, source, target, sitk.sitkNearestNeighbor, 0.0)


def to_sitk(array_zyx: NDArray[Any], geometry: Geometry) -> Any:
    """Copy an array and its grid into a ``SimpleITK.Image`` (axes xyz, LPS)."""
    import SimpleITK as sitk

    image: Any = sitk.GetImageFromArray(array_zyx)
    image.SetSpacing(geometry.spacing_zyx_mm[::-1])
    image.SetOrigin(geometry.origin_lps_mm)
    image.SetDirection(_direction_xyz(geometry))
    return image


def geometry_of(image: Any) -> Geometry:
    """Return the grid of a three-dimensional ``SimpleITK.Image``.

    Raises
    ------
    GeometryError : as :class:`Geometry`.
    """
    columns, rows, depth = image.GetSize()
    return Geometry(
        shape_zyx=(depth, rows, columns),
        spacing_zyx_mm=as_vector(image.GetSpacing()[::-1]),
        origin_lps_mm=as_vector(image.GetOrigin()),
        direction=as_matrix(np.reshape(image.GetDirection(), (3, 3))[:, ::-1]),
    )


def _direction_xyz(geometry: Geometry) -> list[float]:
    """Return the direction row-major with one column per axis x, y, z."""
    columns: list[float] = np.asarray(geometry.direction)[:, ::-1].ravel().tolist()
    return columns


def _onto(
    array_zyx: NDArray[Any], source: Geometry, target: Geometry, interpolator: int, outside: float
) -> NDArray[Any]:
    import SimpleITK as sitk

    image = sitk.Resample(
        to_sitk(array_zyx, source),
        target.shape_zyx[::-1],
        sitk.Transform(),  # type: ignore[no-untyped-call]
        interpolator,
        target.origin_lps_mm,
        target.spacing_zyx_mm[::-1],
        _direction_xyz(target),
        outside,
    )
    return np.asarray(sitk.GetArrayFromImage(image), dtype=array_zyx.dtype)
