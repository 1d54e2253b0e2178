"""Lung nodules on chest CT: found, measured and scored for malignancy.

Research software: a second reader's draft, never a diagnosis.

>>> import nodule
>>> study = nodule.read_ct("STUDY")  # doctest: +SKIP
>>> found = nodule.detect(study)  # doctest: +SKIP
>>> nodule.write_report(found, "OUT", dicom=True)  # doctest: +SKIP

What is named here is loaded when it is first used: importing the package loads neither torch nor
any reader of images.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule._version import __version__
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

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_version": ["__version__"],
        "advice.context": ["Context"],
        "candidates.stage": ["ProposeCandidates"],
        "chain": ["Chain"],
        "ct": ["inventory", "read_ct"],
        "detection": ["Detection"],
        "errors": ["NoduleError"],
        "findings": ["Assessment", "Candidate", "Finding", "Malignancy", "ScoredCandidate"],
        "followup": ["Comparison"],
        "front_door": ["compare", "detect", "write_report"],
        "geometry": ["Geometry"],
        "lungs.stage": ["SegmentLungs"],
        "malignancy.stage": ["ScoreMalignancy"],
        "masks": ["NoduleMask"],
        "measure.stage": ["Measure"],
        "nodules": ["Measurement", "Nodule"],
        "report": ["Report"],
        "resample": ["Resample"],
        "saliency": ["SaliencyMap"],
        "study": ["PatientHeader", "SeriesHeader", "Study"],
        "volume": ["LungMask", "Volume"],
        "weights": ["Weights"],
    },
)
