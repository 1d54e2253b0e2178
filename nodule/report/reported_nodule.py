"""What a report says of one nodule: what is known of it, and what only a report adds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from nodule.advice.context import Lobe
from nodule.findings import AssessedNodule, Assessment
from nodule.guidelines.facts import half_up
from nodule.mask_labels import MaskReference
from nodule.nodules import Measurement, Nodule, Size
from nodule.printed import Digits, as_printed

NODULE_LIMIT_MM = 30.0  # beyond it a lesion is a mass (Fleischner Society glossary 2024)
MALIGNANCY_WORDS = (  # LIDC-IDRI's scale
    "highly unlikely",
    "moderately unlikely",
    "indeterminate",
    "moderately suspicious",
    "highly suspicious",
)


@dataclass(frozen=True, kw_only=True)
class MalignancyRating:
    """The mean of a malignancy's ratings, and what LIDC's scale calls the nearest one.

    Parameters
    ----------
    score : from 1 to 5.
    word : of the rating nearest to it.
    """

    score: Annotated[float, Ge(1), Le(5), Digits(3)]
    word: str

    @property
    def nearest(self) -> int:
        """The rating nearest to the mean, from 1 to 5; halves go up."""
        return nearest_rating(self.score)


@dataclass(frozen=True, kw_only=True)
class ReaderMark:
    """What a reader said of a nodule that he added.

    Parameters
    ----------
    long_axis_mm : as the reader drew it.
    comment : in the reader's words.
    """

    long_axis_mm: Size | None
    comment: str | None


@dataclass(frozen=True, kw_only=True)
class ReportedNodule(AssessedNodule):
    """A nodule as a report states it, its numbers as they are printed.

    Parameters
    ----------
    rating : of its malignancy; None where nobody assessed it.
    scope : ``mass`` above 30 mm.
    mean_diameter_mm : of both axes as printed, to 0.1 mm, as the rules read it.
    lobe : None unless a reader states it; no lobe is measured.
    mask : where its voxels are in ``nodules.nii.gz``, None where it has none.
    reader : what the reader said who added it; None for the software's own findings.
    """

    rating: MalignancyRating | None
    scope: Literal["nodule", "mass"]
    mean_diameter_mm: Annotated[float, Gt(0)] | None
    lobe: Lobe | None
    mask: MaskReference | None
    reader: ReaderMark | None = None

    @property
    def extent_mm(self) -> float | None:
        """The long axis, or else the reader's."""
        if self.nodule.measurement is not None:
            return self.nodule.measurement.long_axis_mm
        return None if self.reader is None else self.reader.long_axis_mm


def reported(
    nodule: Nodule,
    *,
    assessment: Assessment | None,
    lobe: Lobe | None,
    mask: MaskReference | None,
    reader: ReaderMark | None = None,
) -> ReportedNodule:
    """Return a nodule as a report states it.

    Parameters
    ----------
    nodule, assessment : in full precision.
    lobe, mask, reader : as :class:`ReportedNodule`.
    """
    printed = as_printed(
        ReportedNodule(
            nodule=nodule,
            assessment=assessment,
            rating=None if assessment is None else _rating(assessment),
            scope="nodule",
            mean_diameter_mm=None,
            lobe=lobe,
            mask=mask,
            reader=reader,
        )
    )
    return with_nodule(printed, printed.nodule)


def with_nodule(stated: ReportedNodule, nodule: Nodule) -> ReportedNodule:
    """Return a report's nodule with another place and size, and what follows from these.

    Parameters
    ----------
    stated : what else is said of it.
    nodule : its numbers as printed.
    """
    measured = nodule.measurement
    mass = measured is not None and measured.long_axis_mm > NODULE_LIMIT_MM
    return replace(
        stated,
        nodule=nodule,
        scope="mass" if mass else "nodule",
        mean_diameter_mm=None if measured is None else mean_diameter_mm(measured),
    )


def nearest_rating(score: float) -> int:
    """Return the rating from 1 to 5 that is nearest to a mean of ratings; halves go up."""
    return int(score + 0.5)


def mean_diameter_mm(printed: Measurement) -> float:
    """Return the mean of both axes as they are printed, to 0.1 mm."""
    return float(half_up((half_up(printed.long_axis_mm) + half_up(printed.short_axis_mm)) / 2))


def _rating(assessment: Assessment) -> MalignancyRating:
    score = round(assessment.malignancy.score, 3)
    return MalignancyRating(score=score, word=MALIGNANCY_WORDS[nearest_rating(score) - 1])
