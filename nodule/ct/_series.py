"""The series of an input, the files that belong to none, and the choice of one to read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from nodule.ct._choice import SeriesOffer, best_of
from nodule.ct._containers import Member
from nodule.ct._strays import stray_warnings
from nodule.ct.dicom._dicom_file import read_pixels
from nodule.ct.dicom._headers import ImageHeader
from nodule.ct.dicom._patient import read_patient
from nodule.ct.images._image_file import ImageFile
from nodule.errors import InputError, NoduleError, UsageError
from nodule.geometry import Geometry
from nodule.study import PatientHeader, SeriesHeader, Study, StudyWarning


@dataclass(frozen=True, kw_only=True)
class IgnoredFile:
    """A file that belongs to no series, and why."""

    name: str
    error: NoduleError

    @property
    def code(self) -> str:
        """The stable code of the reason."""
        return self.error.code

    @property
    def message(self) -> str:
        """The reason in words."""
        return str(self.error)


@dataclass(frozen=True, kw_only=True)
class SeriesSource:
    """One chosen series: what ``ReadCt`` reads.

    Parameters
    ----------
    series_uid : None for formats without one.
    reason : why this series was chosen, in words.
    header : how the series was made.
    images : checked DICOM images, ascending to the head; empty for other formats.
    file : the volume's file where the format is not DICOM.
    suspects : DICOM files beside the series too damaged to tell whether they belong to it.
    warnings : what is odd about the choice.
    """

    series_uid: str | None
    reason: str
    header: SeriesHeader
    images: tuple[ImageHeader, ...] = ()
    file: ImageFile | None = None
    suspects: tuple[Member, ...] = ()
    warnings: tuple[StudyWarning, ...] = ()

    @property
    def members(self) -> tuple[Member, ...]:
        """The files that hold the series."""
        if self.file is not None:
            return self.file.members
        return tuple(dict.fromkeys(image.member for image in self.images))

    @cached_property
    def digest(self) -> str:
        """Sha256 over the sorted sha256 of the files' bytes: names and order do not matter."""
        digests = sorted(m.sha256() for m in (*self.members, *self.suspects))
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def as_origin_of(self, study: Study) -> Study:
        """Return the study as read from here, with what is odd about the choice.

        A cache knows a study by the content of its files, and nothing of what lay beside them, nor
        of what somebody typed into them.
        """
        return replace(
            study, series=self.header, origin=self, warnings=(*study.warnings, *self.warnings)
        )

    @property
    def patient(self) -> PatientHeader:
        """Who was scanned, read from the first file at each call and kept nowhere."""
        return read_patient(self.members[0]) if self.images else PatientHeader()


