"""A document's groups: one a finding, said by whoever says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from highdicom import sr

from nodule.dicom import codes as code
from nodule.dicom._instance import weights_parameters
from nodule.dicom._key_image import KeyImages
from nodule.dicom.dates import dicom_time
from nodule.dicom.readers import Judgement, device, judgements, person
from nodule.dicom.statements import (
    StatedCode,
    StatedNumber,
    site_codes,
    stated_codes,
    stated_numbers,
)
from nodule.dicom.tracking import tracking_uids
from nodule.report.model import Provenance, Report
from nodule.report.reported_nodule import ReportedNodule
from nodule.report.software import PRODUCT, software_version

if TYPE_CHECKING:
    from highdicom.seg import Segmentation

_Group = (
    sr.VolumetricROIMeasurementsAndQualitativeEvaluations
    | sr.PlanarROIMeasurementsAndQualitativeEvaluations
    | sr.MeasurementsAndQualitativeEvaluations
)


class MeasurementGroups:
    """The groups of a report's findings, then those of the findings that readers rejected.

    A finding with a segment is a volumetric group (TID 1411). One without is a group of numbers
    (TID 1501), or where nothing is known of it but a place a planar one (TID 1410). In a reviewed
    report each group names its own observers: the software, the person who decided on it, or both.

    Parameters
    ----------
    report : what to say.
    images : of the series.
    series_uid : SeriesInstanceUID of the images.
    segmentation : made from the same report, None for none.
    """

    def __init__(
        self,
        report: Report,
        *,
        images: KeyImages,
        series_uid: str,
        segmentation: Segmentation | None,
    ) -> None:
        self._report = report
        self._images = images
        self._segmentation = segmentation
        segments = () if segmentation is None else segmentation.SegmentSequence
        self._numbers = {str(s.get("TrackingUID")): int(s.SegmentNumber) for s in segments}
        self._uids = tracking_uids(report)
        self._said = judgements(report)
        self._series = sr.SourceSeriesForSegmentation(series_uid)
        (name,) = self._series.ConceptNameCodeSequence
        name.CodeMeaning = code.SOURCE_SERIES.meaning  # highdicom writes it in capitals

    def __iter__(self) -> Iterator[_Group]:
        for finding in self._report.active:
            yield self._group(finding, stated_numbers(finding, rejected=False))
        for finding in self._report.rejected:
            yield self._group(finding, stated_numbers(finding, rejected=True))

    def _group(self, finding: ReportedNodule, numbers: tuple[StatedNumber, ...]) -> _Group:
        judgement = self._said.get(finding.nodule.id)
        said = stated_codes(self._report, finding, judgement)
        by_software = finding.assessment is not None or finding.nodule.measurement is not None
        place, side = site_codes(finding)
        group = self._of_kind(
            finding,
            tracking_identifier=sr.TrackingIdentifier(
                uid=self._uids[finding.nodule.id], identifier=finding.nodule.id
            ),
            finding_category=code.ABNORMALITY,
            finding_type=code.SCOPES[finding.scope],
            finding_sites=[sr.FindingSite(place, laterality=side)],
            algorithm_id=algorithm(self._report.provenance) if by_software else None,
            measurements=[_measurement(each) for each in numbers] or None,
            qualitative_evaluations=[_evaluation(each) for each in said] or None,
        )
        self._place(group, finding, numbers)
        self._sign(group, finding, judgement)
        return group

    def _place(
        self, group: _Group, finding: ReportedNodule, numbers: tuple[StatedNumber, ...]
    ) -> None:
        """Add to each number from where on the images it was inferred.

        The first, and each axis, is from the key image: viewers go where the first leads. The
        others are of the finding at its centre in the patient. TID 1411 has no row for it but is
        extensible.
        """
        items = [item for item in group[0].ContentSequence if item.ValueType == "NUM"]
        for item, number in zip(items, numbers, strict=True):
            if "ContentSequence" not in item:
                item.ContentSequence = sr.ContentSequence()
            place: sr.CoordinatesForMeasurement | sr.CoordinatesForMeasurement3D
            if number.ends_lps_mm is not None:
                place = self._images.line(finding.nodule, number.ends_lps_mm)
            elif item is items[0] or number.name in (code.LONG_AXIS, code.SHORT_AXIS):
                place = self._images.place(finding.nodule)
            else:
                place = self._images.point(finding.nodule)
            item.ContentSequence.append(place)

    def _of_kind(self, finding: ReportedNodule, **content: Any) -> _Group:
        segment = self._segment(finding)
        if segment is not None:
            return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
                referenced_segment=segment, **content
            )
        if content["measurements"]:
            return sr.MeasurementsAndQualitativeEvaluations(**content)
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=self._images.region(finding.nodule), **content
        )

    def _sign(self, group: _Group, finding: ReportedNodule, judgement: Judgement | None) -> None:
        """Add, in a reviewed report, who says it and in which words."""
        if not self._report.reviews:
            return
        content = group[0].ContentSequence
        if finding.assessment is not None:
            content.extend(device(self._report.provenance))
        if judgement is None:
            return
        if judgement.reader is not None:
            content.extend(person(judgement.reader))
        for name, texts in (
            (code.COMMENT, [judgement.comment] if judgement.comment else []),
            (code.STATEMENT, judgement.statements),
        ):
            for text in texts:
                content.append(_text(name, text))
        for item in content:
            if item.name in (code.VERDICT, code.COMMENT, code.STATEMENT):
                item.ObservationDateTime = dicom_time(judgement.at)

    def _segment(self, finding: ReportedNodule) -> sr.ReferencedSegment | None:
        number = self._numbers.get(self._uids[finding.nodule.id])
        if self._segmentation is None or number is None:
            return None
        return sr.ReferencedSegment(
            sop_class_uid=self._segmentation.SOPClassUID,
            sop_instance_uid=self._segmentation.SOPInstanceUID,
            segment_number=number,
            source_series=self._series,
        )


def _measurement(number: StatedNumber) -> sr.Measurement:
    return sr.Measurement(
        name=number.name,
        value=number.value,
        unit=number.unit,
        derivation=number.derivation,
        method=number.method,
    )


def _evaluation(said: StatedCode) -> sr.QualitativeEvaluation:
    return sr.QualitativeEvaluation(said.name, said.value)


def _text(name: Any, text: str) -> sr.TextContentItem:
    return sr.TextContentItem(
        name=name, value=text, relationship_type=sr.RelationshipTypeValues.CONTAINS
    )


def algorithm(provenance: Provenance) -> sr.AlgorithmIdentification:
    """Return the software as what measured and rated."""
    parameters = [f"{key}: {value}" for key, value in weights_parameters(provenance).items()]
    return sr.AlgorithmIdentification(
        name=PRODUCT,
        version=software_version(provenance),
        parameters=parameters or None,
        family=code.AI,
        manufacturer=PRODUCT,
    )
