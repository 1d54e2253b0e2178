"""Are the images of a series one scan of one person? One plain function per question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from nodule.ct.dicom._headers import ImageHeader
from nodule.errors import DicomSeriesError, NoduleError
from nodule.study import StudyWarning

Images = Sequence[ImageHeader]
_MERGED_HINT = "The export may have merged several series: export this one alone."


def differ_in(
    images: Images, key: Callable[[ImageHeader], Hashable], what: str, code: str
) -> NoduleError | None:
    """Return an error where a key has several values among the images."""
    kinds = {key(image) for image in images}
    if len(kinds) < 2:
        return None
    return DicomSeriesError(
        f"the images of a series differ in {what}",
        code=code,
        expected="one for all",
        got=f"{len(kinds)} among {len(images)} images",
        hint=_MERGED_HINT,
    )


def _one_patient(images: Images) -> NoduleError | None:
    return differ_in(images, lambda i: i.patient_digest, "patient", "MIXED_PATIENTS")


def _one_study(images: Images) -> NoduleError | None:
    return differ_in(images, lambda i: i.study_uid, "study", "MIXED_STUDIES")


def _one_frame_of_reference(images: Images) -> NoduleError | None:
    if _is_renamed_by_slice(images):
        return None
    return differ_in(
        images, lambda i: i.frame_of_reference_uid, "frame of reference", "INCONSISTENT_FRAME"
    )


def _is_renamed_by_slice(images: Images) -> bool:
    """Whether each image has a frame of its own in one acquisition, as some anonymisers leave it.

    Merged series have a few frames of reference, each of many images.
    """
    frames = {i.frame_of_reference_uid for i in images} - {None}
    same = {(i.patient_digest, i.study_uid, i.acquisition) for i in images}
    return len(frames) == len(images) > 1 and len(same) == 1


def _one_phase(images: Images) -> NoduleError | None:
    return differ_in(images, lambda i: i.temporal_position, "temporal position", "MIXED_PHASES")


def _one_stack(images: Images) -> NoduleError | None:
    return differ_in(images, lambda i: i.stack_id, "stack of frames", "MIXED_STACKS")


def _distinct_instances(images: Images) -> NoduleError | None:
    """Refuse files that differ and claim to be one image: results would refer to either."""
    files = {(i.sop_instance_uid, i.member) for i in images if i.sop_instance_uid}
    most = max(Counter(uid for uid, _ in files).values(), default=1)
    if most < 2:
        return None
    return DicomSeriesError(
        "several images of a series share one SOPInstanceUID",
        code="DUPLICATE_UIDS",
        expected="one for each image",
        got=f"{most} files of one",
        hint="The same images may have been exported twice: keep one file of each.",
    )


IDENTITY_CHECKS: tuple[Callable[[Images], NoduleError | None], ...] = (
    _one_patient,
    _one_study,
    _one_frame_of_reference,
    _one_phase,
    _one_stack,
)
# asked last: where images are doubled, other faults say more
INSTANCE_CHECKS = (_distinct_instances,)


def identity_warnings(images: Images) -> tuple[StudyWarning, ...]:
    """Return what is odd about the identity of images that passed the checks."""
    found = []
    count = len({i.acquisition for i in images})
    if count > 1:  # between which a patient breathes
        message = f"the images come from {count} acquisitions: the anatomy may not fit between them"
        found.append(StudyWarning(code="SEVERAL_ACQUISITIONS", message=message))
    if _is_renamed_by_slice(images):
        message = "each image names a frame of reference of its own; study and grid agree"
        found.append(StudyWarning(code="FRAME_PER_IMAGE", message=message))
    return tuple(found)
