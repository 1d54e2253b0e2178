"""The flows, and so the only file that names concrete stages.

Stages are imported when a flow is asked for, networks when they run.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nodule.errors import ConfigError
from nodule.findings import Candidate, Finding, ScoredCandidate
from nodule.saliency import Answer, HeatMap
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask, Volume
from pipelines.flow_codecs import CODECS
from pipelines.graph import Flow, Source, Step
from pipelines.runner import Listener, ignore, run_flow
from pipelines.stage import Stage

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.inference import Device
    from pipelines.cache import Cache

Stages = Mapping[str, Any]
"""Configured stages by name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Detection:
    """What the detect flow found in one study.

    Parameters
    ----------
    study, lungs, findings : outputs of the flow; the lungs are on the 1 mm grid.
    patient : read anew from the input, never cached.
    input_sha256 : digest of the input's content.
    ran : stages that ran; the others came from the cache.
    heat_maps : one per finding, in their order, where the flow explains.
    """

    study: Study
    lungs: LungMask
    findings: tuple[Finding, ...]
    patient: PatientHeader
    input_sha256: str
    ran: tuple[str, ...]
    heat_maps: tuple[HeatMap, ...] = ()


def detect_stage_types() -> tuple[type[Any], ...]:
    """Return the stages of the detect flow, in order."""
    from nodule.candidates.stage import ProposeCandidates
    from nodule.ct.stage import ReadCt
    from nodule.lungs.stage import SegmentLungs
    from nodule.malignancy.stage import ScoreMalignancy
    from nodule.measure.stage import Measure
    from nodule.resample import Resample

    return ReadCt, Resample, SegmentLungs, ProposeCandidates, ScoreMalignancy, Measure


def on_device(stages: Stages, device: Device) -> Stages:
    """Return the stages with every network on a device."""
    return {
        name: replace(stage, device=device) if _has(stage, "device") else stage
        for name, stage in stages.items()
    }


def at_operating_point(
    stages: Stages, *, fp_per_scan: float | None, threshold: float | None
) -> Stages:
    """Return the stages with the lowest probability of a finding that is asked for, if any.

    False positives are those of the two networks together; the measurement that follows only
    takes detections away.

    Parameters
    ----------
    stages : of the detect flow.
    fp_per_scan : false positives per scan, looked up in the operating table beside the weights.
    threshold : the probability itself; only one of the two is given.

    Raises
    ------
    InputError : as :meth:`nodule.candidates.operating.OperatingTable.threshold_for`.
    WeightsError : as :meth:`nodule.candidates.operating.OperatingTable.beside`.
    """
    if fp_per_scan is not None:
        from nodule.candidates.operating import OperatingTable

        weights = (stages["candidates"].weights, *stages["malignancy"].weights)
        threshold = OperatingTable.beside(*weights).threshold_for(fp_per_scan)
    if threshold is None:
        return stages
    return {**stages, "measure": replace(stages["measure"], probability_threshold=threshold)}


def explaining(stages: Stages, *, answer: Answer = "malignancy") -> Stages:
    """Return the stages of the detect flow and one that shows what raised an answer."""
    from nodule.malignancy.saliency_stage import ExplainMalignancy

    return {**stages, "explain": ExplainMalignancy(judge=stages["malignancy"], answer=answer)}


def detect_flow(stages: Stages) -> Flow:
    """Connect the stages of the detect flow; its source is called ``series``."""
    volume = {"volume": "resample"}
    steps = [
        Step(stage=stages["read_ct"], inputs={"source": "series"}, output=Study),
        Step(stage=stages["resample"], inputs={"volume": "read_ct.volume"}, output=Volume),
        Step(stage=stages["lungs"], inputs=volume, output=LungMask),
        Step(
            stage=stages["candidates"],
            inputs={**volume, "lungs": "lungs"},
            output=tuple[Candidate, ...],
        ),
        Step(
            stage=stages["malignancy"],
            inputs={**volume, "candidates": "candidates"},
            output=tuple[ScoredCandidate, ...],
        ),
        Step(
            stage=stages["measure"],
            inputs={"study": "read_ct", "lungs": "lungs", "scored": "malignancy"},
            output=tuple[Finding, ...],
        ),
    ]
    if "explain" in stages:
        explained = {**volume, "scored": "malignancy", "findings": "measure"}
        steps.append(Step(stage=stages["explain"], inputs=explained, output=tuple[HeatMap, ...]))
    return Flow.of(*steps)


def detect(
    series: SeriesSource, *, stages: Stages, cache: Cache | None, listen: Listener = ignore
) -> Detection:
    """Run the detect flow on one series.

    Raises
    ------
    NoduleError : as the stages raise it, or as :func:`run_flow`.
    """
    result = run_flow(
        detect_flow(stages),
        {"series": Source(key=series.digest, load=lambda: series)},
        wanted=("read_ct", "lungs", "measure", *_optional(stages)),
        cache=cache,
        codecs=CODECS,
        listen=listen,
    )
    return Detection(
        study=result.outputs["read_ct"],
        lungs=result.outputs["lungs"],
        findings=result.outputs["measure"],
        patient=series.patient,
        input_sha256=series.digest,
        ran=result.ran,
        heat_maps=result.outputs.get("explain", ()),
    )


def _optional(stages: Stages) -> tuple[str, ...]:
    return ("explain",) if "explain" in stages else ()


def _has(stage: Stage, name: str) -> bool:
    return name in {each.name for each in fields(stage)}  # type: ignore[arg-type]  # a dataclass


_TASKS = MappingProxyType(
    {
        "lungs": "nodule.lungs.training.lungs_task:LungsTask",
        "candidates": "nodule.candidates.training.candidates_task:CandidatesTask",
        "malignancy": "nodule.malignancy.training.malignancy_task:MalignancyTask",
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
