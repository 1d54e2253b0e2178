"""Options that several commands share."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from nodule.guidelines.facts import Setting
from nodule.inference import Device

STALE_RULE = (
    "sr.dcm, seg.dcm, report.pdf and comparison.csv of an earlier run are removed from it where "
    "this one writes none."
)
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        envvar="NODULE_CACHE",
        help="Where stages' outputs are kept; by default the user's cache folder.",
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML file; by default the shipped detect.toml.")
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Where networks run; auto takes CUDA where there is one.")
]
SeriesOption = Annotated[
    str | None, typer.Option("--series", help="SeriesInstanceUID, where there are several.")
]
DicomOption = Annotated[
    bool, typer.Option("--dicom", help="Write sr.dcm and seg.dcm too; STUDY must be DICOM.")
]
PdfOption = Annotated[
    bool, typer.Option("--pdf", help="Print the report too; needs Chromium on the PATH.")
]
PriorOption = Annotated[
    Path | None,
    typer.Option(metavar="STUDY", help="An earlier study of the same patient, to compare with."),
]
SettingOption = Annotated[
    Setting | None,
    typer.Option(
        "--context", help="Why nodules are looked for; without it the report gives no advice."
    ),
]
PersonOption = Annotated[
    Path | None,
    typer.Option(
        "--person",
        metavar="FILE",
        help="TOML with what is known of the person, such as age_years, sex, smoking, risk, "
        "known_cancer, immunosuppressed, family_history, emphysema; a table findings.N1 with lobe, "
        "spiculation, benign_feature; a table reader with what only the reader decides, such as "
        "upgrade_to_4x. What is left out is unknown. configs/person.toml has all.",
    ),
]
IndicationOption = Annotated[
    str | None, typer.Option("--indication", metavar="TEXT", help="Printed in the report.")
]
CardOption = Annotated[
    bool, typer.Option("--card", help="Write the figures into the model card beside the weights.")
]


def given_command(context: typer.Context) -> str:
    """Return the command that runs, as its user gave it but with paths reduced to names.

    Defaults are left out: they are the program's, and its version is told elsewhere.
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
