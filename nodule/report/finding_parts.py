"""What a report says of one finding."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nodule.advice.context import Lobe
from nodule.findings import Lung, LungZone, Measurement
from nodule.followup.record import FindingRecord
from nodule.geometry import Vector, as_vector
from nodule.masks import MaskReference, Texture
from nodule.report.parts import Ends, Part, Point, Probability, Size
from nodule.sphere import sphere_volume_mm3

NODULE_LIMIT_MM = 30.0  # beyond it a lesion is a mass (Fleischner Society glossary 2024)
MALIGNANCY_WORDS = (  # LIDC-IDRI's scale
    "highly unlikely",
    "moderately unlikely",
    "indeterminate",
    "moderately suspicious",
    "highly suspicious",
)


def nearest_rating(score: float) -> int:
    """Return the rating from 1 to 5 that is nearest to a mean of ratings; halves go up."""
    return int(score + 0.5)


class SlicePart(Part):
    """The image to look at: the one with the calipers, or else the one through the centre.

    ``number`` counts from 1 along the source's index axis z, out of ``count``. The DICOM names
    are null for formats that have none.
    """

    number: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)]
    instance_number: int | None
    sop_instance_uid: str | None


class MalignancyPart(Part):
    """Radiologist-rated suspicion from 1 to 5, not pathology; ``score`` is the mean rating.

    ``word`` is that of LIDC's scale for the rating nearest to it.
    ``spread`` is the standard deviation of that mean over the networks that were asked.
    ``suspicion`` is the calibrated probability that radiologists would on average rate it above 3,
    null where nothing calibrates it. ``indeterminate`` says that the networks abstain: then it
    should not be relied on.
    """

    score: Annotated[float, Field(ge=1.0, le=5.0)]
    word: str
    distribution: tuple[Probability, Probability, Probability, Probability, Probability]
    spread: Annotated[float, Field(ge=0.0)]
    suspicion: Probability | None
    indeterminate: bool

    @property
    def rating(self) -> int:
        """The rating nearest to the mean, from 1 to 5."""
        return nearest_rating(self.score)


class SeedPart(Part):
    """Where a mask was grown from: the same mask grows from it again.

    ``by_reader`` says that a reader chose the point.
    """

    center_lps_mm: Point
    diameter_mm: Size
    by_reader: bool


def key_point(long_axis_ends_lps_mm: Ends | None, *, center_lps_mm: Vector) -> Vector:
    """Return where the calipers lie: the middle of the long axis, or else the centre."""
    if long_axis_ends_lps_mm is None:
        return center_lps_mm
    return as_vector(np.mean(long_axis_ends_lps_mm, axis=0))


class _Sized(Part):
    """What is measured of a nodule; null where it could not be.

    ``mean_diameter_mm`` is that of both axes. ``volume_limits_mm3`` hold the volume in 95 of 100
    measurements; where they cannot be stated, the volumes and the effective diameter are null too.
    The solid core is that of a part-solid nodule. ``texture`` is read from the image,
    ``sphericity`` is about 0.9 for a ball of voxels, ``pleura_distance_mm`` 0 where the nodule
    touches its lung's surface. No lobe is known but the one that a reader states. ``seed`` is that
    of the mask that was measured, ``mask`` says where in ``nodules.nii.gz`` it is.
    """

    center_lps_mm: Point
    slice: SlicePart
    long_axis_mm: Size | None = None
    short_axis_mm: Size | None = None
    mean_diameter_mm: Size | None = None
    effective_diameter_mm: Size | None = None
    volume_mm3: Size | None = None
    volume_limits_mm3: tuple[float, float] | None = None
    long_axis_ends_lps_mm: Ends | None = None
    short_axis_ends_lps_mm: Ends | None = None
    solid_axes_mm: tuple[Size, Size] | None = None
    solid_volume_mm3: Size | None = None
    texture: Texture | None = None
    mean_hu: float | None = None
    sphericity: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    third: LungZone | None = None
    lobe: Lobe | None = None
    pleura_distance_mm: Annotated[float, Field(ge=0.0)] | None = None
    scope: Literal["nodule", "mass"] = "nodule"
    seed: SeedPart | None = None
    mask: MaskReference | None = None

    @property
    def key_point_lps_mm(self) -> Vector:
        """Where to look, as :func:`key_point`."""
        return key_point(self.long_axis_ends_lps_mm, center_lps_mm=self.center_lps_mm)


class FindingPart(_Sized):
    """A finding of the software.

    ``scope`` is ``mass`` above 30 mm.
    """

    id: Annotated[str, Field(pattern="^N[1-9][0-9]*$")]
    probability: Probability
    malignancy: MalignancyPart
    lung: Lung

    @property
    def extent_mm(self) -> float | None:
        """The long axis."""
        return self.long_axis_mm


class AddedPart(_Sized):
    """A nodule that a reader added: the software did not rate it.

    Sizes are grown from the reader's point; ``reader_long_axis_mm`` is the reader's own. ``lung``
    is null outside both lungs' masks.
    """

    id: Annotated[str, Field(pattern="^R[1-9][0-9]*$")]
    lung: Lung | None
    reader_long_axis_mm: Size | None
    comment: str | None

    @property
    def extent_mm(self) -> float | None:
        """The long axis, or else the reader's."""
        return self.long_axis_mm or self.reader_long_axis_mm


SIZED_FIELDS = tuple(
    name for name in _Sized.model_fields if name not in ("center_lps_mm", "slice", "mask")
)
"""Names of everything that a measurement says, to be taken over or forgotten together."""
_AS_PRINTED = ("volume_limits_mm3", "solid_axes_mm", "solid_volume_mm3", "texture")


def measurement_of(part: FindingPart | AddedPart | FindingRecord) -> Measurement | None:
    """Return what a part says was measured, in the numbers that it prints.

    A volume that the part does not state has no limits here, so that no rule reads it.
    """
    if part.long_axis_mm is None or part.short_axis_mm is None:
        return None
    # a measurement has a volume even where none can be stated: that of a ball as wide as short
    effective_mm = part.effective_diameter_mm or part.short_axis_mm
    return Measurement(
        center_lps_mm=part.center_lps_mm,
        long_axis_mm=part.long_axis_mm,
        short_axis_mm=part.short_axis_mm,
        effective_diameter_mm=effective_mm,
        volume_mm3=part.volume_mm3 or sphere_volume_mm3(effective_mm),
        **{name: getattr(part, name) for name in _AS_PRINTED},
    )
