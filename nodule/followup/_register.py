"""From a place in one scan of a chest to the same place in another.

Only the lungs are registered, by what is in them and by where they end: first by an affine map,
then by symmetric-force demons (Vercauteren et al. 2009, NeuroImage 45:S61), which follow the
breath. Bones, arms and the table do not move with the lungs and are not looked at.
"""

# mypy: disable-error-code="no-untyped-call"
# SimpleITK has no types

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.errors import InputError
from nodule.followup._lung_map import LungMap
from nodule.geometry import AXIAL_DIRECTION, Geometry, as_vector
from nodule.hu import AIR_HU
from nodule.resample import bin_average, resample_labels, to_sitk
from nodule.volume import LungMask, Volume

_MARGIN_MM = 12.0  # of background about the lungs, so that their surface can pull
_CONTRAST_HU = 500.0  # vessels over parenchyma, as far as they count
_SEED = 7  # of the voxels that are sampled
_SAMPLED_SHARE = 0.2  # for the affine map
_SHRINKS = (2, 1)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much a registration spends.

    Parameters
    ----------
    spacing_mm : voxel size at which the lungs are compared.
    iterations : on the coarse level and on the fine one.
    stiffness_mm : standard deviation of the Gaussian that keeps the displacement smooth.
    """

    spacing_mm: float = 3.0
    iterations: tuple[int, int] = (50, 15)
    stiffness_mm: float = 6.0


FULL_EFFORT = Effort()


def register_lungs(
    *,
    current: Volume,
    current_lungs: LungMask,
    prior: Volume,
    prior_lungs: LungMask,
    effort: Effort = FULL_EFFORT,
) -> LungMap:
    """Find where each place of the current lungs was in the prior scan.

    Parameters
    ----------
    current, prior : HU, each on any grid.
    current_lungs, prior_lungs : each on any grid in the frame of its volume.
    effort : what to spend.

    Returns
    -------
    LungMap : with its own quality, from lungs that took part in the fit: an error of the surface,
        and no proof of what happens inside.

    Raises
    ------
    InputError : ``NO_LUNGS`` where a mask is empty.
    """
    fixed = _scene(current, current_lungs, effort.spacing_mm)
    moving = _scene(prior, prior_lungs, effort.spacing_mm)
    affine = _fit_affine(fixed, moving)
    return _sampled(fixed, moving, _refine(fixed, moving, affine, effort))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scene:
    """Lungs on a coarse grid: ``image`` 0 in parenchyma to 1 in what is dense and outside.

    ``covered`` is what the scan shows: beyond its ends nothing is known.
    """

    image: NDArray[np.float32]
    lungs: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    geometry: Geometry

    def sitk(self) -> Any:
        return to_sitk(self.image, self.geometry)

    def coverage(self) -> Any:
        return to_sitk(self.covered.astype(np.uint8), self.geometry)


def _scene(volume: Volume, lungs: LungMask, spacing_mm: float) -> _Scene:
    geometry = _around(lungs, spacing_mm)
    labels = resample_labels(lungs.labels_zyx, source=lungs.geometry, target=geometry)
    inside = labels > 0
    hu = _averaged(volume, geometry)
    level = np.float32(np.median(hu[inside]))
    image = np.clip((hu - level) / np.float32(_CONTRAST_HU), -0.2, 1.0)
    image[~inside] = 1.0
    index = volume.geometry.lps_to_index(
        geometry.index_to_lps(np.moveaxis(np.indices(geometry.shape_zyx), 0, -1))
    )
    last = np.asarray(volume.geometry.shape_zyx) - 1
    return _Scene(
        image=image.astype(np.float32),
        lungs=inside,
        covered=np.all((index >= 0) & (index <= last), axis=-1),
        geometry=geometry,
    )


def _around(lungs: LungMask, spacing_mm: float) -> Geometry:
    """Return an axial grid about the lungs and a margin."""
    boxes = ndimage.find_objects((lungs.labels_zyx > 0).astype(np.uint8))
    if not boxes:
        raise InputError(
            "a scan shows no lungs to register",
            code="NO_LUNGS",
            hint="Look at the lung mask of both studies.",
        )
    ends = np.array([(s.start, s.stop - 1) for s in boxes[0]])
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    points = lungs.geometry.index_to_lps(corners)
    low, high = points.min(axis=0) - _MARGIN_MM, points.max(axis=0) + _MARGIN_MM
    columns, rows, depth = (int(n) + 1 for n in np.ceil((high - low) / spacing_mm))
    return Geometry(
        shape_zyx=(depth, rows, columns),
        spacing_zyx_mm=(spacing_mm, spacing_mm, spacing_mm),
        origin_lps_mm=as_vector(low),
        direction=AXIAL_DIRECTION,
    )


def _averaged(volume: Volume, geometry: Geometry) -> NDArray[np.float32]:
    """Bring a scan onto a coarser grid, first averaged over about one of its voxels."""
    import SimpleITK as sitk

    spacings = zip(geometry.spacing_zyx_mm, volume.geometry.spacing_zyx_mm, strict=True)
    z, y, x = (max(1, round(coarse / fine)) for coarse, fine in spacings)
    binned = bin_average(volume, (z, y, x))
    image = to_sitk(binned.array_zyx, binned.geometry)
    grid = to_sitk(np.zeros(geometry.shape_zyx, np.uint8), geometry)
    onto = sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, AIR_HU)
    return np.asarray(sitk.GetArrayFromImage(onto), dtype=np.float32)


def _fit_affine(fixed: _Scene, moving: _Scene) -> Any:
    """Fit an affine map from several starts and keep the best."""
    fits = [_fit_from(start, fixed, moving) for start in _starts_mm(fixed, moving)]
    return min(fits, key=lambda fit: fit[1])[0]


def _starts_mm(fixed: _Scene, moving: _Scene) -> list[NDArray[np.float64]]:
    """Return shifts by which the lungs' centres, tops or bottoms meet.

    A scan that ends within the lungs has its centre elsewhere, but still one of its ends.
    """
    points = [s.geometry.index_to_lps(np.argwhere(s.lungs)) for s in (fixed, moving)]
    centre = points[1].mean(axis=0) - points[0].mean(axis=0)
    heights = [np.percentile(p[:, 2], (1, 99)) for p in points]
    return [centre, *(np.array([*centre[:2], z]) for z in heights[1] - heights[0])]


def _fit_from(start_mm: NDArray[np.float64], fixed: _Scene, moving: _Scene) -> tuple[Any, float]:
    import SimpleITK as sitk

    start = sitk.AffineTransform(3)
    middle = fixed.geometry.index_to_lps(np.argwhere(fixed.lungs)).mean(axis=0)
    start.SetCenter(middle.tolist())
    start.SetTranslation(start_mm.tolist())
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetMetricFixedMask(fixed.coverage())
    method.SetMetricMovingMask(moving.coverage())
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(_SAMPLED_SHARE, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=4.0, minStep=0.02, numberOfIterations=100, relaxationFactor=0.5
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel((4, 2))
    method.SetSmoothingSigmasPerLevel((2, 1))
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInitialTransform(start, inPlace=False)
    fitted = method.Execute(fixed.sitk(), moving.sitk()).GetNthTransform(0)
    return fitted, method.GetMetricValue()


def _refine(fixed: _Scene, moving: _Scene, affine: Any, effort: Effort) -> Any:
    """Follow the breath by demons, from coarse to fine; return the whole transform."""
    import SimpleITK as sitk

    image = fixed.sitk()
    mapped = sitk.Resample(moving.sitk(), image, affine, sitk.sitkLinear, 1.0)
    seen = _seen(fixed, moving, affine)
    # where only one scan shows anything, nothing pulls
    straight = to_sitk(np.where(seen, sitk.GetArrayFromImage(mapped), fixed.image), fixed.geometry)
    demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SetSmoothDisplacementField(True)
    demons.SetSmoothUpdateField(True)
    demons.SetUpdateFieldStandardDeviations(1.0)
    demons.SetMaximumUpdateStepLength(2.0)
    field = None
    for shrink, iterations in zip(_SHRINKS, effort.iterations, strict=True):
        level = [_shrunk(each, shrink) for each in (image, straight)]
        start = _field_on(field, level[0])
        demons.SetStandardDeviations(effort.stiffness_mm / (effort.spacing_mm * shrink))
        demons.SetNumberOfIterations(iterations)
        field = demons.Execute(*level, start)
    field = sitk.Cast(_field_on(field, image), sitk.sitkVectorFloat64)
    return sitk.CompositeTransform([affine, sitk.DisplacementFieldTransform(field)])


def _seen(fixed: _Scene, moving: _Scene, warp: Any) -> NDArray[np.bool_]:
    """Return where both scans show something, on the fixed grid."""
    import SimpleITK as sitk

    method = sitk.ResampleImageFilter()
    method.SetReferenceImage(fixed.coverage())
    method.SetTransform(warp)
    method.SetInterpolator(sitk.sitkNearestNeighbor)
    method.UseNearestNeighborExtrapolatorOn()  # beyond the prior grid it goes on as it ends
    return np.asarray(
        fixed.covered & (sitk.GetArrayFromImage(method.Execute(moving.coverage())) > 0)
    )


def _shrunk(image: Any, factor: int) -> Any:
    import SimpleITK as sitk

    return image if factor == 1 else sitk.BinShrink(image, [factor] * 3)


def _field_on(field: Any, grid: Any) -> Any:
    """Bring a displacement field onto a grid; None is no displacement."""
    import SimpleITK as sitk

    if field is None:
        zero = np.zeros((*grid.GetSize()[::-1], 3))
        start = sitk.GetImageFromArray(zero, isVector=True)
        start.CopyInformation(grid)
        return start
    method = sitk.ResampleImageFilter()
    method.SetReferenceImage(grid)
    method.UseNearestNeighborExtrapolatorOn()
    return method.Execute(field)


def _sampled(fixed: _Scene, moving: _Scene, warp: Any) -> LungMap:
    import SimpleITK as sitk

    image = fixed.sitk()
    field = sitk.TransformToDisplacementField(
        warp,
        sitk.sitkVectorFloat32,
        image.GetSize(),
        image.GetOrigin(),
        image.GetSpacing(),
        image.GetDirection(),
    )
    shift = np.asarray(sitk.GetArrayFromImage(field), dtype=np.float32)
    prior = to_sitk(moving.lungs.astype(np.uint8), moving.geometry)
    mapped = sitk.GetArrayFromImage(sitk.Resample(prior, image, warp, sitk.sitkNearestNeighbor, 0))
    seen = _seen(fixed, moving, warp)
    overlap, error_mm = _agreement(fixed.lungs & seen, (mapped > 0) & seen, fixed.geometry)
    return LungMap(
        shift_lps_mm=shift, geometry=fixed.geometry, overlap=overlap, surface_error_mm=error_mm
    )


def _agreement(
    one: NDArray[np.bool_], other: NDArray[np.bool_], geometry: Geometry
) -> tuple[float, float]:
    """Return Dice and the mean distance of the surfaces, both ways."""
    if not other.any():
        return 0.0, float("inf")
    dice = 2.0 * float((one & other).sum()) / float(one.sum() + other.sum())
    rims = [mask & ~ndimage.binary_erosion(mask) for mask in (one, other)]
    away = [ndimage.distance_transform_edt(~rim, sampling=geometry.spacing_zyx_mm) for rim in rims]
    gaps = [away[1][rims[0]], away[0][rims[1]]]
    return dice, float(np.concatenate(gaps).mean())
