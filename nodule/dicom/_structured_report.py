"""Measured findings as a DICOM Comprehensive 3D SR: TID 1500, a TID 1411 group a finding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from nodule.dicom import _codes as code
from nodule.dicom._instance import (
    DRAFT,
    constructor_arguments,
    derived_uid,
    device_uid,
    save,
    settle,
    tracking_uid,
    weights_parameters,
)
from nodule.dicom.source import quiet_dicom, source_headers
from nodule.pseudonyms import Pseudonyms
from nodule.report.reported_nodule import ReportedNodule
from nodule.report.software import PRODUCT, answers_digest, software_version
from nodule.result_files import SR_NAME

if TYPE_CHECKING:
    from highdicom.seg import Segmentation

    from nodule.ct import SeriesSource
    from nodule.report.model import Provenance, Report

_SERIES_NUMBER = 9702

_Group = (
    sr.VolumetricROIMeasurementsAndQualitativeEvaluations | sr.MeasurementsAndQualitativeEvaluations
)


def write_dicom_sr(
    report: Report,
    *,
    source: SeriesSource,
    segmentation: Segmentation | None,
    folder: Path,
    pseudonyms: Pseudonyms | None = None,
) -> Path:
    """Write ``sr.dcm``; parameters and errors as :func:`build_sr`."""
    document = build_sr(report, source=source, segmentation=segmentation, pseudonyms=pseudonyms)
    return save(document, folder / SR_NAME)


def build_sr(
    report: Report,
    *,
    source: SeriesSource,
    segmentation: Segmentation | None,
    pseudonyms: Pseudonyms | None = None,
) -> sr.Comprehensive3DSR:
    """Return a report as a partial, unverified, preliminary SR document.

    Each finding is a group: the segment that it has in the segmentation, or else the point where
    it lies, the lobe that a reader states or else the lung, what was measured, how it is rated, and
    what has become of it since a prior study. What a reader added is not rated, and no malignancy
    is where the networks abstain. A report without findings holds one group that says that nodules
    are absent. A Lung-RADS category that rules gave is a group of its own. Equal input gives equal
    bytes.

    Parameters
    ----------
    report : what to say.
    source : the series that was read.
    segmentation : made from the same report by
        :func:`nodule.dicom._segmentation.build_segmentation`.
    pseudonyms : with which the report was deidentified; None where it was not.

    Raises
    ------
    InputError, DicomSeriesError : as :func:`nodule.dicom.source.source_headers`.
    """
    headers = source_headers(source, pseudonyms=pseudonyms)
    groups: list[_Group] = list(_Groups(report, headers[0], segmentation))
    with quiet_dicom():
        content = sr.MeasurementReport(
            observation_context=_observer(report.provenance),
            procedure_reported=code.CT_PROCEDURE,
            imaging_measurements=[*(groups or [_absent(report)]), *_categories(report)],
            referenced_images=_key_images(report, headers),
        )
        document = sr.Comprehensive3DSR(
            evidence=[*headers, *([segmentation] if segmentation is not None else [])],
            content=content[0],
            series_number=_SERIES_NUMBER,
            coding_schemes=_private_schemes(),
            is_complete=False,
            is_verified=False,
            is_final=False,
            **constructor_arguments(report.provenance, headers[0]),
        )
        document.CompletionFlagDescription = DRAFT
        settle(document, headers[0])
    return document


def _key_images(report: Report, headers: tuple[Dataset, ...]) -> list[Dataset]:
    """Return the images to look at; frames of a multi-frame image cannot be named apart here."""
    wanted = {finding.nodule.image.sop_instance_uid for finding in report.active}
    return [h for h in headers if h.SOPInstanceUID in wanted and "NumberOfFrames" not in h]


def _private_schemes() -> list[CodingSchemeIdentificationItem]:
    schemes = code.PRIVATE_SCHEMES.items()
    return [CodingSchemeIdentificationItem(designator=key, name=name) for key, name in schemes]


def _observer(provenance: Provenance) -> sr.ObservationContext:
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=device_uid(provenance),
        name=f"{PRODUCT} {software_version(provenance)}",
        manufacturer_name=PRODUCT,
        model_name=PRODUCT,
        serial_number=answers_digest(provenance),
    )
    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(
            observer_type=sr.CodedConcept.from_code(code.DEVICE),
            observer_identifying_attributes=device,
        )
    )


def _absent(report: Report) -> sr.MeasurementsAndQualitativeEvaluations:
    """Say that no nodule was found."""
    uid = derived_uid("absent", report.provenance.input_sha256)
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=uid, identifier="No nodule"),
        finding_category=code.ABNORMALITY,
        finding_type=code.SCOPES["nodule"],
        finding_sites=[sr.FindingSite(code.LUNG)],
        algorithm_id=_algorithm(report.provenance),
        qualitative_evaluations=[sr.QualitativeEvaluation(code.PRESENCE, code.ABSENT)],
    )


def _categories(report: Report) -> Iterator[sr.MeasurementsAndQualitativeEvaluations]:
    """State the exam's category, which like all else here nobody has verified."""
    for advice in report.management.exam:
        if advice.rule_set == "Lung-RADS" and advice.answer is not None:
            category = code.lung_rads_category(advice.version, advice.answer)
            yield sr.MeasurementsAndQualitativeEvaluations(
                tracking_identifier=sr.TrackingIdentifier(
                    uid=derived_uid("exam", report.provenance.input_sha256), identifier="Exam"
                ),
                algorithm_id=_algorithm(report.provenance),
                qualitative_evaluations=[sr.QualitativeEvaluation(code.LUNG_RADS, category)],
            )


