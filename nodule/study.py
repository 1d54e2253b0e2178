"""A CT study as read: the image and what its files say about it.

A :class:`Study` holds nothing that identifies a patient, so that it may be cached and logged.
Identity lives in :class:`PatientHeader` alone: a study knows the files that it came from, and the
header is read from them again for each report and never stored.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Protocol

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike

from nodule.errors import InputError
from nodule.geometry import Vector, as_vector, lps_to_ras
from nodule.notebook_table import html_table
from nodule.volume import Volume

SourceFormat = Literal["dicom", "nifti", "metaimage", "nrrd"]

CHEST = "CHEST"
"""How BodyPartExamined calls the chest, PS3.16 annex L."""

_DICOM_DATE = re.compile("[0-9]{8}")


@dataclass(frozen=True, kw_only=True)
class SliceReference:
    """Which DICOM image a slice came from; None where the format has no such thing.

    Parameters
    ----------
    instance_number : InstanceNumber; in a file of several frames the frame's number, from 1.
    """

    instance_number: int | None = None
    sop_instance_uid: str | None = None


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """The image to look at: a slice by its place in the series and by its DICOM names.

    Parameters
    ----------
    number : from 1 along the source's index axis z.
    count : of all slices.
    instance_number, sop_instance_uid : None for formats that have none.
    """

    number: Annotated[int, Ge(1)]
    count: Annotated[int, Ge(1)]
    instance_number: int | None = None
    sop_instance_uid: str | None = None


@dataclass(frozen=True, kw_only=True)
class SeriesHeader:
    """How a series was made; no field identifies the patient.

    DICOM attributes of the same names; None where the file does not say.

    Parameters
    ----------
    body_part : ``CHEST``, or the word for another part of the body, by BodyPartExamined and, where
        it says nothing, by what protocol and descriptions say.
    """

    source_format: SourceFormat
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    frame_of_reference_uid: str | None = None
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
    body_part: str | None = None
    lossy: bool = False

    @property
    def other_part(self) -> str | None:
        """The part of the body that the file states, where that is not the chest."""
        return None if self.body_part == CHEST else self.body_part


@dataclass(frozen=True, kw_only=True)
class PatientHeader:
    """Who was scanned and when: for the report only, never cached, logged or put in a file name.

    DICOM attributes of the same names, decoded to text; None where absent.
    """

    patient_name: str | None = None
    patient_id: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    age: str | None = None
    accession_number: str | None = None
    study_date: str | None = None
    study_description: str | None = None
    institution: str | None = None


def dicom_day(text: str | None) -> date | None:
    """Return the day of a DICOM date, ``YYYYMMDD``; None for text that is none."""
    plain = (text or "").strip()
    if not _DICOM_DATE.fullmatch(plain):
        return None
    try:
        return date(int(plain[:4]), int(plain[4:6]), int(plain[6:]))
    except ValueError:
        return None  # such as the 31st of February


@dataclass(frozen=True, kw_only=True)
class StudyWarning:
    """Something odd that did not stop the reading, with a stable code."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class PointFrames:
    """One point in every frame that a user may need.

    ``slice_number`` counts from 1 along index axis z; the DICOM names are those of the nearest
    slice, None for formats that have none. ``luna16`` is the row that LUNA16's CSV would hold:
    series UID, then LPS x, y, z.
    """

    index_zyx: Vector
    lps_mm: Vector
    ras_mm: Vector
    slice_number: int
    instance_number: int | None
    sop_instance_uid: str | None
    luna16: tuple[str, float, float, float]


