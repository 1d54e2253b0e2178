"""Whether results are still what a run has written, and what a run would write now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.errors import NoduleError, ReportError

if TYPE_CHECKING:
    from nodule.report import Report
    from pipelines.request import RunRequest

_PARTS = {
    "stages": "STAGE_DIFFERS",
    "constants": "STAGE_DIFFERS",
    "weights": "WEIGHTS_DIFFER",
    "config": "CONFIG_DIFFERS",
    "versions": "VERSION_DIFFERS",
}


def verify_results(folder: Path, request: RunRequest, *, study: Path | None) -> list[NoduleError]:
    """Compare a study's results with their manifest, and their provenance with what is here now.

    Parameters
    ----------
    folder : of the results.
    request : the configuration to compare with.
    study : the input, None where it shall not be compared.

    Returns
    -------
    What differs: as :func:`nodule.manifest.differences`, then ``STAGE_DIFFERS``,
    ``WEIGHTS_DIFFER``, ``CONFIG_DIFFERS`` and ``VERSION_DIFFERS``, then ``OTHER_IMAGES``.

    Raises
    ------
    InputError : ``NO_MANIFEST``, or as :func:`nodule.ct.inventory`.
    """
    from nodule.manifest import differences
    from nodule.result_files import REPORT_NAME
    from nodule.review.review_file import read_report

    found: list[NoduleError] = list(differences(folder))
    if not (folder / REPORT_NAME).is_file():
        return found
    try:
        report = read_report(folder / REPORT_NAME)
    except NoduleError as error:
        return [*found, error]
    found += _provenance_differences(report, request)
    if study is not None:
        from pipelines.reviewing import pseudonyms_in, series_of

        try:
            pseudonyms = pseudonyms_in(report, request.pseudonym_key)
            series_of(report, study, pseudonyms=pseudonyms)
        except NoduleError as error:
            found.append(error)
    return found


def not_checked(study: Path | None) -> list[str]:
    """Return, a sentence each, what no difference would be told of.

    Parameters
    ----------
    study : the input, None where it was not given.
    """
    images = ["images: give --study"] if study is None else []
    return [
        *images,
        "facts stated of the person, a prior study and reviews: no file of theirs is kept",
        "who wrote the manifest: it has no signature, so that whoever changes a file can change it",
        "engine, device and threads: another engine answers the same within a tolerance",
    ]


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
