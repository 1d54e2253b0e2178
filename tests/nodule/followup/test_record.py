"""What the record of a comparison says."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from made_findings import with_nodule

from nodule.followup import Comparison, compare_exams
from nodule.followup.record import ComparisonRecord, record_comparison
from nodule.guidelines.result import Figure


@pytest.fixture(scope="module")
def same(pair: Any, quick: Any) -> Comparison:
    """Compare a scan with itself, a year later."""
    later = replace(pair.prior, patient=pair.current.patient)
    return compare_exams(current=later, prior=pair.prior, effort=quick)


def record(pair: Any, comparison: Comparison) -> ComparisonRecord:
    return record_comparison(
        comparison,
        current=pair.prior,
        prior=pair.prior,
    )


def test_survives_json_and_an_endless_doubling_is_null(pair: Any, same: Comparison) -> None:
    written = record(pair, same)
    text = written.model_dump_json()
    assert ComparisonRecord.model_validate_json(text) == written
    first = json.loads(text)["changes"][0]
    assert same.changes[0].doubling_time is not None
    assert same.changes[0].doubling_time.value == math.inf
    assert first["doubling_time"]["value"] is None
    assert first["doubling_time"]["low"] > 0
    assert first["growth"] == "stable"


def test_names_the_slice_of_each_finding(pair: Any, same: Comparison) -> None:
    """Slices lie 2.1 mm apart; the first is number 1."""
    written = record(pair, same)
    bottom = pair.prior.study.volume.geometry.origin_lps_mm[2]
    for change in written.changes:
        z = change.current.center_lps_mm[2]
        assert change.current.slice_number == round((z - bottom) / 2.1) + 1


def test_a_finding_outside_the_scan_has_no_slice(pair: Any, same: Comparison) -> None:
    current = same.changes[0].current
    far = with_nodule(current, center_lps_mm=(0.0, 0.0, 9000.0), measurement=None)
    change = replace(same.changes[0], current=far)
    written = record(pair, replace(same, changes=(change,)))
    assert written.changes[0].current.slice_number is None
    assert written.changes[0].current.volume_mm3 is None


def test_a_volume_that_cannot_be_stated_is_not(pair: Any, same: Comparison) -> None:
    measured = same.changes[0].current.nodule.measurement
    assert measured is not None
    thin = replace(measured, volume_limits_mm3=None, texture="part-solid", solid_volume_mm3=9.0)
    change = replace(
        same.changes[0], current=with_nodule(same.changes[0].current, measurement=thin)
    )
    now = record(pair, replace(same, changes=(change,))).changes[0].current
    assert now.long_axis_mm == round(thin.long_axis_mm, 2)
    assert now.texture == "part-solid"
    for name in ("volume_mm3", "effective_diameter_mm", "volume_error_share", "solid_volume_mm3"):
        assert getattr(now, name) is None


def test_refuses_what_it_does_not_know(pair: Any, same: Comparison) -> None:
    told = json.loads(record(pair, same).model_dump_json()) | {"verdict": "benign"}
    with pytest.raises(ValueError, match="verdict"):
        ComparisonRecord.model_validate(told)


def test_a_figure_keeps_its_interval(pair: Any, same: Comparison) -> None:
    figure = Figure(name="volume doubling time", unit="days", value=200.0, low=150.0, high=math.inf)
    change = replace(same.changes[0], doubling_time=figure)
    (row,) = json.loads(record(pair, replace(same, changes=(change,))).model_dump_json())["changes"]
    assert row["doubling_time"] == {"value": 200.0, "low": 150.0, "high": None, "unit": "days"}
