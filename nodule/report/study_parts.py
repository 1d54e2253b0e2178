"""What a report says of the study: who was scanned, how, and how well."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodule.report.parts import Part, Point
from nodule.study import SourceFormat


class Patient(Part):
    """Who was scanned and when: DICOM attributes of the same names."""

    patient_name: str | None = None
    patient_id: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    age: str | None = None
    accession_number: str | None = None
    study_date: str | None = None
    study_description: str | None = None
    institution: str | None = None


class Technique(Part):
    """How the series was made: DICOM attributes of the same names, then the grid as read.

    ``slice_direction`` is where slice numbers rise to, such as ``foot to head``.
    """

    source_format: SourceFormat
    series_number: int | None = None
    series_description: str | None = None
    manufacturer: str | None = None
    model_name: str | None = None
    convolution_kernel: str | None = None
    slice_thickness_mm: float | None = None
    kvp: float | None = None
    exposure_mas: float | None = None
    ctdi_vol_mgy: float | None = None
    contrast_agent: str | None = None
    lossy: bool = False
    shape_zyx: tuple[int, int, int]
    spacing_zyx_mm: Point
    slice_direction: str


class LungVolumes(Part):
    """Volumes of the segmented lungs."""

    right_ml: Annotated[float, Field(ge=0.0)]
    left_ml: Annotated[float, Field(ge=0.0)]


class StudyPart(Part):
    """What was examined."""

    study_instance_uid: str | None
    series_instance_uid: str | None
    frame_of_reference_uid: str | None
    patient: Patient
    technique: Technique
    lungs: LungVolumes


class QualityPart(Part):
    """Something about the images that limits what can be said of them.

    ``limit`` is what the software was made for; ``kept`` is null where nobody can tell.
    """

    name: str
    value: str
    limit: str
    kept: bool | None
