"""The kinds of configuration files, and what it takes for one to be right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from nodule.errors import UsageError
from pipelines.config import load_stages, read_toml
from pipelines.flows import detect_stage_types, task_type

ConfigKind = Literal[
    "detect", "person", "serve", "train-lungs", "train-candidates", "train-malignancy"
]
_TRAINING = "train-"
_NODE_SECTIONS = frozenset({"listen", "study", "disk", "send", "source", "monitor"})
_TRAINING_SECTIONS = frozenset({"task", "loop", "start", "finetune"})


def check_config(path: Path, kind: ConfigKind | None = None) -> ConfigKind:
    """Read a configuration file as the command that it is for would, and throw the result away.

    Parameters
    ----------
    path : the TOML file; weights that it names are read.
    kind : what it is for; None to tell by its sections.

    Returns
    -------
    What it is for.

    Raises
    ------
    ConfigError : as :func:`pipelines.config.load_stages`, or as
        :func:`pipelines.training.training_file.read_training`, data that is not named apart.
    InputError : ``BAD_PERSON_FILE``.
    UsageError : ``NO_KIND`` for a training file, which does not say whose it is.
    WeightsError : where it names weights that cannot be used.
    """
    kind = kind or _kind_of(read_toml(path), path)
    if kind == "detect":
        load_stages(path, detect_stage_types())
    elif kind == "person":
        from nodule.advice.context import read_context

        read_context(path)
    elif kind == "serve":
        from pipelines.serve import read_serve_settings

        read_serve_settings(path)
    else:
        from pipelines.training import check_training

        check_training(path, task_type(kind.removeprefix(_TRAINING)))
    return kind


def _kind_of(document: Mapping[str, Any], path: Path) -> ConfigKind:
    from nodule.advice.context import Context

    if not _TRAINING_SECTIONS.isdisjoint(document):
        raise UsageError(
            f"{path.name} is a training file, which does not say for which network",
            code="NO_KIND",
            expected="--kind train-lungs, train-candidates or train-malignancy",
        )
    if not _NODE_SECTIONS.isdisjoint(document):
        return "serve"
    return "detect" if Context.model_fields.keys().isdisjoint(document) else "person"
