"""Whether results are still what a run has written, and what a run would write now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.errors import NoduleError, ReportError

if TYPE_CHECKING:
    from nodule.report import Report
    from pipelines.request import RunRequest

_PARTS = {
    "stages": "STAGE_DIFFERS",
    "constants": "CODE_DIFFERS",
    "weights": "WEIGHTS_DIFFER",
    "config": "CONFIG_DIFFERS",
    "versions": "VERSION_DIFFERS",
}


_UNSIGNED = (
    "who wrote the manifest: it has no signature, so that whoever changes a file can change it"
)
_NOT_RECORDED = (
    "device and threads: they are not recorded, since no answer depends on them beyond 1e-5"
)
_NO_FILE_KEPT = "facts stated of the person, a prior study and reviews: no file of theirs is kept"
_NO_IMAGES = "images: give --study"
_NO_REPORT = "what made the report, and images: there is no report.json that can be read"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What became of results since their run.

    Parameters
    ----------
    differences : what differs, each with its code.
    not_checked : a sentence each, of what no difference would be told.
    """

    differences: tuple[NoduleError, ...]
    not_checked: tuple[str, ...]


def verify_results(folder: Path, request: RunRequest, *, study: Path | None) -> Verification:
    """Compare a study's results with their manifest, and their provenance with what is here now.

    Parameters
    ----------
    folder : of the results.
    request : the configuration to compare with.
    study : the input, None where it shall not be compared.

    Returns
    -------
    Differences as :func:`nodule.manifest.differences`, then ``STAGE_DIFFERS``, ``CODE_DIFFERS``,
    ``WEIGHTS_DIFFER``, ``CONFIG_DIFFERS`` and ``VERSION_DIFFERS``, then ``OTHER_IMAGES``.

    Raises
    ------
    InputError : ``NO_MANIFEST``, or as :func:`nodule.ct.inventory`.
    """
    from nodule.manifest import differences
    from nodule.result_files import REPORT_NAME
    from nodule.review.review_file import read_report

    found: list[NoduleError] = list(differences(folder))
    unknowable = (_NO_FILE_KEPT, _UNSIGNED, _NOT_RECORDED)
    try:
        report = read_report(folder / REPORT_NAME)
    except FileNotFoundError:  # which the manifest has told
        return Verification(differences=tuple(found), not_checked=(_NO_REPORT, *unknowable))
    except NoduleError as error:
        return Verification(differences=(*found, error), not_checked=(_NO_REPORT, *unknowable))
    found += _provenance_differences(report, request)
    if study is None:
        return Verification(differences=tuple(found), not_checked=(_NO_IMAGES, *unknowable))
    found += _image_differences(report, study, request)
    return Verification(differences=tuple(found), not_checked=unknowable)


def _image_differences(report: Report, study: Path, request: RunRequest) -> Iterator[NoduleError]:
    from pipelines.reviewing import pseudonyms_in, series_of

    try:
        series_of(report, study, pseudonyms=pseudonyms_in(report, request.pseudonym_key))
    except NoduleError as error:
        yield error


def _provenance_differences(report: Report, request: RunRequest) -> Iterator[ReportError]:
    from nodule.report.software import provenance_from

    then: dict[str, Any] = report.provenance.model_dump(mode="json")
    stages = request.chain.records
    current = provenance_from(then["input_sha256"], stages).model_dump(mode="json")
    asked = {each.name for each in stages}
    for part, code in _PARTS.items():
        for name in sorted(then[part].keys() | current[part].keys()):
            # a saliency stage runs where it is asked for, on the networks that are compared here
            if part != "versions" and name.partition(".")[0] not in asked:
                continue
            if then[part].get(name) != current[part].get(name):
                yield ReportError(
                    f"{name} is another than when the report was made",
                    code=code,
                    expected=then[part].get(name),
                    got=current[part].get(name),
                )