def _algorithm(provenance: Provenance) -> sr.AlgorithmIdentification:
    parameters = [f"{key}: {value}" for key, value in weights_parameters(provenance).items()]
    return sr.AlgorithmIdentification(
        name=PRODUCT,
        version=software_version(provenance),
        parameters=parameters or None,
        family=code.AI,
        manufacturer=PRODUCT,
    )


class _Groups:
    """The measurement groups of a report's findings."""

    def __init__(self, report: Report, header: Dataset, segmentation: Segmentation | None) -> None:
        self._report = report
        self._header = header
        self._segmentation = segmentation
        segments = () if segmentation is None else segmentation.SegmentSequence
        self._numbers = {str(s.get("TrackingUID")): int(s.SegmentNumber) for s in segments}
        self._series = sr.SourceSeriesForSegmentation(header.SeriesInstanceUID)

    def __iter__(self) -> Iterator[sr.VolumetricROIMeasurementsAndQualitativeEvaluations]:
        for finding in self._report.active:
            segment = self._segment(finding)
            yield sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=sr.TrackingIdentifier(
                    uid=tracking_uid(self._report, finding), identifier=finding.nodule.id
                ),
                referenced_segment=segment,
                referenced_volume_surface=None if segment else self._point(finding),
                finding_category=code.ABNORMALITY,
                finding_type=code.SCOPES[finding.scope],
                finding_sites=[_site(finding)],
                algorithm_id=_algorithm(self._report.provenance),
                measurements=[*_measurements(finding), *_ratings(finding)] or None,
                qualitative_evaluations=[*_evaluations(finding), *self._difference(finding)]
                or None,
            )

    def _difference(self, finding: ReportedNodule) -> Iterator[sr.QualitativeEvaluation]:
        """Say what has become of a finding since the prior study, where its growth was judged."""
        change = self._report.changes.get(finding.nodule.id)
        if change is not None and change.growth is not None:
            difference = code.DIFFERENCES[change.growth.partition(",")[0]]
            yield sr.QualitativeEvaluation(code.DIFFERENCE, difference)

    def _segment(self, finding: ReportedNodule) -> sr.ReferencedSegment | None:
        number = self._numbers.get(tracking_uid(self._report, finding))
        if self._segmentation is None or number is None:
            return None
        return sr.ReferencedSegment(
            sop_class_uid=self._segmentation.SOPClassUID,
            sop_instance_uid=self._segmentation.SOPInstanceUID,
            segment_number=number,
            source_series=self._series,
        )

    def _point(self, finding: ReportedNodule) -> sr.VolumeSurface:
        return sr.VolumeSurface(
            graphic_type="POINT",
            graphic_data=np.array([finding.nodule.center_lps_mm]),
            frame_of_reference_uid=self._header.FrameOfReferenceUID,
            source_series=self._series,
        )


