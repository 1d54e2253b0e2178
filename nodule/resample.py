"""Other grids: the stage that makes the networks' 1 mm grid, and the one SimpleITK bridge.

A *canonical* grid is isotropic and aligned with LPS: index z ascends to the head, y to the back,
x to the left. However a patient was positioned or a file is stored, anatomy has the same
orientation there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import AXIAL_DIRECTION, Geometry, as_matrix, as_vector
from nodule.hu import AIR_HU, NETWORK_WINDOW, HuWindow
from nodule.progress import Progress, silent
from nodule.ranges import check_fields
from nodule.volume import LungMask, Volume

_COUNT_TOLERANCE = 1e-4  # voxels; keeps float noise from adding an empty layer


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
    version: ClassVar[int] = 1

    spacing_mm: Annotated[float, Interval(ge=0.1, le=10)] = 1.0
    window: HuWindow = NETWORK_WINDOW

    def __post_init__(self) -> None:
        check_fields(self)

    def run(self, *, volume: Volume, progress: Progress = silent) -> Volume:
        """Return the volume on its canonical grid, clipped, in whole HU, air around the source.

        Raises
        ------
        InputError : ``BAD_SPACING``.
        """
        fine = resample_to_spacing(volume, spacing_mm=self.spacing_mm)
        hu = fine.array_zyx
        np.clip(hu, np.float32(self.window.low_hu), np.float32(self.window.high_hu), out=hu)
        np.rint(hu, out=hu)
        progress(1.0)
        return fine


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
    """Interpolate linearly onto a given grid, ``outside_hu`` where the source does not reach."""
    import SimpleITK as sitk

    array = _onto(volume.array_zyx, volume.geometry, geometry, sitk.sitkLinear, outside_hu)
    return Volume(array_zyx=array, geometry=geometry)


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
