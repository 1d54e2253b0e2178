"""``nodule check`` of damaged inputs: no traceback, no hang, less than 1 GB."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from damage.all_kinds import IMAGE_KINDS, SERIES_KINDS
from damage.byte_noise import BASES, write_noisy
from damage.damaged_image import write_damaged_image
from damage.damaged_series import write_damaged
from damage.outcome import Outcome, Tally
from damage.summary import row
from damage.warm_command import WarmCommand

CALLS_A_ROUND = 8
FIRST_SEED = 10_000  # others than are read in process


@pytest.fixture(scope="module")
def nodule(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmCommand]:
    with WarmCommand(tmp_path_factory.mktemp("said")) as command:
        yield command


def written_series(seed: int, folder: Path) -> Path:
    kind = random.Random(seed).choice(list(SERIES_KINDS.values()))
    write_damaged(kind, seed, folder)
    return folder


def written_image(seed: int, folder: Path) -> Path:
    kind = random.Random(seed).choice(list(IMAGE_KINDS.values()))
    return write_damaged_image(kind, seed, folder)


def written_noise(seed: int, folder: Path) -> Path:
    return write_noisy(random.Random(seed).choice(BASES), seed, folder)[0]


@pytest.mark.parametrize("write", [written_series, written_image, written_noise])
def test_a_check_of_a_damaged_input_ends_well(
    nodule: WarmCommand,
    write: Callable[[int, Path], Path],
    rounds: int,
    tmp_path: Path,
    record_property: Callable[[str, Any], None],
) -> None:
    tally = Tally()
    for seed in range(FIRST_SEED, FIRST_SEED + rounds * CALLS_A_ROUND):
        called = nodule("check", str(write(seed, tmp_path / str(seed))))
        warned = "warning " in called.said
        read = Outcome.WARNED if warned else Outcome.RIGHT
        tally.note(Outcome.REFUSED if called.status else read)
        assert called.faults == [], f"{seed}: {called.said}"
    record_property(*row("nodule check", tally))
