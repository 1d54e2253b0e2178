"""The lowest probability of a finding, by a rate of false positives or as it is."""

from pathlib import Path
from typing import Any

import pytest

from nodule.candidates.operating import OperatingTable, operating_path
from nodule.candidates.stage import ProposeCandidates
from nodule.errors import WeightsError
from nodule.malignancy.stage import ScoreMalignancy
from nodule.measure.stage import Measure
from nodule.weights import Weights
from pipelines.flows import at_operating_point


def weights(folder: Path, stage: str, digest: str) -> Weights:
    return Weights(
        sha256=digest,
        path=folder / f"{stage}.safetensors",
        stage=stage,
        architecture={},
        training_patients=(),
    )


@pytest.fixture
def stages(tmp_path: Path) -> dict[str, Any]:
    members = (weights(tmp_path, "malignancy", "def"), weights(tmp_path, "malignancy", "ghi"))
    return {
        "candidates": ProposeCandidates(weights=weights(tmp_path, "candidates", "abc")),
        "malignancy": ScoreMalignancy(weights=members, calibration=None),
        "measure": Measure(grid_mm=0.6),
    }


def test_a_rate_takes_its_threshold_from_the_table_beside_the_weights(stages) -> None:
    table = OperatingTable.of_false_positives(
        [(0.9, 0.5), (0.7, 0.3)], lowest_score=0.1, weights_sha256=("abc", "def", "ghi")
    )
    table.write(operating_path(stages["candidates"].weights.path))
    chosen = at_operating_point(stages, fp_per_scan=1.0, threshold=None)["measure"]
    assert chosen.probability_threshold == pytest.approx(0.6)  # two in two scans: 0.7 to 0.5
    assert chosen.grid_mm == 0.6


def test_a_table_of_other_judges_is_refused(stages) -> None:
    table = OperatingTable.of_false_positives(
        [(0.9,)], lowest_score=0.1, weights_sha256=("abc", "def")
    )
    table.write(operating_path(stages["candidates"].weights.path))
    with pytest.raises(WeightsError, match="FOREIGN_OPERATING_TABLE"):
        at_operating_point(stages, fp_per_scan=1.0, threshold=None)


def test_a_threshold_is_taken_as_it_is(stages) -> None:
    chosen = at_operating_point(stages, fp_per_scan=None, threshold=0.42)
    assert chosen["measure"].probability_threshold == 0.42


def test_without_either_nothing_changes(stages) -> None:
    assert at_operating_point(stages, fp_per_scan=None, threshold=None) is stages


def test_a_rate_without_a_table_is_refused(stages) -> None:
    with pytest.raises(WeightsError, match="NO_OPERATING_TABLE"):
        at_operating_point(stages, fp_per_scan=1.0, threshold=None)
