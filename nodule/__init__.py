"""Lung nodules on chest CT: found, measured and scored for malignancy.

Research software: a second reader's draft, never a diagnosis.

>>> import nodule
>>> study = nodule.read_ct("STUDY")  # doctest: +SKIP
>>> found = nodule.detect(study)  # doctest: +SKIP
>>> nodule.write_report(found, "OUT", dicom=True)  # doctest: +SKIP

What is named here is loaded when it is first used: importing the package loads neither torch nor
any reader of images.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nodule._version import __version__

if TYPE_CHECKING:
    from nodule.advice.context import Context
    from nodule.candidates import ProposeCandidates
    from nodule.chain import Chain
    from nodule.ct import inventory, read_ct
    from nodule.detection import Detection
    from nodule.errors import NoduleError
    from nodule.findings import Assessment, Candidate, Finding, Malignancy, ScoredCandidate
    from nodule.followup import Comparison
    from nodule.front_door import compare, detect, write_report
    from nodule.geometry import Geometry
    from nodule.lungs import SegmentLungs
    from nodule.malignancy import ScoreMalignancy
    from nodule.masks import NoduleMask
    from nodule.measure.stage import Measure
    from nodule.nodules import Measurement, Nodule
    from nodule.report import Report
    from nodule.resample import Resample
    from nodule.saliency import SaliencyMap
    from nodule.study import PatientHeader, SeriesHeader, Study
    from nodule.volume import LungMask, Volume
    from nodule.weights import Weights

__all__ = [
    "Assessment",
    "Candidate",
    "Chain",
    "Comparison",
    "Context",
    "Detection",
    "Finding",
    "Geometry",
    "LungMask",
    "Malignancy",
    "Measure",
    "Measurement",
    "Nodule",
    "NoduleError",
    "NoduleMask",
    "PatientHeader",
    "ProposeCandidates",
    "Report",
    "Resample",
    "SaliencyMap",
    "ScoreMalignancy",
    "ScoredCandidate",
    "SegmentLungs",
    "SeriesHeader",
    "Study",
    "Volume",
    "Weights",
    "__version__",
    "compare",
    "detect",
    "inventory",
    "read_ct",
    "write_report",
]

_HOMES = {
    "Assessment": "findings",
    "Candidate": "findings",
    "Chain": "chain",
    "Comparison": "followup",
    "Context": "advice.context",
    "Detection": "detection",
    "Finding": "findings",
    "Geometry": "geometry",
    "SaliencyMap": "saliency",
    "LungMask": "volume",
    "Malignancy": "findings",
    "Measure": "measure.stage",
    "Measurement": "nodules",
    "Nodule": "nodules",
    "NoduleError": "errors",
    "NoduleMask": "masks",
    "PatientHeader": "study",
    "ProposeCandidates": "candidates.stage",
    "Report": "report",
    "Resample": "resample",
    "ScoreMalignancy": "malignancy.stage",
    "ScoredCandidate": "findings",
    "SegmentLungs": "lungs.stage",
    "SeriesHeader": "study",
    "Study": "study",
    "Volume": "volume",
    "Weights": "weights",
    "compare": "front_door",
    "detect": "front_door",
    "inventory": "ct",
    "read_ct": "ct",
    "write_report": "front_door",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
