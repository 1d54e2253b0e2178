"""A damaged DICOM series is refused, warned of, or read as what was scanned."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from damage.all_kinds import SERIES_KINDS as KINDS
from damage.damaged_series import damage_and_read, truth_of
from damage.encodings import ENCODINGS, ENHANCED, encoded_slices
from damage.made_series import save
from damage.outcome import Outcome, Tally
from damage.summary import row

FOUND = tomllib.loads((Path(__file__).parent / "found.toml").read_text())["series"]


@pytest.mark.parametrize("encoding", [*ENCODINGS, *ENHANCED])
def test_an_undamaged_series_is_read_right(encoding: str, tmp_path: Path) -> None:
    tally = Tally()
    tally.read(save(encoded_slices(encoding), tmp_path), truth_of(encoding), name=encoding)
    assert tally.counts == {Outcome.RIGHT: 1}
    assert list(tally.codes) == [""]


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_series_is_never_silently_wrong(
    name: str, rounds: int, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    tally = Tally()
    for seed in range(rounds):
        damage_and_read(KINDS[name], seed, tmp_path / str(seed), tally)
    record_property(*row("DICOM series", tally))
    assert tally.faults == []


@pytest.mark.parametrize(("name", "seed"), [(name, n) for name, ns in FOUND.items() for n in ns])
def test_what_was_once_silently_wrong_stays_found(name: str, seed: int, tmp_path: Path) -> None:
    tally = Tally()
    damage_and_read(KINDS[name], seed, tmp_path, tally)
    assert tally.faults == []
