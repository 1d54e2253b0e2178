import json
from pathlib import Path

import pytest

from nodule.candidates import OperatingTable, operating_path
from nodule.candidates._operating import OperatingPoint
from nodule.errors import InputError, NoduleError
from nodule.weights import Weights

# two scans, five false positives, looked at down to a score of 0.1
SCORES = ((0.9, 0.5, 0.2), (0.7, 0.3))


def table(*weights_sha256: str) -> OperatingTable:
    return OperatingTable.of_false_positives(
        SCORES, lowest_score=0.1, weights_sha256=weights_sha256 or ("abc",)
    )


@pytest.mark.parametrize(
    ("rate", "threshold"),
    [
        (0.0, 0.95),  # above the best false positive
        (0.5, 0.8),  # one in two scans: midway between 0.9 and 0.7
        (0.9, 0.8),
        (1.0, 0.6),  # midway between 0.7 and 0.5
        (2.0, 0.25),  # four in two scans: midway between 0.3 and 0.2
        (2.5, 0.1),
        (100.0, 0.1),  # no more than were counted
    ],
)
def test_takes_the_lowest_threshold_with_so_few_false_positives(rate, threshold):
    assert table().threshold_for(rate) == pytest.approx(threshold)


def test_counts_what_a_threshold_lets_through():
    assert [table().false_positives_at(t) for t in (0.95, 0.8, 0.25, 0.1)] == [0, 1, 4, 5]


def test_false_positives_of_one_score_pass_together():
    tied = OperatingTable.of_false_positives(
        [[0.6, 0.6]], lowest_score=0.1, weights_sha256=("abc",)
    )
    assert tied.threshold_for(1.0) == pytest.approx(0.8)
    assert tied.threshold_for(2.0) == pytest.approx(0.1)


def test_what_a_second_network_scores_below_the_lowest_is_counted_last():
    lower = OperatingTable.of_false_positives(
        [[0.5, 0.004, 0.001]], lowest_score=0.01, weights_sha256=("abc",)
    )
    assert [point.fp_per_scan for point in lower.points] == [0.0, 1.0, 2.0, 3.0]
    assert lower.threshold_for(3.0) == pytest.approx(0.001)


def test_scans_without_false_positives_allow_every_mark():
    clean = OperatingTable.of_false_positives([[], []], lowest_score=0.1, weights_sha256=("abc",))
    assert clean.threshold_for(0.0) == pytest.approx(0.1)


@pytest.mark.parametrize("rate", [-1.0, float("nan")])
def test_refuses_what_is_no_rate(rate):
    with pytest.raises(InputError, match="BAD_RATE"):
        table().threshold_for(rate)


def test_refuses_points_out_of_order():
    points = (
        OperatingPoint(threshold=0.2, fp_per_scan=1.0),
        OperatingPoint(threshold=0.4, fp_per_scan=2.0),
    )
    with pytest.raises(InputError, match="BAD_OPERATING_TABLE"):
        OperatingTable(weights_sha256=("abc",), n_scans=1, points=points)


def test_refuses_a_table_of_no_scans():
    with pytest.raises(InputError, match="BAD_OPERATING_TABLE"):
        OperatingTable.of_false_positives([], lowest_score=0.1, weights_sha256=("abc",))


def weights_at(path: Path, sha256: str = "abc") -> Weights:
    return Weights(
        sha256=sha256, path=path, stage="candidates", architecture={}, training_patients=()
    )


def test_travels_beside_its_weights(tmp_path: Path):
    weights = weights_at(tmp_path / "mine.safetensors")
    assert operating_path(weights.path).name == "mine.operating.json"
    table().write(operating_path(weights.path))
    assert OperatingTable.beside(weights) == table()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "NO_OPERATING_TABLE"),
        ("[]", "BAD_OPERATING_TABLE"),
        ("no json", "BAD_OPERATING_TABLE"),
        ('{"format": "another"}', "BAD_OPERATING_TABLE"),
        (
            json.dumps(
                {
                    "format": "nodule-operating-v2",
                    "weights_sha256": ["other"],
                    "n_scans": 1,
                    "points": [{"threshold": 0.5, "fp_per_scan": 1.0}],
                }
            ),
            "FOREIGN_OPERATING_TABLE",
        ),
    ],
)
def test_says_why_a_table_cannot_be_used(tmp_path: Path, content, code):
    weights = weights_at(tmp_path / "mine.safetensors")
    if content is not None:
        operating_path(weights.path).write_text(content)
    with pytest.raises(NoduleError) as refused:
        OperatingTable.beside(weights)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("rate", "threshold"), [(1 / 3 - 1e-8, 0.95), (0.3333333333, 0.85), (1 / 3, 0.85)]
)
def test_a_rate_may_be_rounded_in_its_tenth_digit(rate: float, threshold: float) -> None:
    """One false positive in three scans, asked for as a decimal number."""
    thirds = OperatingTable.of_false_positives(
        [[0.9, 0.8], [], []], lowest_score=0.1, weights_sha256=("abc",)
    )
    assert thirds.threshold_for(rate) == pytest.approx(threshold)
