"""One study, from its files to its folder of results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.weights import Weights
from pipelines.batch import study_name
from pipelines.cache import Cache
from pipelines.entry import installed_packages
from pipelines.fingerprint import settings_of
from pipelines.flows import Detection, Stages, detect, explaining
from pipelines.runner import Listener, ignore

if TYPE_CHECKING:
    from nodule.advice.context import Context
    from nodule.ct import SeriesSource
    from nodule.followup.record import ComparisonRecord
    from nodule.report import Provenance, Report


@dataclass(frozen=True, kw_only=True)
class PriorStudy:
    """An earlier study of the same patient.

    Parameters
    ----------
    path : what :func:`nodule.ct.inventory` takes.
    series_uid : the series to read; None for the best.
    listen : called with each event of its run.
    """

    path: Path
    series_uid: str | None = None
    listen: Listener = ignore


@dataclass(frozen=True, kw_only=True)
class Processed:
    """A study whose results are written.

    Parameters
    ----------
    file : the input as it was given.
    folder : where its results are.
    finding_count : how many nodules were found.
    ran : stages that ran; the others came from the cache.
    comparison : with the prior study, None without one.
    """

    file: Path
    folder: Path
    finding_count: int
    ran: tuple[str, ...]
    comparison: ComparisonRecord | None = None


def process_study(
    path: Path,
    *,
    out: Path,
    stages: Stages,
    cache: Cache | None,
    series_uid: str | None = None,
    prior: PriorStudy | None = None,
    context: Context | None = None,
    dicom: bool = False,
    pdf: bool = False,
    explain: bool = False,
    listen: Listener = ignore,
) -> Processed:
    """Find nodules in one study, compare them with a prior study's, and write the report.

    Parameters
    ----------
    path : what :func:`nodule.ct.inventory` takes.
    out : folder in which the study's own folder of results is made; what an earlier run wrote
        there and this one does not is removed.
    stages : of the detect flow.
    cache : where the stages' outputs are kept.
    series_uid : the series to read; None for the best.
    prior : compared with, in the report.
    context : what is stated besides the images; no stage reads it, so that no key depends on it.
    dicom : whether to write DICOM SR and SEG too, for which the input must be DICOM.
    pdf : whether to print the page too, for which there must be a Chromium.
    explain : whether to show on the page where the networks looked.
    listen : called with each event of the run.

    Raises
    ------
    NoduleError : whatever is wrong with the input, or a stage's own.
    OSError : when the results cannot be written; none is then half-written.
    """
    from nodule.ct import inventory

    series = inventory(path).choose(series_uid)
    earlier = None if prior is None else inventory(prior.path).choose(prior.series_uid)
    _refuse_in_vain(series, earlier, dicom=dicom, pdf=pdf)
    asked = explaining(stages) if explain else stages
    found = detect(series, stages=asked, cache=cache, listen=listen)
    comparison = None
    if prior is not None and earlier is not None:
        then = detect(earlier, stages=stages, cache=cache, listen=prior.listen)
        comparison = _compare(found, then)
    report = _report(found, stages=asked, context=context, comparison=comparison)
    folder = result_folder(out, study_name(path), input_sha256=series.digest)
    objects = _write_dicom(report, found, source=series, folder=folder) if dicom else ()
    _write(report, found, folder=folder, beside=objects, pdf=pdf)
    return Processed(
        file=path,
        folder=folder,
        finding_count=len(found.findings),
        ran=found.ran,
        comparison=comparison,
    )


def _report(
    found: Detection,
    *,
    stages: Stages,
    context: Context | None,
    comparison: ComparisonRecord | None,
) -> Report:
    from nodule.advice.context import Context
    from nodule.report import build_report

    return build_report(
        study=found.study,
        lungs=found.lungs,
        findings=found.findings,
        patient=found.patient,
        provenance=provenance_of(stages, input_sha256=found.input_sha256),
        context=context or Context(),
        comparison=comparison,
    )


def _write(
    report: Report, found: Detection, *, folder: Path, beside: tuple[Path, ...], pdf: bool
) -> None:
    """Write a report, and leave nothing of an earlier one beside it."""
    from nodule.outputs import write_report
    from nodule.page.pdf import write_pdf
    from nodule.result_files import remove_stale

    written = write_report(
        report,
        study=found.study,
        lungs=found.lungs,
        folder=folder,
        heat_maps=found.heat_maps,
    )
    remove_stale(folder, written=(*beside, *written))
    if pdf:
        write_pdf(folder / "report.html")


def _compare(found: Detection, prior: Detection) -> ComparisonRecord:
    from nodule.followup import Exam, compare_exams
    from nodule.followup.record import record_comparison

    current, earlier = (
        Exam(study=each.study, lungs=each.lungs, findings=each.findings, patient=each.patient)
        for each in (found, prior)
    )
    return record_comparison(
        compare_exams(current=current, prior=earlier),
        current=current,
        prior=earlier,
        current_sha256=found.input_sha256,
        prior_sha256=prior.input_sha256,
    )


def _refuse_in_vain(
    source: SeriesSource, prior: SeriesSource | None, *, dicom: bool, pdf: bool
) -> None:
    """Raise, before the work, what would keep a wanted result from being written after it."""
    if prior is not None:
        from nodule.followup import days_between

        days_between(current=source.patient, prior=prior.patient)
    if dicom:
        from nodule.dicom.source import source_headers

        source_headers(source)
    if pdf:
        from nodule.page.browser import find_chromium

        find_chromium()


def _write_dicom(
    report: Report, found: Detection, *, source: SeriesSource, folder: Path
) -> tuple[Path, ...]:
    from nodule.dicom.objects import write_dicom
    from nodule.review.resegment import masks_of

    masks = masks_of(report, study=found.study, lungs=found.lungs)
    return write_dicom(report, masks=masks, lungs=found.lungs, source=source, folder=folder)


def provenance_of(stages: Stages, *, input_sha256: str) -> Provenance:
    """Say what makes a report: input, weights, all fields that may change it, versions."""
    from nodule.report import Provenance

    return Provenance(
        input_sha256=input_sha256,
        weights=dict(_digests(stages)),
        config={name: settings_of(stage) for name, stage in stages.items()},
        versions=dict(installed_packages()),
    )


def _digests(stages: Stages) -> Iterator[tuple[str, str]]:
    """Name every network's weights after its stage, an ensemble's members by number too."""
    for name, stage in stages.items():
        weights = getattr(stage, "weights", None)
        if isinstance(weights, Weights):
            yield name, weights.sha256
        elif isinstance(weights, tuple):
            for number, member in enumerate(weights, start=1):
                yield f"{name}.{number}", member.sha256


def result_folder(out: Path, name: str, *, input_sha256: str) -> Path:
    """Return where a study's results go: ``out/name``, unless another study's are there.

    Two studies whose inputs have one name never share a folder: the later one gets the start of
    its content's digest behind the name, and keeps it when it runs again.
    """
    folder = out / name
    if _input_of(folder) in (None, input_sha256):
        return folder
    return out / f"{name}-{input_sha256[:8]}"


def _input_of(folder: Path) -> str | None:
    """Return the digest of the input whose report lies in a folder, None where there is none."""
    try:
        report: Mapping[str, Any] = json.loads((folder / "report.json").read_bytes())
    except FileNotFoundError:
        return None
    digest: str = report["provenance"]["input_sha256"]
    return digest
