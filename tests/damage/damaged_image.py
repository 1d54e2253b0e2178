"""An image file or an archive while it is damaged: the bytes of its files by name."""

import random
from pathlib import Path

from damage.image_files import TRUTH, made_files
from damage.kinds import Kind
from damage.outcome import Tally


def write_damaged_image(kind: Kind, seed: int, folder: Path) -> Path:
    """Damage an image as one seed of a kind does; write it and return what to read."""
    rng = random.Random(f"{kind.name} {seed}")
    files = made_files(rng.choice(kind.bases))
    first = next(iter(files))
    kind.damage(rng, files)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / first


def damage_image_and_read(kind: Kind, seed: int, folder: Path, tally: Tally) -> None:
    """Damage an image, read it and count the outcome."""
    path = write_damaged_image(kind, seed, folder)
    tally.read(path, TRUTH, name=f"{kind.name} {seed}")
