"""What acquisitions cost, summed by hand; and an interrupted evaluation that goes on."""

import json
from pathlib import Path
from typing import Any

import pytest

from nodule.evaluate.acquisition_shift import _shift_evaluation as shifts
from nodule.evaluate.acquisition_shift._home_evaluation import wilson
from nodule.evaluate.acquisition_shift._shift_evaluation import ShiftedScan, shift_figures


def row(
    acquisition: str, scan: str, nodules: int, found: int, false: int, *why: str
) -> ShiftedScan:
    return ShiftedScan(
        acquisition=acquisition,
        scan=scan,
        nodules=nodules,
        found=found,
        false_positives=false,
        reasons=why,
    )


ROWS = (
    row("as it is", "A", 5, 5, 2),
    row("soft", "A", 5, 3, 6, "grain"),
    row("as it is", "B", 3, 2, 0),
    row("soft", "B", 3, 2, 1),
    row("as it is", "C", 4, 4, 1),  # not shown softly
)


def test_losses_are_against_the_same_scans_as_they_are() -> None:
    figures = shift_figures(ROWS)
    assert list(figures) == ["as it is", "soft"]
    soft = figures["soft"]
    assert soft.found is not None
    assert (soft.found.value, soft.found.n) == (pytest.approx(5 / 8), 8)
    assert soft.lost_points == pytest.approx(100 * (7 / 8 - 5 / 8))
    assert (soft.fp_per_scan.value, soft.fp_per_scan.n) == (pytest.approx(3.5), 2)
    assert soft.off_home.value == pytest.approx(0.5)
    assert figures["as it is"].lost_points == 0


def test_an_acquisition_that_shows_no_nodule_has_no_share() -> None:
    figures = shift_figures([row("as it is", "A", 2, 1, 0), row("60 % field", "A", 0, 0, 0)])
    assert figures["60 % field"].found is None
    assert figures["60 % field"].lost_points is None


def test_wilson_s_interval() -> None:
    """11 of 13: 0.578 to 0.957, by the formula of Wilson 1927."""
    found = wilson(11, 13)
    assert (found.low, found.high) == (
        pytest.approx(0.578, abs=1e-3),
        pytest.approx(0.957, abs=1e-3),
    )
    assert wilson(0, 4).low == 0
    assert wilson(4, 4).high == 1


def test_what_is_done_is_not_done_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[str] = []

    class Names:
        name = "A"

    class Stages:
        records = ("stage 1",)

        def on(self, study: object) -> Any:
            return self

        lungs = None

    def run(scan: Any, name: str, *_: object) -> ShiftedScan:
        done.append(name)
        return row(name, scan.name, 1, 1, 0)

    monkeypatch.setattr(shifts, "load_read_scan", lambda whole: (Names(), None))
    monkeypatch.setattr(
        shifts, "acquired", lambda *_, seed: [(n, None) for n in ("as it is", "soft", "sharp")]
    )
    monkeypatch.setattr(shifts, "_run", run)
    of_scan: Any = shifts._of_scan
    first = list(of_scan(None, Stages(), tmp_path, ["soft"], 0))
    assert done == ["as it is", "soft"]
    again = list(of_scan(None, Stages(), tmp_path, ["soft"], 0))
    assert again == first
    assert list(of_scan(None, Stages(), tmp_path, [], 0))[:2] == first
    assert done == ["as it is", "soft", "sharp"]
    assert len(list(tmp_path.iterdir())) == 3
    assert all(json.loads(each.read_text())["scan"] == "A" for each in tmp_path.iterdir())
