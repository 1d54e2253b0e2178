"""A chain whose stages return what they were made to return, and note what they were given."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from made_findings import made_finding

from nodule.chain import Chain
from nodule.findings import Candidate, Malignancy, ScoredCandidate
from nodule.geometry import Geometry
from nodule.inference import SPEED_ONLY
from nodule.lung_disease import DiseasedLung, LungDisease
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume

GRID = Geometry(shape_zyx=(2, 3, 4), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(0.0, 0.0, 0.0))
STUDY = Study(
    volume=Volume(array_zyx=np.zeros(GRID.shape_zyx, np.float32), geometry=GRID),
    series=SeriesHeader(source_format="nifti"),
)
CANDIDATE = Candidate(center_lps_mm=(1.0, 1.0, 1.0), score=0.5, diameter_mm=5.0)
SCORED = ScoredCandidate(
    candidate=CANDIDATE, probability=0.6, malignancy=Malignancy(distribution=(0.2,) * 5)
)
DISEASE = LungDisease(
    right=DiseasedLung(
        lung="right", aerated_ml=1.0, ground_glass_ml=0.0, consolidation_ml=0.0, left_out_ml=0.0
    ),
    left=DiseasedLung(
        lung="left", aerated_ml=1.0, ground_glass_ml=0.0, consolidation_ml=0.0, left_out_ml=0.0
    ),
)
FINDING = made_finding(
    "N1",
    CANDIDATE.center_lps_mm,
    probability=SCORED.probability,
    malignancy=SCORED.malignancy,
)


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """Notes what it was given, and returns what it was made to return."""

    version: ClassVar[int] = 1

    name: str
    answer: Any
    given: list[tuple[str, dict[str, Any]]] = field(metadata=SPEED_ONLY)

    def run(self, *, progress: Any, **inputs: Any) -> Any:
        progress(1.0)
        self.given.append((self.name, inputs))
        return self.answer


def stand_ins(given: list[tuple[str, dict[str, Any]]]) -> Chain:
    answers = {
        "resample": STUDY.volume,
        "lungs": LungMask(labels_zyx=np.ones(GRID.shape_zyx, np.uint8), geometry=GRID),
        "candidates": (CANDIDATE,),
        "malignancy": (SCORED,),
        "measure": (FINDING,),
        "disease": DISEASE,
    }
    stages: dict[str, Any] = {
        name: StandIn(name=name, answer=answer, given=given) for name, answer in answers.items()
    }
    return Chain(**stages)
