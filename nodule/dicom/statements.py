"""What is said of a finding in numbers and codes, whichever format says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.sr.coding import Code

from nodule.dicom import codes as code
from nodule.dicom.readers import Judgement
from nodule.geometry import Vector
from nodule.nodules import Measurement
from nodule.report.model import Report
from nodule.report.reported_nodule import ReportedNodule


@dataclass(frozen=True, kw_only=True)
class StatedNumber:
    """A number with its unit.

    Parameters
    ----------
    name, unit : codes.
    value : as printed.
    derivation, method : how it came about, None where the name says it.
    ends_lps_mm : of the line on the finding's image whose length it is, None for other numbers.
    """

    name: Code
    value: float
    unit: Code
    derivation: Code | None = None
    method: Code | None = None
    ends_lps_mm: tuple[Vector, Vector] | None = None


@dataclass(frozen=True, kw_only=True)
class StatedCode:
    """A question and its coded answer."""

    name: Code
    value: Code


def stated_numbers(finding: ReportedNodule, *, rejected: bool) -> tuple[StatedNumber, ...]:
    """Return a finding's sizes and ratings, what decides first: viewers show but the first few.

    Parameters
    ----------
    finding : what a reader added is not rated, and has no malignancy where the networks abstain.
    rejected : of what a reader rejected, only how sure the software was of it.
    """
    if rejected:
        return tuple(_certainty(finding))
    return (
        *_axes(finding),
        *_main_sizes(finding),
        *_malignancy(finding),
        *_certainty(finding),
        *_further_sizes(finding.nodule.measurement),
    )


def stated_codes(
    report: Report, finding: ReportedNodule, judgement: Judgement | None
) -> tuple[StatedCode, ...]:
    """Return a finding's coded answers: malignancy by LIDC's scale, texture, change, verdict.

    Parameters
    ----------
    report : holds the finding, and what became of it since a prior study.
    finding : of what a reader rejected, it is only said that it is absent.
    judgement : what a reader said of it, None where no reader has.
    """
    rejected = finding in report.rejected
    said = [StatedCode(name=code.PRESENCE, value=code.ABSENT)] if rejected else []
    if not rejected:
        said += [*_rating(finding), *_texture(finding), *_difference(report, finding)]
    if judgement is not None and judgement.verdict is not None:
        said.append(StatedCode(name=code.VERDICT, value=code.VERDICTS[judgement.verdict]))
    return tuple(said)


def site_codes(finding: ReportedNodule) -> tuple[Code, Code | None]:
    """Return where a finding lies: a lobe, whose code names its side, or the lung and its side."""
    if finding.lobe is not None:
        return code.LOBES[finding.lobe], None
    return code.LUNG, code.SIDES[finding.nodule.lung] if finding.nodule.lung else None


def _axes(finding: ReportedNodule) -> Iterator[StatedNumber]:
    measured = finding.nodule.measurement
    if measured is None:
        if finding.extent_mm is not None:
            yield _length(code.LONG_AXIS, finding.extent_mm, None)
        return
    yield _length(code.LONG_AXIS, measured.long_axis_mm, measured.long_axis_ends_lps_mm)
    yield _length(code.SHORT_AXIS, measured.short_axis_mm, measured.short_axis_ends_lps_mm)


def _length(name: Code, mm: float, ends_lps_mm: tuple[Vector, Vector] | None) -> StatedNumber:
    return StatedNumber(name=name, value=mm, unit=code.MILLIMETER, ends_lps_mm=ends_lps_mm)


def _main_sizes(finding: ReportedNodule) -> Iterator[StatedNumber]:
    measured = finding.nodule.measurement
    if finding.mean_diameter_mm is not None:
        yield _mean(code.DIAMETER, finding.mean_diameter_mm, code.MILLIMETER)
    if measured is not None and measured.volume_mm3 is not None:
        yield StatedNumber(
            name=code.VOLUME,
            value=measured.volume_mm3,
            unit=code.CUBIC_MILLIMETER,
            method=code.VOXEL_SUM,
        )


def _malignancy(finding: ReportedNodule) -> Iterator[StatedNumber]:
    assessment, rating = finding.assessment, finding.rating
    if assessment is not None and rating is not None and not assessment.malignancy.indeterminate:
        yield _mean(code.MALIGNANCY, rating.score, code.NO_UNITS)


def _certainty(finding: ReportedNodule) -> Iterator[StatedNumber]:
    if finding.assessment is not None:
        percent = round(100 * finding.assessment.probability, 2)
        yield StatedNumber(name=code.CERTAINTY, value=percent, unit=code.PERCENT)


def _further_sizes(measured: Measurement | None) -> Iterator[StatedNumber]:
    if measured is None:
        return
    solid_long_mm, solid_short_mm = measured.solid_axes_mm or (None, None)
    sizes = (
        (code.EFFECTIVE_DIAMETER, measured.effective_diameter_mm, code.MILLIMETER),
        (code.SOLID_LONG_AXIS, solid_long_mm, code.MILLIMETER),
        (code.SOLID_SHORT_AXIS, solid_short_mm, code.MILLIMETER),
        (code.SOLID_VOLUME, measured.solid_volume_mm3, code.CUBIC_MILLIMETER),
        (code.SPHERICITY, measured.sphericity, code.NO_UNITS),
    )
    for name, value, unit in sizes:
        if value is not None:
            yield StatedNumber(name=name, value=value, unit=unit)
    if measured.mean_hu is not None:
        yield _mean(code.ATTENUATION, measured.mean_hu, code.HOUNSFIELD)


def _mean(name: Code, value: float, unit: Code) -> StatedNumber:
    return StatedNumber(name=name, value=value, unit=unit, derivation=code.MEAN)


def _rating(finding: ReportedNodule) -> Iterator[StatedCode]:
    assessment, rating = finding.assessment, finding.rating
    if assessment is not None and rating is not None and not assessment.malignancy.indeterminate:
        nearest = code.MALIGNANCY_RATINGS[rating.nearest - 1]
        yield StatedCode(name=code.MALIGNANCY, value=nearest)


def _texture(finding: ReportedNodule) -> Iterator[StatedCode]:
    measured = finding.nodule.measurement
    if measured is not None and measured.texture is not None:
        yield StatedCode(name=code.TEXTURE, value=code.TEXTURES[measured.texture])


def _difference(report: Report, finding: ReportedNodule) -> Iterator[StatedCode]:
    """Yield what has become of a finding since the prior study, where its growth was judged."""
    change = report.changes.get(finding.nodule.id)
    if change is not None and change.growth is not None:
        difference = code.DIFFERENCES[change.growth.partition(",")[0]]
        yield StatedCode(name=code.DIFFERENCE, value=difference)
