"""The chain as a flow with a cache, and the tasks that train its networks.

Stages are imported when a flow is asked for, networks when they run.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nodule.code_constants import constants_of
from nodule.errors import ConfigError
from pipelines.flow_codecs import CODECS
from pipelines.graph import Flow, Source, Step
from pipelines.runner import Listener, ignore, run_flow

if TYPE_CHECKING:
    from nodule.chain import Chain
    from nodule.ct import SeriesSource
    from nodule.detection import Detection
    from pipelines.cache import Cache


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectRun:
    """A run of the detect flow on one study.

    Parameters
    ----------
    found : what the chain found.
    ran : stages that ran; the others' outputs came from the cache.
    """

    found: Detection
    ran: tuple[str, ...]


def detect_stage_types() -> tuple[type[Any], ...]:
    """Return the stages of the detect flow, in order."""
    from nodule.chain import Chain

    return Chain.stage_types()


def detect_flow(chain: Chain) -> Flow:
    """Make the chain a flow, whose source is called :data:`nodule.chain.SERIES`."""
    links = chain.links()
    return Flow.of(
        *(
            Step(
                stage=stage,
                inputs=links[name].inputs,
                output=links[name].output,
                constants=constants_of(type(stage).__module__),
            )
            for name, stage in chain.stages.items()
        )
    )


def detect(
    series: SeriesSource, *, chain: Chain, cache: Cache | None, listen: Listener = ignore
) -> DetectRun:
    """Run the detect flow on one series.

    Raises
    ------
    NoduleError : as the stages raise it, or as :func:`run_flow`.
    """
    from nodule.chain import SERIES
    from nodule.detection import Detection

    explains = ("explain",) if chain.explain is not None else ()
    result = run_flow(
        detect_flow(chain),
        {SERIES: Source(key=series.digest, load=lambda: series)},
        wanted=("read_ct", "lungs", "measure", "disease", *explains),
        cache=cache,
        listen=listen,
        codecs=CODECS,
    )
    found = Detection(
        study=series.as_origin_of(result.outputs["read_ct"]),
        lungs=result.outputs["lungs"],
        findings=result.outputs["measure"],
        disease=result.outputs["disease"],
        patient=series.patient,
        stages=chain.records,
        saliency_maps=result.outputs.get("explain", ()),
    )
    return DetectRun(found=found, ran=result.ran)


_TASKS = MappingProxyType(
    {
        "lungs": "nodule.lungs.training._lungs_task:LungsTask",
        "candidates": "nodule.candidates.training._candidates_task:CandidatesTask",
        "malignancy": "nodule.malignancy.training._malignancy_task:MalignancyTask",
    }
)


def task_type(stage: str) -> type[Any]:
    """Return the class of the task that trains a stage's network.

    Raises
    ------
    ConfigError : ``NO_TASK`` for a stage that does not learn.
    """
    if stage not in _TASKS:
        raise ConfigError(
            f"no stage called {stage} can be trained", code="NO_TASK", expected=list(_TASKS)
        )
    module, _, name = _TASKS[stage].partition(":")
    task: type[Any] = getattr(importlib.import_module(module), name)
    return task
