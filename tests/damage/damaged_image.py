"""An image file or an archive while it is damaged: the bytes of its files by name."""

import random
from pathlib import Path

from damage.image_files import TRUTH, made_files
from damage.kinds import Kind
from damage.outcome import Tally


def damage_image_and_read(kind: Kind, seed: int, folder: Path, tally: Tally) -> None:
    """Damage an image as one seed of a kind does, read it and count the outcome."""
    rng = random.Random(f"{kind.name} {seed}")
    files = made_files(rng.choice(kind.bases))
    first = next(iter(files))
    kind.damage(rng, files)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    tally.read(folder / first, TRUTH, name=f"{kind.name} {seed}")