def _site(finding: ReportedNodule) -> sr.FindingSite:
    if finding.lobe is not None:
        return sr.FindingSite(code.LOBES[finding.lobe])
    return sr.FindingSite(
        code.LUNG, laterality=code.SIDES[finding.nodule.lung] if finding.nodule.lung else None
    )


def _measurements(finding: ReportedNodule) -> Iterator[sr.Measurement]:
    measured = finding.nodule.measurement
    if measured is None:
        return
    solid_long_mm, solid_short_mm = measured.solid_axes_mm or (None, None)
    sizes = (
        (code.LONG_AXIS, measured.long_axis_mm, code.MILLIMETER),
        (code.SHORT_AXIS, measured.short_axis_mm, code.MILLIMETER),
        (code.EFFECTIVE_DIAMETER, measured.effective_diameter_mm, code.MILLIMETER),
        (code.SOLID_LONG_AXIS, solid_long_mm, code.MILLIMETER),
        (code.SOLID_SHORT_AXIS, solid_short_mm, code.MILLIMETER),
        (code.SOLID_VOLUME, measured.solid_volume_mm3, code.CUBIC_MILLIMETER),
        (code.SPHERICITY, measured.sphericity, code.NO_UNITS),
    )
    for name, value, unit in sizes:
        if value is not None:
            yield sr.Measurement(name=name, value=value, unit=unit)
    if finding.mean_diameter_mm is not None:
        yield _mean(code.DIAMETER, finding.mean_diameter_mm, code.MILLIMETER)
    if measured.volume_mm3 is not None:
        yield sr.Measurement(
            name=code.VOLUME,
            value=measured.volume_mm3,
            unit=code.CUBIC_MILLIMETER,
            method=code.VOXEL_SUM,
        )
    if measured.mean_hu is not None:
        yield _mean(code.ATTENUATION, measured.mean_hu, code.HOUNSFIELD)


def _ratings(finding: ReportedNodule) -> Iterator[sr.Measurement]:
    """Rate what the software found; nobody rated what a reader added."""
    assessment, rating = finding.assessment, finding.rating
    if assessment is None or rating is None:
        return
    percent = round(100 * assessment.probability, 2)
    yield sr.Measurement(name=code.CERTAINTY, value=percent, unit=code.PERCENT)
    if not assessment.malignancy.indeterminate:
        yield _mean(code.MALIGNANCY, rating.score, code.NO_UNITS)


def _mean(name: Code, value: float, unit: Code) -> sr.Measurement:
    return sr.Measurement(name=name, value=value, unit=unit, derivation=code.MEAN)


def _evaluations(finding: ReportedNodule) -> Iterator[sr.QualitativeEvaluation]:
    assessment, rating = finding.assessment, finding.rating
    if assessment is not None and rating is not None and not assessment.malignancy.indeterminate:
        nearest = code.MALIGNANCY_RATINGS[rating.nearest - 1]
        yield sr.QualitativeEvaluation(code.MALIGNANCY, nearest)
    measured = finding.nodule.measurement
    if measured is not None and measured.texture is not None:
        yield sr.QualitativeEvaluation(code.TEXTURE, code.TEXTURES[measured.texture])
