"""One study, from its files to its folder of results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.weights import Weights
from pipelines.batch import study_name
from pipelines.cache import Cache
from pipelines.entry import installed_packages
from pipelines.fingerprint import settings_of
from pipelines.flows import Detection, Stages, detect, regrow_masks
from pipelines.runner import Listener, ignore

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.report import Provenance, Report


@dataclass(frozen=True, kw_only=True)
class Processed:
    """A study whose results are written.

    Parameters
    ----------
    file : the input as it was given.
    folder : where its results are.
    finding_count : how many nodules were found.
    ran : stages that ran; the others came from the cache.
    """

    file: Path
    folder: Path
    finding_count: int
    ran: tuple[str, ...]


def process_study(
    path: Path,
    *,
    out: Path,
    stages: Stages,
    cache: Cache | None,
    series_uid: str | None = None,
    dicom: bool = False,
    pdf: bool = False,
    listen: Listener = ignore,
) -> Processed:
    """Find nodules in one study and write its report.

    Parameters
    ----------
    path : what :func:`nodule.ct.inventory` takes.
    out : folder in which the study's own folder of results is made.
    stages : of the detect flow.
    cache : where the stages' outputs are kept.
    series_uid : the series to read; None for the best.
    dicom : whether to write DICOM SR and SEG too, for which the input must be DICOM.
    pdf : whether to print the page too, for which there must be a Chromium.
    listen : called with each event of the run.

    Raises
    ------
    NoduleError : whatever is wrong with the input, or a stage's own.
    OSError : when the results cannot be written; none is then half-written.
    """
    from nodule.ct import inventory
    from nodule.report import build_report, write_report
    from nodule.report.pdf import write_pdf

    series = inventory(path).choose(series_uid)
    _refuse_in_vain(series, dicom=dicom, pdf=pdf)
    found = detect(series, stages=stages, cache=cache, listen=listen)
    folder = result_folder(out, study_name(path), input_sha256=series.digest)
    report = build_report(
        study=found.study,
        lungs=found.lungs,
        findings=found.findings,
        patient=found.patient,
        provenance=provenance_of(stages, input_sha256=series.digest),
    )
    if dicom:
        _write_dicom(report, found, stages=stages, source=series, folder=folder)
    write_report(report, study=found.study, lungs=found.lungs, folder=folder)
    if pdf:
        write_pdf(folder / "report.html")
    return Processed(file=path, folder=folder, finding_count=len(found.findings), ran=found.ran)


def _refuse_in_vain(source: SeriesSource, *, dicom: bool, pdf: bool) -> None:
    """Raise, before the work, what would keep a wanted result from being written after it."""
    if dicom:
        from nodule.report.dicom_source import source_headers

        source_headers(source)
    if pdf:
        from nodule.report.pdf import find_chromium

        find_chromium()


def _write_dicom(
    report: Report, found: Detection, *, stages: Stages, source: SeriesSource, folder: Path
) -> None:
    from nodule.report.dicom import write_dicom

    masks = regrow_masks(found, stages)
    write_dicom(report, masks=masks, lungs=found.lungs, source=source, folder=folder)


def provenance_of(stages: Stages, *, input_sha256: str) -> Provenance:
    """Say what makes a report: input, weights, all fields that may change it, versions."""
    from nodule.report import Provenance

    return Provenance(
        input_sha256=input_sha256,
        weights={
            name: stage.weights.sha256
            for name, stage in stages.items()
            if isinstance(getattr(stage, "weights", None), Weights)
        },
        config={name: settings_of(stage) for name, stage in stages.items()},
        versions=dict(installed_packages()),
    )


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
