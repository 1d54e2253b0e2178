"""The lung mask against a reference, and against where nodules are. Loads torch and MONAI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.errors import GeometryError, InputError
from nodule.evaluate._overlap import LUNG_TOLERANCE_MM, Overlap, compare_masks
from nodule.geometry import Vector
from nodule.lidc import WholeScan
from nodule.resample import geometry_of
from nodule.study import Study
from nodule.training import annotations_in
from nodule.volume import LungMask


@dataclass(frozen=True, kw_only=True)
class CentersInside:
    """How many of the readers' nodules the mask keeps.

    Parameters
    ----------
    n : centres.
    inside : of them in a voxel of the mask.
    within_margin : of them no farther from such a voxel's centre than the margin, by which the
        search for candidates widens the mask.
    """

    n: int
    inside: int
    within_margin: int


def compare_lungs(found: LungMask, reference: LungMask) -> Mapping[str, Overlap]:
    """Compare two masks on one grid.

    Returns
    -------
    ``both``, and ``right`` and ``left`` where the reference has both sides: one without
    any left lung is taken for both lungs in one label. Surface Dice is at 2 mm.

    Raises
    ------
    GeometryError : ``LUNGS_ELSEWHERE`` for different grids.
    """
    if not found.geometry.is_close(reference.geometry):
        raise GeometryError(
            "the lungs lie on another grid than their reference",
            code="LUNGS_ELSEWHERE",
            expected=reference.geometry.shape_zyx,
            got=found.geometry.shape_zyx,
        )
    parts = {"both": _overlap(found, reference, side=None)}
    if (reference.labels_zyx == LungMask.LEFT).any():
        parts["right"] = _overlap(found, reference, side=LungMask.RIGHT)
        parts["left"] = _overlap(found, reference, side=LungMask.LEFT)
    return parts


def count_inside(
    lungs: LungMask, centers_lps_mm: Sequence[Vector], *, margin_mm: float
) -> CentersInside:
    """Count the centres inside the mask and within a margin of it."""
    return CentersInside(
        n=len(centers_lps_mm),
        inside=sum(_is_inside(lungs, center) for center in centers_lps_mm),
        within_margin=sum(
            _is_near(lungs, center, margin_mm=margin_mm) for center in centers_lps_mm
        ),
    )


def nodule_centers(scan: WholeScan, study: Study) -> tuple[Vector, ...]:
    """Return where readers saw nodules: outlined by any of them, and smaller than 3 mm.

    A small one counts for each reader who marked it. Of LUNA16's tables these are the nodules by
    three readers or more; some of its other findings are not nodules.

    Raises
    ------
    InputError : from reading the readings.
    """
    marked = annotations_in(scan, study)
    return tuple(each.center_lps_mm for each in marked if each.kind in ("outlined", "small"))


def read_lung_mask(path: Path) -> LungMask:
    """Read labels 0, 1 (right) and 2 (left) from NIfTI, MetaImage or NRRD.

    Raises
    ------
    InputError : ``UNREADABLE``, ``BAD_LABEL``.
    GeometryError : as :class:`nodule.geometry.Geometry`.
    """
    import SimpleITK as sitk

    try:
        image: Any = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"{path.name} is not a readable image", code="UNREADABLE") from error
    labels: NDArray[np.generic] = sitk.GetArrayFromImage(image)
    values = np.unique(labels)
    if labels.ndim != 3 or not np.isin(values, (0, LungMask.RIGHT, LungMask.LEFT)).all():
        raise InputError(
            f"{path.name} is not a lung mask",
            code="BAD_LABEL",
            expected="0, 1 for the right and 2 for the left lung, on 3 axes",
            got=f"{values[:8].tolist()} on {labels.ndim} axes",
        )
    return LungMask(labels_zyx=labels.astype(np.uint8), geometry=geometry_of(image))


def _overlap(found: LungMask, reference: LungMask, *, side: int | None) -> Overlap:
    ours, theirs = (
        mask.labels_zyx > 0 if side is None else mask.labels_zyx == side
        for mask in (found, reference)
    )
    return compare_masks(
        ours,
        theirs,
        spacing_zyx_mm=reference.geometry.spacing_zyx_mm,
        tolerance_mm=LUNG_TOLERANCE_MM,
    )


def _is_inside(lungs: LungMask, center_lps_mm: Vector) -> bool:
    z, y, x = np.rint(lungs.geometry.lps_to_index(center_lps_mm)).astype(int).tolist()
    return lungs.geometry.contains(center_lps_mm) and bool(lungs.labels_zyx[z, y, x])


def _is_near(lungs: LungMask, center_lps_mm: Vector, *, margin_mm: float) -> bool:
    """Tell whether any voxel centre of the mask lies within the margin."""
    spacing = np.asarray(lungs.geometry.spacing_zyx_mm)
    center = lungs.geometry.lps_to_index(center_lps_mm)
    low = np.maximum(np.ceil(center - margin_mm / spacing), 0).astype(int)
    high = np.maximum(np.floor(center + margin_mm / spacing), -1).astype(int) + 1
    box = lungs.labels_zyx[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    steps_mm = (np.argwhere(box) + low - center) * spacing
    return bool(((steps_mm**2).sum(axis=1) <= margin_mm**2).any())
