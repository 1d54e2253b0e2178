"""What a report says: the shape of ``report.json``.

Sizes are millimetres, positions LPS. ``report.schema.json`` beside this file is the same as a
JSON schema.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

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
Verdict = Literal["accepted", "rejected"]
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


class AddedPart(_Part):
    """A nodule that a reader added: nothing about it was measured or rated by the software.

    ``long_axis_mm`` is the reader's own, ``lung`` null outside both lungs' masks.
    """

    id: Annotated[str, Field(pattern="^R[1-9][0-9]*$")]
    center_lps_mm: Point
    slice: SlicePart
    lung: Lung | None
    long_axis_mm: Size | None
    comment: str | None

    @property
    def key_point_lps_mm(self) -> Point:
        """Where to look."""
        return self.center_lps_mm


class DecisionPart(_Part):
    """What a reader said of one finding; null where nothing was said."""

    id: Annotated[str, Field(pattern="^[NR][1-9][0-9]*$")]
    verdict: Verdict | None
    moved_from_lps_mm: Point | None
    moved_to_lps_mm: Point | None
    comment: str | None


class ReviewPart(_Part):
    """A review that was folded in.

    ``review_sha256`` is the digest of what the reader saved, ``report_sha256`` that of the report
    that was read, ``added`` names the nodules that came in.
    """

    reader: str | None
    saved_at: AwareDatetime
    review_sha256: Sha256
    report_sha256: Sha256
    decisions: tuple[DecisionPart, ...]
    added: tuple[str, ...]


class WarningPart(_Part):
    """Something the reader must know, with a stable code."""

    code: str
    message: str


class Report(_Part):
    """A report.

    ``findings`` and ``added`` are what stands; ``rejected`` is what readers set apart; ``reviews``
    says who decided so, in order of time. The last three are empty until a review is applied.
    """

    study: StudyPart
    provenance: Provenance
    findings: tuple[FindingPart, ...]
    warnings: tuple[WarningPart, ...]
    added: tuple[AddedPart, ...] = ()
    rejected: tuple[FindingPart | AddedPart, ...] = ()
    reviews: tuple[ReviewPart, ...] = ()

    @property
    def sha256(self) -> str:
        """Digest of ``report.json``."""
        return hashlib.sha256(report_json(self)).hexdigest()

    @property
    def standing(self) -> tuple[FindingPart | AddedPart, ...]:
        """All nodules that the report states: found ones, then added ones."""
        return (*self.findings, *self.added)

    @property
    def next_added(self) -> int:
        """Number of the next nodule that a reader adds; numbers are not given twice."""
        return 1 + sum(len(review.added) for review in self.reviews)

    @property
    def moved(self) -> frozenset[str]:
        """Ids of the findings that a reader has moved."""
        said = (decision for review in self.reviews for decision in review.decisions)
        return frozenset(decision.id for decision in said if decision.moved_to_lps_mm)

    @property
    def decisions(self) -> dict[str, DecisionPart]:
        """The last decision on each finding that has one, by its id."""
        return {each.id: each for review in self.reviews for each in review.decisions}


def report_json(report: Report) -> bytes:
    """Return the content of ``report.json``."""
    return f"{report.model_dump_json(indent=2)}\n".encode()


def report_schema() -> dict[str, Any]:
    """Return the JSON schema of ``report.json``."""
    return Report.model_json_schema()
