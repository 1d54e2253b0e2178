"""Noise in the bytes of any input ends in a coded error, a warning, or what was scanned."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from damage.byte_noise import BASES, read_noisy
from damage.encodings import COMPRESSED
from damage.outcome import Tally
from damage.summary import row

FOUND = tomllib.loads((Path(__file__).parent / "found.toml").read_text())["bytes"]
SEEDS_A_ROUND, SEEDS_OF_COMPRESSED = 22, 4  # for these a decoder process starts again and again


@pytest.mark.parametrize("base", BASES)
def test_noise_is_never_a_traceback_nor_silently_wrong(
    base: str, rounds: int, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    tally = Tally()
    is_compressed = base in COMPRESSED or base == "enhanced-rle"
    for seed in range(rounds * (SEEDS_OF_COMPRESSED if is_compressed else SEEDS_A_ROUND)):
        read_noisy(base, seed, tmp_path / str(seed), tally)
    record_property(*row("bytes, in process", tally))
    assert tally.faults == []


@pytest.mark.parametrize(("base", "seed"), [(name, n) for name, ns in FOUND.items() for n in ns])
def test_what_was_once_silently_wrong_stays_found(base: str, seed: int, tmp_path: Path) -> None:
    tally = Tally()
    read_noisy(base, seed, tmp_path, tally)
    assert tally.faults == []