class StudyOrigin(Protocol):
    """What tells one study from another: the files it was read from, or the study itself."""

    @property
    def series_uid(self) -> str | None:
        """Return the SeriesInstanceUID, None where the format has none."""
        ...

    @property
    def digest(self) -> str:
        """Return the sha256 of the content."""
        ...

    @property
    def patient(self) -> PatientHeader:
        """Return who was scanned, read from the files at each call."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Study:
    """A trusted CT volume and its origin.

    Parameters
    ----------
    volume : the image on its source grid, padding mapped to air.
    series : how it was made.
    slices : one reference per index z, or empty for formats without them.
    warnings : what was odd but usable.
    origin : the files, for what is never stored; None for an image that came from none.

    Raises
    ------
    InputError : ``SLICE_COUNT`` when the references do not match the volume.
    """

    volume: Volume
    series: SeriesHeader
    slices: tuple[SliceReference, ...] = ()
    warnings: tuple[StudyWarning, ...] = ()
    origin: StudyOrigin | None = None

    def __post_init__(self) -> None:
        depth = self.volume.geometry.shape_zyx[0]
        if self.slices and len(self.slices) != depth:
            raise InputError(
                "a study needs one reference per slice",
                code="SLICE_COUNT",
                expected=depth,
                got=len(self.slices),
            )

    def __repr__(self) -> str:
        grid = self.volume.geometry
        spacing_mm = tuple(round(mm, 3) for mm in grid.spacing_zyx_mm)
        return (
            f"Study({self.series.source_format}, shape_zyx={grid.shape_zyx}, "
            f"spacing_zyx_mm={spacing_mm}, {len(self.warnings)} warnings)"
        )

    def _repr_html_(self) -> str:
        """Return a table for a notebook; nothing in it identifies the patient."""
        grid, series = self.volume.geometry, self.series
        depth, rows, columns = grid.shape_zyx
        z_mm, y_mm, x_mm = grid.spacing_zyx_mm
        facts = [
            ("format", series.source_format),
            ("voxels", f"{depth} slices of {rows} × {columns}"),
            ("spacing", f"{z_mm:.2f} mm between slices, {y_mm:.2f} × {x_mm:.2f} mm within"),
            ("scanner", " ".join(filter(None, (series.manufacturer, series.model_name))) or None),
            ("kernel", series.convolution_kernel),
            ("contrast medium", series.contrast_agent),
            *((warning.code, warning.message) for warning in self.warnings),
        ]
        return html_table(facts, caption="Chest CT")

    @property
    def series_uid(self) -> str | None:
        """SeriesInstanceUID, None where the format has none."""
        return self.series.series_instance_uid

    @property
    def patient(self) -> PatientHeader:
        """Who was scanned, read from the files at each call; empty where there are none."""
        return PatientHeader() if self.origin is None else self.origin.patient

    @cached_property
    def digest(self) -> str:
        """Sha256 of the files' content, or of grid and voxels where there are no files."""
        if self.origin is not None:
            return self.origin.digest
        digest = hashlib.sha256(repr(self.volume.geometry).encode())
        for slice_yx in self.volume.array_zyx:
            digest.update(slice_yx.astype(np.float32).tobytes())
        return digest.hexdigest()

    def slice_at(self, lps_mm: ArrayLike) -> tuple[int, SliceReference]:
        """Return the nearest slice's index z and its reference.

        Raises
        ------
        InputError : ``OUTSIDE_VOLUME`` when the point is not inside the grid.
        """
        if not self.volume.geometry.contains(lps_mm):
            raise InputError(
                "a point lies outside the scan", code="OUTSIDE_VOLUME", got=as_vector(lps_mm)
            )
        z = int(np.floor(self.volume.geometry.lps_to_index(lps_mm)[0] + 0.5))
        return z, self.slices[z] if self.slices else SliceReference()

    def image_at(self, lps_mm: ArrayLike) -> ImageReference:
        """Return the image nearest to a point; beyond either end of the scan, its end's."""
        count = self.volume.geometry.shape_zyx[0]
        nearest = np.floor(self.volume.geometry.lps_to_index(lps_mm)[0] + 0.5)
        z = int(np.clip(nearest, 0, count - 1))
        reference = self.slices[z] if self.slices else SliceReference()
        return ImageReference(
            number=z + 1,
            count=count,
            instance_number=reference.instance_number,
            sop_instance_uid=reference.sop_instance_uid,
        )

    def slice_index(
        self, *, instance_number: int | None = None, sop_instance_uid: str | None = None
    ) -> int:
        """Return the index z of the slice with that InstanceNumber, SOPInstanceUID, or both.

        Raises
        ------
        InputError : ``NO_SUCH_SLICE`` when not exactly one slice has them.
        """
        hits = [
            z
            for z, s in enumerate(self.slices)
            if instance_number in (None, s.instance_number)
            and sop_instance_uid in (None, s.sop_instance_uid)
        ]
        if len(hits) != 1:
            raise InputError(
                "there is not exactly one such slice",
                code="NO_SUCH_SLICE",
                expected="one slice",
                got=f"{len(hits)} for InstanceNumber {instance_number}, UID {sop_instance_uid}",
            )
        return hits[0]

    def locate(self, lps_mm: ArrayLike) -> PointFrames:
        """Name a point, LPS mm, in every frame.

        Raises
        ------
        InputError : ``OUTSIDE_VOLUME`` when the point is not inside the grid.
        """
        z, reference = self.slice_at(lps_mm)
        point = as_vector(lps_mm)
        return PointFrames(
            index_zyx=as_vector(self.volume.geometry.lps_to_index(point)),
            lps_mm=point,
            ras_mm=as_vector(lps_to_ras(point)),
            slice_number=z + 1,
            instance_number=reference.instance_number,
            sop_instance_uid=reference.sop_instance_uid,
            luna16=(self.series.series_instance_uid or "", *point),
        )
