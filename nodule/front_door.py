"""What ``import nodule`` offers: from a study to its report in a few calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nodule.advice.context import Context
from nodule.chain import Chain
from nodule.ct import SeriesSource, inventory
from nodule.detection import Detection
from nodule.dicom.options import DicomOptions
from nodule.errors import InputError
from nodule.followup import Comparison, compare_exams, refuse_same
from nodule.inference import Device
from nodule.outputs import DicomResults, write_report_files
from nodule.progress import StageProgress, silent_stages
from nodule.pseudonyms import Pseudonyms
from nodule.report import Report, build_report
from nodule.report.software import provenance_of
from nodule.saliency import Answer
from nodule.study import Study


def detect(
    study: Study | Path | str,
    *,
    chain: Chain | None = None,
    fp_per_scan: float | None = None,
    threshold: float | None = None,
    saliency: Answer | None = None,
    device: Device = "auto",
    progress: StageProgress = silent_stages,
) -> Detection:
    """Find, measure and score the lung nodules of one study.

    Parameters
    ----------
    study : as :func:`nodule.ct.read_ct` returns it, or what that function takes.
    chain : the configured stages; by default as they ship.
    fp_per_scan, threshold : as :meth:`nodule.chain.Chain.at_operating_point`; neither leaves the
        chain's own.
    saliency : the answer of the networks for which to map what raised it; None for no maps.
    device : where networks run; ``auto`` leaves it to the chain, and so to CUDA where there is one.
    progress : called with each stage's name and the share of it that is done, such as ``print``.

    Raises
    ------
    NoduleError : as reading and the stages raise it.

    Examples
    --------
    >>> found = detect("STUDY", progress=print)  # doctest: +SKIP
    >>> found.findings[0].id  # doctest: +SKIP
    'N1'
    """
    asked = Chain() if chain is None else chain
    if device != "auto":
        asked = asked.computed_by(device=device)
    asked = asked.at_operating_point(fp_per_scan=fp_per_scan, threshold=threshold)
    if saliency is not None:
        asked = asked.explaining(saliency)
    given = study if isinstance(study, Study) else inventory(Path(study)).choose()
    return asked.run(given, progress=progress)


def compare(current: Detection, prior: Detection) -> Comparison:
    """Match the findings of two studies of one patient, and assess what has changed.

    Raises
    ------
    UsageError : ``SAME_STUDY`` where both are one study.
    InputError : as :func:`nodule.followup.compare_exams`.
    """
    refuse_same(current=current.study, prior=prior.study)
    return compare_exams(current=current, prior=prior)


def write_report(
    found: Detection,
    folder: Path | str | Callable[[], Path],
    *,
    dicom: bool | DicomOptions = False,
    fhir: bool = False,
    pdf: bool = False,
    viewer: bool = True,
    context: Context | None = None,
    prior: Detection | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> Report:
    """Write the report of one study: page, tables, JSON, and masks as NIfTI.

    Parameters
    ----------
    found : what was found; the header of the patient and the DICOM results are of the files from
        which the study was read.
    folder : made where it is missing, and replaced as a whole: what an earlier report left there
        goes, files of other names stay. Or what names it when the files are written, see
        :func:`nodule.outputs.write_report_files`.
    dicom : whether to write DICOM SR and SEG too, for which the study must be DICOM; or what they
        are to hold besides, and which other DICOM files are wanted.
    fhir : whether to write a FHIR bundle too.
    pdf : whether to print the page too, for which there must be a Chromium; with ``dicom``, as a
        DICOM file as well.
    viewer : whether to put the slice viewer, and so a small copy of the volume, into the page.
    context : what is stated besides the images; without a setting no rule is asked.
    prior : an earlier study of the same patient, with which this one is compared.
    pseudonyms : to write everything without identifiers, as
        :mod:`nodule.report.deidentified` says; None to leave them.

    Returns
    -------
    What the report says, before identifiers are removed.

    Raises
    ------
    InputError : ``NO_DICOM_SOURCE``; ``UNKNOWN_FINDING`` where the context speaks of a finding that
        there is not; and as :func:`compare`.
    DicomSeriesError : as :func:`nodule.dicom.source.source_headers`.
    ReportError : ``NO_CHROMIUM`` or ``PDF_FAILED``.
    UsageError : ``FIXED_FOLDER`` where the folder cannot be replaced as a whole.
    OSError : when the results cannot be written; an earlier report then stays as it was.
    """
    report = build_report(
        study=found.study,
        lungs=found.lungs,
        findings=found.findings,
        patient=found.patient,
        provenance=provenance_of(found),
        disease=found.disease,
        context=context or Context(),
        comparison=None if prior is None else compare(found, prior),
    )
    write_report_files(
        report,
        study=found.study,
        lungs=found.lungs,
        masks=found.masks,
        folder=folder if callable(folder) else Path(folder),
        dicom=_results_of(found.study, dicom) if dicom else None,
        fhir=fhir,
        pdf=pdf,
        viewer=viewer,
        saliency_maps=found.saliency_maps,
        pseudonyms=pseudonyms,
    )
    return report


def _results_of(study: Study, asked: bool | DicomOptions) -> DicomResults:
    """Return what is asked, and the files of a study; other formats are refused when used."""
    if not isinstance(study.origin, SeriesSource):
        raise InputError(
            "DICOM results can only be made from a DICOM series",
            code="NO_DICOM_SOURCE",
            expected="DICOM images to refer to",
            got="an image that was read from no file",
        )
    return DicomResults(source=study.origin, options=None if isinstance(asked, bool) else asked)