@dataclass(frozen=True, kw_only=True)
class SeriesRecord:
    """One series that was found, usable or not.

    Parameters
    ----------
    uid : SeriesInstanceUID, None where the format or the file has none.
    image_count : slices, or frames of multi-frame files.
    geometry : the voxel grid, None where the positions give none.
    problems : every reason not to use it, the gravest first; empty if usable.
    """

    uid: str | None
    description: str | None
    modality: str | None
    image_count: int
    geometry: Geometry | None
    problems: tuple[NoduleError, ...]
    header: SeriesHeader
    images: tuple[ImageHeader, ...] = field(default=(), repr=False)
    file: ImageFile | None = field(default=None, repr=False)

    @property
    def verdict(self) -> str:
        """``OK``, or the first problem's code."""
        return self.problems[0].code if self.problems else "OK"

    @property
    def offer(self) -> SeriesOffer:
        """What the rule of choice looks at; only for a usable series."""
        assert self.geometry is not None
        return SeriesOffer(
            coverage_mm=self.geometry.shape_zyx[0] * self.geometry.spacing_zyx_mm[0],
            spacing_mm=self.geometry.spacing_zyx_mm[0],
            thickness_mm=self.header.slice_thickness_mm,
            kernel=self.header.convolution_kernel,
            description=self.description,
            number=self.header.series_number,
            is_derived=bool(self.images) and "DERIVED" in self.images[0].image_type,
            content=self._digest_pixels,
        )

    def _digest_pixels(self) -> str:
        digest = hashlib.sha256()
        for member, span in dict.fromkeys((image.member, image.pixels) for image in self.images):
            digest.update(read_pixels(member, span))
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All series of an input, and the files that belong to none."""

    series: tuple[SeriesRecord, ...]
    ignored: tuple[IgnoredFile, ...] = ()
    suspects: tuple[Member, ...] = ()

    def choose(self, series_uid: str | None = None) -> SeriesSource:
        """Pick the series to read, by UID or by the rule in ``nodule.ct._choice``.

        Raises
        ------
        UsageError : ``UNKNOWN_SERIES``.
        InputError : ``NO_SERIES``, ``BAD_ARCHIVE`` for a damaged member, which may be any slice,
            ``SEVERAL_PATIENTS`` where no series is asked for, or the problem of the one that was
            asked for or that has the most images when none is usable.
        """
        for each in self.ignored:
            if each.code == "BAD_ARCHIVE":
                raise each.error
        if not self.series:
            raise self._nothing()
        if series_uid is not None:
            return self._source(self._by_uid(series_uid), "asked for by its UID")
        usable = [s for s in self.series if not s.problems]
        if not usable:
            most = max(self.series, key=lambda s: (s.modality == "CT", s.image_count))
            raise self._series_per_image(most) or most.problems[0]
        _refuse_several_patients(usable)
        choice = best_of([s.offer for s in usable])
        chosen = self._source(usable[choice.index], choice.reason)
        return replace(chosen, warnings=(*chosen.warnings, *_tie_warnings(len(choice.tied))))

    def _series_per_image(self, most: SeriesRecord) -> NoduleError | None:
        """Return what to say where every CT image names a series of its own."""
        alone = sum(record.modality == "CT" for record in self.series)
        if most.verdict != "TOO_FEW_SLICES" or most.image_count > 1 or alone < 2:
            return None
        return InputError(
            "each image names a series of its own",
            code="TOO_FEW_SLICES",
            expected="one SeriesInstanceUID for all slices of a series",
            got=f"{alone} series of one image",
            hint="An anonymiser may have renamed them one by one: export the series again.",
        )

    def _by_uid(self, series_uid: str) -> SeriesRecord:
        for record in self.series:
            if record.uid == series_uid:
                return record
        raise UsageError(
            "there is no such series",
            code="UNKNOWN_SERIES",
            expected="one of " + ", ".join(str(s.uid) for s in self.series),
            got=series_uid,
        )

    def _source(self, record: SeriesRecord, reason: str) -> SeriesSource:
        if record.problems:
            raise record.problems[0]
        return SeriesSource(
            series_uid=record.uid,
            reason=reason,
            header=record.header,
            images=record.images,
            file=record.file,
            suspects=self.suspects,
            warnings=self._stray_warnings(record),
        )

    def _stray_warnings(self, record: SeriesRecord) -> tuple[StudyWarning, ...]:
        if record.geometry is None or not record.images:
            return ()
        others = (each.images for each in self.series if each is not record)
        return stray_warnings(record.images, record.geometry, others)

    def _nothing(self) -> NoduleError:
        codes = {ignored.code for ignored in self.ignored}
        if len(self.ignored) == 1 or codes in ({"LINK_OUTSIDE"}, {"CANNOT_READ"}):
            return self.ignored[0].error
        return InputError(
            "there is no image series",
            code="NO_SERIES",
            expected="a DICOM series, NIfTI, MetaImage or NRRD",
            got=f"{len(self.ignored)} other files" if self.ignored else "no file at all",
            hint="nodule check lists what was found." if self.ignored else "Copy the study again.",
        )


def _tie_warnings(tied: int) -> tuple[StudyWarning, ...]:
    if not tied:
        return ()
    message = (
        f"{tied} other series is as good by every step of the rule of choice"
        if tied == 1
        else f"{tied} other series are as good by every step of the rule of choice"
    )
    return (StudyWarning(code="TIED_SERIES", message=f"{message}: choose one by its UID"),)


def _refuse_several_patients(usable: Sequence[SeriesRecord]) -> None:
    """Refuse to choose between patients: one of them would be left out in silence."""
    patients = {record.images[0].patient_digest for record in usable if record.images}
    if len(patients) > 1:
        raise InputError(
            "the series are those of several patients",
            code="SEVERAL_PATIENTS",
            expected="one patient",
            got=f"{len(patients)} patients in {len(usable)} usable series",
            hint="Give the folder of one of them, or choose a series by its UID.",
        )
