"""What a report says: the shape of ``report.json``.

Sizes are millimetres, positions LPS. ``report.schema.json`` beside this file is the same as a
JSON schema.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nodule.findings import Lung, Texture, Third
from nodule.study import SourceFormat

NODULE_LIMIT_MM = 30.0  # beyond it a lesion is a mass (Fleischner Society glossary 2024)
MALIGNANCY_WORDS = (  # LIDC-IDRI's scale
    "highly unlikely",
    "moderately unlikely",
    "indeterminate",
    "moderately suspicious",
    "highly suspicious",
)

Point = tuple[float, float, float]
Ends = tuple[Point, Point]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Size = Annotated[float, Field(gt=0.0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Patient(_Part):
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


class Technique(_Part):
    """How the series was made: DICOM attributes of the same names, then the grid as read."""

    source_format: SourceFormat
    series_number: int | None = None
    series_description: str | None = None
    manufacturer: str | None = None
    model_name: str | None = None
    convolution_kernel: str | None = None
    slice_thickness_mm: float | None = None
    kvp: float | None = None
    exposure_mas: float | None = None
    contrast_agent: str | None = None
    lossy: bool = False
    shape_zyx: tuple[int, int, int]
    spacing_zyx_mm: Point


class LungVolumes(_Part):
    """Volumes of the segmented lungs."""

    right_ml: Annotated[float, Field(ge=0.0)]
    left_ml: Annotated[float, Field(ge=0.0)]


class StudyPart(_Part):
    """What was examined."""

    study_instance_uid: str | None
    series_instance_uid: str | None
    frame_of_reference_uid: str | None
    patient: Patient
    technique: Technique
    lungs: LungVolumes


class Provenance(_Part):
    """What made the report; enough to make it again.

    Parameters
    ----------
    input_sha256 : digest of the series' content.
    weights : sha256 of each network's weights, by stage.
    config : every stage's fields, by stage.
    versions : of the package and of what it stands on.
    """

    input_sha256: Sha256
    weights: dict[str, Sha256]
    config: dict[str, dict[str, Any]]
    versions: dict[str, str]


class SlicePart(_Part):
    """The image to look at: the one with the calipers, or else the one through the centre.

    ``number`` counts from 1 along the source's index axis z, out of ``count``. The DICOM names
    are null for formats that have none.
    """

    number: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)]
    instance_number: int | None
    sop_instance_uid: str | None


class MalignancyPart(_Part):
    """Radiologist-rated suspicion from 1 to 5, not pathology; ``score`` is the mean rating."""

    score: Annotated[float, Field(ge=1.0, le=5.0)]
    distribution: tuple[Probability, Probability, Probability, Probability, Probability]


class FindingPart(_Part):
    """A finding. What is measured is null where it could not be.

    ``texture`` is read from the image, ``sphericity`` is about 0.9 for a ball of voxels,
    ``pleura_distance_mm`` 0 where the nodule touches its lung's surface.

    ``scope`` is ``mass`` above 30 mm: no rule for nodules applies to it.
    """

    id: Annotated[str, Field(pattern="^N[1-9][0-9]*$")]
    center_lps_mm: Point
    slice: SlicePart
    probability: Probability
    malignancy: MalignancyPart
    long_axis_mm: Size | None
    short_axis_mm: Size | None
    effective_diameter_mm: Size | None
    volume_mm3: Size | None
    long_axis_ends_lps_mm: Ends | None
    short_axis_ends_lps_mm: Ends | None
    texture: Texture | None
    mean_hu: float | None
    sphericity: Annotated[float, Field(gt=0.0, le=1.0)] | None
    lung: Lung
    third: Third | None
    pleura_distance_mm: Annotated[float, Field(ge=0.0)] | None
    scope: Literal["nodule", "mass"]

    @property
    def key_point_lps_mm(self) -> Point:
        """Where to look: the middle of the long axis, or else the centre."""
        if self.long_axis_ends_lps_mm is None:
            return self.center_lps_mm
        (ax, ay, az), (bx, by, bz) = self.long_axis_ends_lps_mm
        return (ax + bx) / 2, (ay + by) / 2, (az + bz) / 2

    @property
    def malignancy_word(self) -> str:
        """The word of LIDC's scale that is nearest to the mean rating."""
        return MALIGNANCY_WORDS[int(self.malignancy.score + 0.5) - 1]


class WarningPart(_Part):
    """Something the reader must know, with a stable code."""

    code: str
    message: str


class Report(_Part):
    """A report."""

    study: StudyPart
    provenance: Provenance
    findings: tuple[FindingPart, ...]
    warnings: tuple[WarningPart, ...]


def report_schema() -> dict[str, Any]:
    """Return the JSON schema of ``report.json``."""
    return Report.model_json_schema()
