"""One study, from its files to its folder of results."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.errors import InputError, UsageError
from nodule.input_files import parse_json, read_given_file
from nodule.result_files import REPORT_NAME
from pipelines.batch import study_name
from pipelines.flows import detect
from pipelines.runner import Listener, ignore

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.followup import Comparison
    from pipelines.request import RunRequest

_log = logging.getLogger(__name__)
_PSEUDONYM_DIGITS = 16


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

    file: str
    folder: Path
    finding_count: int
    ran: tuple[str, ...]
    comparison: Comparison | None = None


def process_study(
    study: Path,
    request: RunRequest,
    *,
    out: Path,
    series_uid: str | None = None,
    listen: Listener = ignore,
    listen_prior: Listener = ignore,
) -> Processed:
    """Find nodules in one study, compare them with a prior study's, and write the report.

    Parameters
    ----------
    study : one of the request's studies.
    request : what is asked; no stage reads, and so no key holds, what it states of the person.
    out : folder in which :func:`result_folder` is made.
    series_uid : the series to read; None for the request's.
    listen, listen_prior : called with each event of the study's run, and of the prior study's.

    Raises
    ------
    UsageError : ``SAME_STUDY`` where the prior study is the study itself.
    NoduleError : whatever is wrong with the input, or a stage's own.
    OSError : when the results cannot be written; earlier ones then stay as they were.
    """
    from nodule.ct import inventory
    from nodule.front_door import write_report
    from nodule.report.build import refuse_unknown
    from nodule.whole_folders import draft_beside

    series = inventory(study).choose(series_uid or request.series_uid)
    earlier = _prior_series(request)
    refuse_in_vain(series, request)
    _refuse_prior(series, earlier)

    name, pseudonyms = result_name(study, series, request), request.pseudonyms
    stated = series.digest if pseudonyms is None else pseudonyms.digest(series.digest)

    def place() -> Path:
        return result_folder(out, name, input_sha256=stated)

    with draft_beside(place()):
        pass  # a folder that cannot be written is refused before the work
    run = detect(series, chain=request.chain_wanted, cache=request.store, listen=listen)
    refuse_unknown(request.context, known={each.nodule.id for each in run.found.findings})
    then = None
    if earlier is not None:
        then = detect(earlier, chain=request.chain, cache=request.store, listen=listen_prior).found
    report = write_report(
        run.found,
        place,
        dicom=request.dicom_wanted or False,
        fhir=request.fhir,
        pdf=request.pdf,
        viewer=request.viewer,
        context=request.context,
        prior=then,
        pseudonyms=pseudonyms,
    )
    return Processed(
        file=str(study),
        folder=place(),
        finding_count=len(run.found.findings),
        ran=run.ran,
        comparison=report.comparison,
    )


def explain_study(
    study: Path,
    request: RunRequest,
    *,
    out: Path,
    finding_ids: Collection[str] | None = None,
    listen: Listener = ignore,
) -> tuple[dict[str, Any], ...]:
    """Write the saliency maps of a study's findings, and return the record of each.

    Parameters
    ----------
    study : the request's study.
    request : names the answer to explain.
    out : folder of the maps, see :func:`nodule.outputs.write_saliency`.
    finding_ids : whose maps are wanted; None for every finding's.
    listen : called with each event of the run.

    Raises
    ------
    UsageError : ``NO_SUCH_FINDING``, before any map is made.
    NoduleError, OSError : as :func:`process_study`.
    """
    from nodule.ct import inventory
    from nodule.outputs import write_saliency
    from nodule.whole_folders import draft_beside

    wanted = set(finding_ids or ())
    _refuse_unknown(wanted, [each for each in wanted if re.fullmatch(r"N[1-9]\d*", each)])
    series = inventory(study).choose(request.series_uid)
    with draft_beside(out / "maps" if out.is_dir() else out):
        pass  # a folder that cannot be written is refused before the work
    if wanted:
        found = detect(series, chain=request.chain, cache=request.store, listen=listen).found
        _refuse_unknown(wanted, [each.nodule.id for each in found.findings])
    found = detect(series, chain=request.chain_wanted, cache=request.store, listen=listen).found
    out.mkdir(parents=True, exist_ok=True)
    return tuple(
        write_saliency(saliency_map, finding, volume=found.study.volume, folder=out)
        for finding, saliency_map in zip(found.findings, found.saliency_maps, strict=True)
        if finding_ids is None or finding.nodule.id in finding_ids
    )


def _refuse_unknown(wanted: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(wanted).difference(known))
    if unknown:
        raise UsageError(
            "there is no such finding",
            code="NO_SUCH_FINDING",
            expected=list(known) or "an id such as N1; nothing was found by these",
            got=unknown,
        )


def _prior_series(request: RunRequest) -> SeriesSource | None:
    from nodule.ct import inventory

    if request.prior is None:
        return None
    return inventory(request.prior).choose(request.prior_series_uid)


def _refuse_prior(source: SeriesSource, prior: SeriesSource | None) -> None:
    if prior is not None:
        from nodule.followup import days_between, refuse_same

        refuse_same(current=source, prior=prior)
        days_between(current=source.patient, prior=prior.patient)


def refuse_in_vain(source: SeriesSource, request: RunRequest) -> None:
    """Raise, before the work, what would keep a wanted result from being written after it.

    Raises
    ------
    InputError, DicomSeriesError : as :func:`nodule.dicom.source.source_headers`.
    ReportError : ``NO_CHROMIUM``.
    """
    if request.dicom_wanted is not None:
        from nodule.dicom.source import source_headers

        source_headers(source)
    if request.pdf:
        from nodule.page.browser import find_chromium

        find_chromium()


def result_name(study: Path, series: SeriesSource, request: RunRequest) -> str:
    """Return what a study's folder of results is called.

    Parameters
    ----------
    study : the input; by ``folder`` its own name counts, which may name a patient.
    series : by ``uid`` its SeriesInstanceUID counts, or where there is none the content's digest;
        of either a digest is shown, from which the UID cannot be read. Where identifiers are to be
        removed, it is a pseudonym of it.
    request : says which.
    """
    uid = series.series_uid or series.digest
    if request.pseudonyms is not None:
        return request.pseudonyms.folder(uid)
    if request.name_by == "folder":
        return study_name(study)
    return f"study-{hashlib.sha256(uid.encode()).hexdigest()[:_PSEUDONYM_DIGITS]}"


def result_folder(out: Path, name: str, *, input_sha256: str) -> Path:
    """Return where a study's results go: ``out/name``, unless another study's are there.

    Two studies whose inputs have one name never share a folder: the later one gets the start of
    its content's digest behind the name, and keeps it when it runs again. A damaged
    ``report.json`` belongs to no study, so that the folder's results are replaced.
    """
    folder = out / name
    if _input_of(folder) in (None, input_sha256):
        return folder
    return out / f"{name}-{input_sha256[:8]}"


def _input_of(folder: Path) -> str | None:
    """Return the digest of the input whose report lies in a folder.

    None where there is no report, or a damaged one; empty where another program's file has its
    name.
    """
    try:
        report = parse_json(read_given_file(folder / REPORT_NAME))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:  # no JSON, or no text at all
        _log.warning("the damaged report.json in %s is replaced", folder.name)
        return None
    except InputError:  # no file, or an endless one
        return ""
    try:
        return str(report["provenance"]["input_sha256"])
    except (KeyError, TypeError):
        return ""
