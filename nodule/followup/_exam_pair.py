"""Two studies of one patient, before their findings are compared."""

from __future__ import annotations

from datetime import date

import numpy as np

from nodule.detection import Detection
from nodule.errors import InputError, UsageError
from nodule.study import PatientHeader, StudyOrigin, StudyWarning, dicom_day
from nodule.volume import LungMask

_SPACING_RATIO = 1.5
_CUT_SHARE = 0.1  # of the widest slice
_SAME = (("KERNEL_DIFFERS", "convolution_kernel"), ("CONTRAST_DIFFERS", "contrast_agent"))


def refuse_same(*, current: StudyOrigin, prior: StudyOrigin) -> None:
    """Refuse to compare a study with itself.

    Raises
    ------
    UsageError : ``SAME_STUDY`` where both have one SeriesInstanceUID or one content.
    """
    same_uid = current.series_uid is not None and current.series_uid == prior.series_uid
    if same_uid or current.digest == prior.digest:
        raise UsageError(
            "the prior study is the study itself",
            code="SAME_STUDY",
            expected="two series",
            got=current.series_uid or "the same file twice",
            hint="Give an earlier study of the same patient.",
        )


def days_between(*, current: PatientHeader, prior: PatientHeader) -> int | None:
    """Days from the prior study to the current one; None where a study has no date.

    Raises
    ------
    InputError : ``BAD_DATE`` for text that is not a DICOM date, ``PRIOR_IS_LATER``.
    """
    dates = [_date(each.study_date) for each in (current, prior)]
    if dates[0] is None or dates[1] is None:
        return None
    days = (dates[0] - dates[1]).days
    if days < 0:
        raise InputError(
            "the prior study is the later one",
            code="PRIOR_IS_LATER",
            expected="0 days or more between them",
            got=days,
            hint="Give the current study first.",
        )
    return days


def _date(text: str | None) -> date | None:
    day = dicom_day(text)
    if day is None and text is not None and text.strip():
        # the text may be anything, so it is not repeated
        raise InputError(
            "a study's date is not a date", code="BAD_DATE", expected="YYYYMMDD, as DICOM writes it"
        )
    return day


def warnings_of(
    current: Detection, prior: Detection, *, days: int | None
) -> tuple[StudyWarning, ...]:
    """Say what makes two studies hard to compare."""
    found = []
    if not days:
        what = "A study's date is missing" if days is None else "Both studies are of the same day"
        found.append(StudyWarning(code="NO_INTERVAL", message=f"{what}: no doubling times."))
    ids = {exam.patient.patient_id for exam in (current, prior)} - {None, ""}
    if len(ids) > 1:
        message = "The studies state different patients: check that they are of one patient."
        found.append(StudyWarning(code="PATIENT_MISMATCH", message=message))
    if any(lungs_cut(exam.lungs) for exam in (current, prior)):
        message = "A scan ends within the lungs: what lies near its end may be matched wrongly."
        found.append(StudyWarning(code="LUNGS_CUT", message=message))
    for code, name in _SAME:
        values = [getattr(exam.study.series, name) for exam in (prior, current)]
        if values[0] != values[1]:
            message = (
                f"{name.replace('_', ' ').capitalize()} differs: volumes may differ because of it."
            )
            found.append(StudyWarning(code=code, message=message))
    depths = [exam.study.volume.geometry.spacing_zyx_mm[0] for exam in (prior, current)]
    if max(depths) > _SPACING_RATIO * min(depths):
        message = f"Slices lie {depths[0]:.2f} mm apart before and {depths[1]:.2f} mm now."
        found.append(StudyWarning(code="SPACING_DIFFERS", message=message))
    return tuple(found)


def lungs_cut(lungs: LungMask) -> bool:
    """Tell whether the lungs, which must be there, are still wide on the first or last slice."""
    areas = np.count_nonzero(lungs.labels_zyx, axis=(1, 2))
    return bool(max(areas[0], areas[-1]) > _CUT_SHARE * areas.max())
