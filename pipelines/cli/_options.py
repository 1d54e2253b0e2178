"""Arguments and options that several commands share, each declared once."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nodule.dicom.options import DicomExtra
from nodule.guidelines.facts import Setting
from nodule.inference import Device, Engine
from nodule.whole_files import check_writable

STALE_RULE = (
    "DICOM files, report.pdf, fhir.json and comparison.csv from an earlier run that this run does "
    "not write are deleted there."
)


def out_option(text: str, *, metavar: str = "DIR", **more: Any) -> Any:
    """Return the option that says where to write; ``--output`` is its earlier name.

    Where nothing can be written is told before the work.
    """
    flags = ("--out", "-o", "--output")
    check = check_folder if more.get("dir_okay", True) else check_file
    return typer.Option(*flags, metavar=metavar, help=text, callback=check, **more)


def check_folder(place: Path | None) -> Path | None:
    """Return a folder of results; raises as :func:`nodule.whole_files.check_writable`."""
    if place is not None:
        check_writable(place, folder=True)
    return place


def check_file(place: Path | None) -> Path | None:
    """Return a file of results; raises as :func:`nodule.whole_files.check_writable`."""
    if place is not None:
        check_writable(place, folder=False)
    return place


def _check_device(device: Device) -> Device:
    """Return a device that is there.

    Raises
    ------
    InputError : ``NO_CUDA``.
    """
    if device == "cuda":
        from nodule.inference import pick_device

        pick_device(device)
    return device


StudyArgument = Annotated[
    Path,
    typer.Argument(
        metavar="STUDY",
        help="A folder or zip archive of DICOM files, a DICOMDIR, or a NIfTI, MetaImage or NRRD "
        "image.",
    ),
]
ReportArgument = Annotated[
    Path,
    typer.Argument(
        metavar="REPORT_JSON",
        exists=True,
        dir_okay=False,
        help="The report.json beside the page that was read.",
    ),
]
ResultsOption = Annotated[
    Path, out_option(f"Folder in which each study gets a folder of results. {STALE_RULE}")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        envvar="NODULE_CACHE",
        help="Folder in which the outputs of the stages are kept; the user's cache folder if not "
        "given.",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="TOML file that configures the stages; the shipped detect.toml if not given.",
    ),
]
DeviceOption = Annotated[
    Device,
    typer.Option(
        "--device",
        help="Where the networks run; auto uses CUDA if it is available.",
        callback=_check_device,
    ),
]
EngineOption = Annotated[
    Engine,
    typer.Option(
        "--engine",
        help="What runs the networks: auto is OpenVINO on x86-64 CPUs, and torch elsewhere.",
    ),
]
SeriesOption = Annotated[
    str | None,
    typer.Option(
        "--series",
        metavar="UID",
        help="SeriesInstanceUID of the series to read; the best chest CT if not given.",
    ),
]
PriorSeriesOption = Annotated[
    str | None,
    typer.Option(
        "--prior-series", metavar="UID", help="SeriesInstanceUID to read of the prior study."
    ),
]
DicomOption = Annotated[
    bool,
    typer.Option(
        "--dicom",
        help="Also write sr.dcm (structured report) and seg.dcm (segmentation); the study must be "
        "DICOM.",
    ),
]
DicomWithOption = Annotated[
    list[DicomExtra] | None,
    typer.Option(
        "--dicom-with",
        help="What the DICOM files are to hold besides: lungs, as segments of seg.dcm; deflated, "
        "seg.dcm compressed by a transfer syntax that not every receiver takes; key-objects, "
        "key.dcm with the key images. May be given several times, and asks for --dicom.",
    ),
]
FhirOption = Annotated[
    bool,
    typer.Option("--fhir", help="Also write fhir.json, an R4 bundle with what the report says."),
]
PdfOption = Annotated[
    bool,
    typer.Option(
        "--pdf",
        help="Also print the report to report.pdf, and with --dicom to pdf.dcm; Chromium must be "
        "on the PATH.",
    ),
]
ViewerOption = Annotated[
    bool,
    typer.Option(
        " /--no-viewer",
        show_default=False,
        help="Leave the slice viewer out of report.html, which makes it smaller.",
    ),
]
NameByOption = Annotated[
    Literal["folder", "uid"],
    typer.Option(
        "--name-by",
        help="What a study's folder of results is called after: the input's own name, or a "
        "pseudonym of the SeriesInstanceUID, where the input's name may be a patient's.",
    ),
]
DeidentifyOption = Annotated[
    bool,
    typer.Option(
        "--deidentify",
        help="Write everything without identifiers, by the Basic Profile of DICOM PS3.15: names, "
        "dates, descriptions and what anybody typed are left out, UIDs and the name of the folder "
        "are pseudonyms. Sex, age and voxels stay.",
    ),
]
PseudonymKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--pseudonym-key",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        envvar="NODULE_PSEUDONYM_KEY",
        help="Secret key of the pseudonyms, any bytes; the user's own, drawn at its first use, if "
        "not given.",
    ),
]
SaliencyOption = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Show in the report which voxels raised the malignancy score (Grad-CAM saliency).",
    ),
]
FpPerScanOption = Annotated[
    float | None,
    typer.Option(
        "--fp-per-scan",
        min=0.0,
        help="Choose the operating point with this many false positives per scan.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0.0,
        max=1.0,
        help="Choose the operating point by the lowest probability that is reported.",
    ),
]
PriorOption = Annotated[
    Path | None,
    typer.Option(
        "--prior",
        metavar="STUDY",
        help="An earlier study of the same patient; the report then compares the nodules of both.",
    ),
]
SettingOption = Annotated[
    Setting | None,
    typer.Option(
        "--context",
        help="Why nodules are looked for. Without it the report holds no recommendation from the "
        "guidelines.",
    ),
]
PersonOption = Annotated[
    Path | None,
    typer.Option(
        "--person",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="TOML file of facts about the person, such as age_years, sex, smoking, risk, "
        "known_cancer, immunosuppressed, family_history and emphysema; in a table findings.N1, "
        "facts about a finding, such as lobe, spiculation and benign_feature; in a table reader, "
        "what only the reader decides, such as upgrade_to_4x. A fact that is left out is unknown. "
        "configs/person.toml lists all of them.",
    ),
]
IndicationOption = Annotated[
    str | None,
    typer.Option("--indication", metavar="TEXT", help="Indication of the exam, for the report."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The network's .safetensors; the shipped one if not given.",
    ),
]
MarginOption = Annotated[
    float,
    typer.Option(
        "--margin-mm", min=0.0, help="Width of the tissue kept around each nodule, in mm."
    ),
]
SetOption = Annotated[
    Path, out_option("Folder of the crop set; it is made if it is missing.", metavar="SET")
]
CardOption = Annotated[
    bool,
    typer.Option("--card", help="Write the results into the model card beside the weights."),
]


def given_command(context: typer.Context) -> str:
    """Return the command that runs, as its user gave it but with paths reduced to names.

    Defaults are left out: they belong to the program, whose version is stated elsewhere.
    """
    words = [word for each in context.command.params for word in _given(each, context)]
    return shlex.join([*context.command_path.split(), *words])


def _given(parameter: Any, context: typer.Context) -> Iterator[str]:
    """Yield a parameter's words; it is Click's, which Typer may bring under another name."""
    source = context.get_parameter_source(parameter.name)
    if source is None or source.name != "COMMANDLINE":
        return
    value = context.params[parameter.name]
    if isinstance(value, bool):
        yield parameter.opts[0] if value else parameter.secondary_opts[0]
        return
    flags = parameter.opts[:1] if parameter.param_type_name == "option" else []
    for each in value if isinstance(value, list | tuple) else [value]:
        yield from flags
        yield each.name if isinstance(each, Path) else str(each)
