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
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from nodule.errors import InputError
from nodule.geometry import AXIAL_DIRECTION, Geometry, as_vector
from nodule.hu import AIR_HU
from nodule.resample import resample_labels, to_sitk
from nodule.volume import LungMask, Volume

_MARGIN_MM = 12.0  # of background about the lungs, so that their surface can pull
_CONTRAST_HU = 500.0  # vessels over parenchyma, as far as they count
_SEED = 7  # of the voxels that are sampled
_SAMPLED_SHARE = 0.2  # for the affine map
_SHRINKS = (2, 1)
_INVERSE_STEPS = 40


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


@dataclass(frozen=True, kw_only=True, eq=False)
class LungMap:
    """A smooth map from the current scan to the prior one.

    Parameters
    ----------
    shift_lps_mm : float32, shape ``(*geometry.shape_zyx, 3)``: where a point goes less where it
        is, x y z.
    geometry : of that field, in the current scan's frame; it covers both lungs. Beyond it a
        point moves as the nearest one inside.
    overlap : Dice of the current lungs, mapped, and the prior ones, in [0, 1].
    surface_error_mm : mean distance of the mapped lungs' surface from the prior lungs'.

    Raises
    ------
    InputError : ``SHAPE_MISMATCH`` or ``NOT_FINITE``.
    """

    shift_lps_mm: NDArray[np.float32]
    geometry: Geometry
    overlap: float
    surface_error_mm: float

    def __post_init__(self) -> None:
        expected = (*self.geometry.shape_zyx, 3)
        if self.shift_lps_mm.shape != expected:
            raise InputError(
                "a field does not fit its grid",
                code="SHAPE_MISMATCH",
                expected=expected,
                got=self.shift_lps_mm.shape,
            )
        if not np.isfinite(self.shift_lps_mm).all():
            raise InputError("a field holds NaN or infinity", code="NOT_FINITE")

    def to_prior(self, current_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Map points of the current scan, LPS mm, shape (..., 3), to the prior one."""
        points = np.asarray(current_lps_mm, float)
        return np.asarray(points + self._shift_at(points), dtype=np.float64)

    def to_current(self, prior_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Map points of the prior scan back, by fixed-point iteration.

        It settles as long as neighbours keep their order, which a breath and a turn of less than
        some 50 degrees leave them.
        """
        goal = np.asarray(prior_lps_mm, float)
        points = goal - self._shift_at(goal)
        for _ in range(_INVERSE_STEPS):
            points = goal - self._shift_at(points)
        return np.asarray(points, dtype=np.float64)

    def _shift_at(self, points_lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        index = self.geometry.lps_to_index(points_lps_mm.reshape(-1, 3)).T
        shift = [
            ndimage.map_coordinates(self.shift_lps_mm[..., k], index, order=1, mode="nearest")
            for k in range(3)
        ]
        return np.stack(shift, axis=-1).reshape(points_lps_mm.shape)


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
    """Lungs on a coarse grid: ``image`` 0 in parenchyma to 1 in what is dense and outside."""

    image: NDArray[np.float32]
    lungs: NDArray[np.bool_]
    geometry: Geometry

    def sitk(self) -> Any:
        return to_sitk(self.image, self.geometry)


def _scene(volume: Volume, lungs: LungMask, spacing_mm: float) -> _Scene:
    geometry = _around(lungs, spacing_mm)
    labels = resample_labels(lungs.labels_zyx, source=lungs.geometry, target=geometry)
    inside = labels > 0
    hu = _averaged(volume, geometry)
    level = np.float32(np.median(hu[inside]))
    image = np.clip((hu - level) / np.float32(_CONTRAST_HU), -0.2, 1.0)
    image[~inside] = 1.0
    return _Scene(image=image.astype(np.float32), lungs=inside, geometry=geometry)


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
    factors = [max(1, round(coarse / fine)) for coarse, fine in spacings]
    image = sitk.BinShrink(to_sitk(volume.array_zyx, volume.geometry), factors[::-1])
    grid = to_sitk(np.zeros(geometry.shape_zyx, np.uint8), geometry)
    onto = sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, AIR_HU)
    return np.asarray(sitk.GetArrayFromImage(onto), dtype=np.float32)


def _fit_affine(fixed: _Scene, moving: _Scene) -> Any:
    """Fit an affine map, beginning where the lungs' centres of mass meet."""
    import SimpleITK as sitk

    masks = [to_sitk(s.lungs.astype(np.float32), s.geometry) for s in (fixed, moving)]
    start = sitk.CenteredTransformInitializer(
        *masks, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
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
    return method.Execute(fixed.sitk(), moving.sitk()).GetNthTransform(0)


def _refine(fixed: _Scene, moving: _Scene, affine: Any, effort: Effort) -> Any:
    """Follow the breath by demons, from coarse to fine; return the whole transform."""
    import SimpleITK as sitk

    image = fixed.sitk()
    straight = sitk.Resample(moving.sitk(), image, affine, sitk.sitkLinear, 1.0)
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
    overlap, error_mm = _agreement(fixed.lungs, mapped > 0, fixed.geometry)
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
