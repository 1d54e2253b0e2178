"""A series of DICOM while it is damaged."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset

from damage.encodings import ENCODINGS, NATIVE, encoded_slices
from damage.kinds import Kind
from damage.made_series import SIGNED, save
from damage.outcome import Tally, Truth


@dataclass
class DamagedSeries:
    """The slices of a series while it is damaged.

    Parameters
    ----------
    lost_slices : how many a reader may leave out, since the damage takes them away or says so.
    on_disk : what is done to the folder once the slices are written.
    """

    slices: list[Dataset]
    truth: Truth
    lost_slices: int = 0
    on_disk: list[Callable[[Path], None]] = field(default_factory=list)


ANY_NATIVE = tuple(NATIVE)
ANY_ENCODING = tuple(ENCODINGS)


def truth_of(encoding: str) -> Truth:
    recipe, _ = ENCODINGS.get(encoding, (SIGNED, ""))
    return Truth(hounsfield_zyx=recipe.hounsfield_zyx, affine=recipe.affine)


def write_damaged(kind: Kind, seed: int, folder: Path) -> DamagedSeries:
    """Damage a series as one seed of a kind does, and write it into a folder."""
    rng = random.Random(f"{kind.name} {seed}")
    encoding = rng.choice(kind.bases)
    series = DamagedSeries(encoded_slices(encoding), truth_of(encoding))
    kind.damage(rng, series)
    save(series.slices, folder)
    if rng.random() < 0.5:  # as scanners and media name them
        for path in folder.iterdir():
            path.rename(folder / f"IM{path.stem}")
    for change in series.on_disk:
        change(folder)
    return series


def damage_and_read(kind: Kind, seed: int, folder: Path, tally: Tally) -> None:
    """Damage a series, read it and count the outcome."""
    series = write_damaged(kind, seed, folder)
    name = f"{kind.name} {seed}"
    tally.read(folder, series.truth, name=name, lost_slices=series.lost_slices)


def some(rng: random.Random, series: DamagedSeries) -> list[int]:
    """Draw one slice, a few, or every slice but one."""
    count = len(series.slices)
    return rng.sample(range(count), rng.choice((1, 1, 2, count // 2, count - 1)))


def one_or_all(rng: random.Random, series: DamagedSeries) -> int | None:
    return rng.choice((None, rng.randrange(len(series.slices))))


def size(rng: random.Random, low: float, high: float) -> float:
    """Draw a size evenly on a logarithmic scale, of either sign."""
    return rng.choice((-1, 1)) * low * (high / low) ** rng.random()
