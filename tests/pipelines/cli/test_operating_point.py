"""``nodule run --fp-per-scan`` and ``--threshold``."""

from pathlib import Path

import pytest

from nodule.candidates.operating import OperatingTable, operating_path
from nodule.candidates.stage import ProposeCandidates
from nodule.errors import ConfigError, WeightsError
from nodule.weights import Weights
from pipelines.cli.run import at_operating_point


@pytest.fixture
def stages(tmp_path: Path) -> dict[str, ProposeCandidates]:
    weights = Weights(
        sha256="abc",
        path=tmp_path / "mine.safetensors",
        stage="candidates",
        architecture={},
        training_patients=(),
    )
    return {"candidates": ProposeCandidates(weights=weights, apart_mm=7.0)}


def test_a_rate_takes_its_threshold_from_the_table_beside_the_weights(stages) -> None:
    weights = stages["candidates"].weights
    table = OperatingTable.of_false_positives(
        [(0.9, 0.5), (0.7, 0.3)], lowest_score=0.1, weights_sha256="abc"
    )
    table.write(operating_path(weights.path))
    chosen = at_operating_point(stages, fp_per_scan=1.0, threshold=None)["candidates"]
    assert chosen.score_threshold == pytest.approx(0.6)  # two in two scans: 0.7 to 0.5
    assert chosen.apart_mm == 7.0


def test_a_threshold_is_taken_as_it_is(stages) -> None:
    chosen = at_operating_point(stages, fp_per_scan=None, threshold=0.42)
    assert chosen["candidates"].score_threshold == 0.42


def test_without_either_nothing_changes(stages) -> None:
    assert at_operating_point(stages, fp_per_scan=None, threshold=None) is stages


def test_refuses_both(stages) -> None:
    with pytest.raises(ConfigError, match="TWO_OPERATING_POINTS"):
        at_operating_point(stages, fp_per_scan=1.0, threshold=0.4)


def test_a_rate_without_a_table_is_refused(stages) -> None:
    with pytest.raises(WeightsError, match="NO_OPERATING_TABLE"):
        at_operating_point(stages, fp_per_scan=1.0, threshold=None)
