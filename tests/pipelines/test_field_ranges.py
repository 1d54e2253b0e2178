"""Every number that a user can configure has a lowest and a highest value."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from annotated_types import Interval

from nodule.candidates.training import CandidatesTask
from nodule.errors import ConfigError
from nodule.hu import HuWindow
from nodule.malignancy import Calibration, MapSaliency
from nodule.malignancy.training import MalignancyTask
from nodule.measure.segment import GrowthRules
from pipelines.config import Shipped
from pipelines.flows import detect_stage_types, task_type
from pipelines.training.finetune_config import Finetune
from pipelines.training.task import Loop
from pipelines.training.training_file import Start

TASKS = tuple(task_type(stage) for stage in ("lungs", "candidates", "malignancy"))
STAGES = (*detect_stage_types(), MapSaliency)
SECTIONS = (*STAGES, Calibration, GrowthRules, HuWindow, *TASKS, Loop, Finetune, Start)


def numbers_without_range(hint: Any) -> Iterator[Any]:
    """Walk an annotation down to its numbers; what lies in a file of its own is checked there."""
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        limits = [each for each in metadata if isinstance(each, Interval)]
        if not (inner in (int, float) and any(map(is_closed, limits))):
            yield from numbers_without_range(inner)
    elif hint in (int, float):
        yield hint
    elif is_dataclass(hint) and not issubclass(hint, Shipped):  # type: ignore[arg-type]
        yield from unbounded(hint)
    else:
        for inner in get_args(hint):
            yield from numbers_without_range(inner)


def is_closed(limits: Interval) -> bool:
    low = limits.ge if limits.gt is None else limits.gt
    high = limits.le if limits.lt is None else limits.lt
    return low is not None and high is not None


def unbounded(cls: Any) -> list[str]:
    hints = get_type_hints(cls, include_extras=True)
    return [each.name for each in fields(cls) if any(numbers_without_range(hints[each.name]))]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_number_has_a_range(section: Any) -> None:
    assert unbounded(section) == []


@pytest.mark.parametrize(
    ("hint", "found"),
    [
        (int, 1),
        (float | None, 1),
        (tuple[int, ...], 1),
        (tuple[Annotated[int, Interval(ge=0)], ...], 1),
        (Annotated[float, Interval(ge=0, lt=1)] | None, 0),
        (Annotated[tuple[Annotated[int, Interval(gt=0, le=9)], ...], "of them"], 0),
        (str, 0),
        (bool, 0),
    ],
)
def test_the_walk_finds_what_has_none(hint: Any, found: int) -> None:
    assert len(list(numbers_without_range(hint))) == found


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_what_is_out_of_range_is_refused_in_python_too(section: Any) -> None:
    for each in fields(section):
        hint = get_type_hints(section)[each.name]
        if hint in (int, float):
            with pytest.raises(ConfigError, match=f"BAD_VALUE: {each.name} "):
                section(**{**REQUIRED.get(section, {}), each.name: -1e9 if hint is float else -99})


REQUIRED: dict[Any, dict[str, Any]] = {
    Loop: {"epochs": 1, "steps_per_epoch": 1, "batch_size": 1, "learning_rate": 0.1},
    Finetune: {"phase_epochs": (1, 1, 1)},
    CandidatesTask: {"crop_set": Path()},
    MalignancyTask: {"crop_set": Path(), "scans": ()},
    HuWindow: {"low_hu": -1000.0, "high_hu": 400.0},
    Calibration: {
        "members": (),
        "temperature": 1.0,
        "slope": 1.0,
        "intercept": 0.0,
        "threshold": 0.5,
        "width_limit": 1.0,
        "n_nodules": 1,
    },
}
