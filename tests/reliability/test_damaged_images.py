"""A damaged image file or archive is refused, warned of, or read as what was scanned."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from damage.all_kinds import IMAGE_KINDS as KINDS
from damage.damaged_image import damage_image_and_read
from damage.image_files import METAIMAGE, NIFTI, NRRD, TRUTH, ZIP, made_files
from damage.outcome import Outcome, Tally
from damage.summary import row

FOUND = tomllib.loads((Path(__file__).parent / "found.toml").read_text())["image"]
SEEDS_A_ROUND = 5  # a read takes some milliseconds
FLIPS_A_ROUND = 50


@pytest.mark.parametrize("image", [*NIFTI, *METAIMAGE, *NRRD, *ZIP])
def test_an_undamaged_image_is_read_right(image: str, tmp_path: Path) -> None:
    files = made_files(image)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    tally = Tally()
    tally.read(tmp_path / next(iter(files)), TRUTH, name=image)
    assert tally.counts == {Outcome.RIGHT: 1}
    assert list(tally.codes) == [""]


@pytest.mark.parametrize("name", [name for name in KINDS if name != "bit_flipped"])
def test_a_damaged_image_is_never_silently_wrong(
    name: str, rounds: int, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    tally = Tally()
    for seed in range(rounds * SEEDS_A_ROUND):
        damage_image_and_read(KINDS[name], seed, tmp_path / str(seed), tally)
    record_property(*row("image files", tally))
    assert tally.faults == []


def test_no_flipped_bit_of_what_has_a_checksum_passes(
    rounds: int, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    tally = Tally()
    for seed in range(rounds * FLIPS_A_ROUND):
        damage_image_and_read(KINDS["bit_flipped"], seed, tmp_path / str(seed), tally)
    record_property(*row("bits in gzip, zlib, zip", tally))
    assert tally.faults == []


@pytest.mark.parametrize(("name", "seed"), [(name, n) for name, ns in FOUND.items() for n in ns])
def test_what_was_once_silently_wrong_stays_found(name: str, seed: int, tmp_path: Path) -> None:
    tally = Tally()
    damage_image_and_read(KINDS[name], seed, tmp_path, tally)
    assert tally.faults == []
