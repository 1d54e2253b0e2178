"""What a printed comparison says."""

import math
from dataclasses import replace
from typing import Any

import pytest

from nodule.followup import Comparison, compare_exams
from nodule.guidelines.result import Figure
from nodule.printed import as_printed


@pytest.fixture(scope="module")
def same(pair: Any, quick: Any) -> Comparison:
    """Compare a scan with itself, a year later."""
    later = replace(pair.prior, patient=pair.current.patient)
    return compare_exams(current=later, prior=pair.prior, effort=quick)


def test_an_endless_doubling_is_printed_as_none(same: Comparison) -> None:
    endless = same.changes[0].doubling_time
    assert endless is not None
    assert endless.value == math.inf
    printed = as_printed(same).changes[0].doubling_time
    assert printed is not None
    assert printed.value is None
    assert printed.low is not None
    assert printed.low == round(printed.low, 1)
    assert as_printed(as_printed(same)) == as_printed(same)


def test_names_the_image_of_each_finding(pair: Any, same: Comparison) -> None:
    """Slices lie 2.1 mm apart; the first is number 1. The image is the one with the long axis."""
    bottom = pair.prior.study.volume.geometry.origin_lps_mm[2]
    for change in same.changes:
        nodule = change.current.nodule
        z = nodule.key_point_lps_mm[2]
        assert nodule.image.number == round((z - bottom) / 2.1) + 1


def test_names_the_studies(pair: Any, same: Comparison) -> None:
    assert same.current.study_date == pair.current.patient.study_date
    assert same.prior.study_date == pair.prior.patient.study_date
    assert same.current.input_sha256 == same.prior.input_sha256 == pair.prior.study.digest


def test_a_figure_keeps_its_interval_to_one_decimal(same: Comparison) -> None:
    figure = Figure(name="volume doubling time", unit="days", value=200.04, low=150, high=math.inf)
    change = replace(same.changes[0], doubling_time=figure)
    printed = as_printed(replace(same, changes=(change,))).changes[0].doubling_time
    assert printed == Figure(name=figure.name, unit="days", value=200.0, low=150, high=None)
