"""Network weights: safetensors files beside their model cards, addressed by content.

Only safetensors is read; a pickle is refused, never tried. This module loads no torch until
:func:`load_state` is called.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.errors import WeightsError
from nodule.inference import SPEED_ONLY
from nodule.whole_files import write_whole

if TYPE_CHECKING:
    from torch import Tensor

SHIPPED = Path(__file__).parent
"""Where the package keeps what it brings."""

_FORMAT = "nodule-weights-v1"
_OLD_BACKBONE = re.compile(r"^trunk\.")


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One file of weights, known by the digest of its bytes.

    Parameters
    ----------
    sha256 : digest of the file; a stage's key depends on this alone, never on the path.
    path : where the file lies.
    stage : the stage it belongs to, such as ``lungs``.
    architecture : the network's constructor arguments.
    training_patients : every patient seen in training.
    """

    sha256: str
    path: Path = field(metadata=SPEED_ONLY)
    stage: str = field(metadata=SPEED_ONLY)
    architecture: Mapping[str, object] = field(metadata=SPEED_ONLY)
    training_patients: tuple[str, ...] = field(metadata=SPEED_ONLY)

    @classmethod
    def shipped(cls, name: str) -> Weights:
        """Open the weights that the package brings, by name, such as ``lungs``."""
        return cls.open(SHIPPED / f"{name}.safetensors")

    @classmethod
    def shipped_members(cls, name: str) -> tuple[Weights, ...]:
        """Open every member of an ensemble that the package brings, by their common name.

        Members of ``malignancy`` are called ``malignancy.fold0`` and so on, after the fold of
        patients that they never saw.

        Raises
        ------
        WeightsError : ``NO_WEIGHTS`` where there is none.
        """
        paths = sorted(SHIPPED.glob(f"{name}.fold*.safetensors"))
        return tuple(cls.open(path) for path in paths) or (cls.shipped(f"{name}.fold0"),)

    @classmethod
    def open(cls, path: Path) -> Weights:
        """Digest a file and read what it says of itself.

        Raises
        ------
        WeightsError : ``NO_WEIGHTS``, ``NOT_SAFETENSORS`` or ``FOREIGN_WEIGHTS``.
        """
        about = _read_header(path)
        if about.get("format") != _FORMAT:
            raise WeightsError(
                f"{path.name} was not written by nodule train",
                code="FOREIGN_WEIGHTS",
                expected=_FORMAT,
                got=about.get("format"),
            )
        return cls(
            sha256=file_sha256(path),
            path=path,
            stage=about["stage"],
            architecture=about["architecture"],
            training_patients=tuple(about["training_patients"]),
        )

    def check_stage(self, stage: str) -> None:
        """Compare with the stage that is to use them.

        Raises
        ------
        WeightsError : ``WRONG_STAGE``.
        """
        if self.stage != stage:
            raise WeightsError(
                f"{self.path.name} belongs to another stage",
                code="WRONG_STAGE",
                expected=stage,
                got=self.stage,
            )


def file_sha256(path: Path) -> str:
    """Return the hexadecimal digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_state(weights: Weights) -> dict[str, Tensor]:
    """Read the tensors, after checking that the file is still the one that was opened.

    Raises
    ------
    WeightsError : ``WEIGHTS_CHANGED`` when the digest differs.
    """
    from safetensors.torch import load

    content = weights.path.read_bytes()
    got = hashlib.sha256(content).hexdigest()
    if got != weights.sha256:
        raise WeightsError(
            f"{weights.path.name} changed since it was opened",
            code="WEIGHTS_CHANGED",
            expected=weights.sha256,
            got=got,
        )
    return current_names(load(content))


def current_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors by the names that networks have now.

    Files that were written before 0.2.0 call the backbone ``trunk``. The files stay as they are,
    for calibrations and caches know them by their digests.
    """
    return {_OLD_BACKBONE.sub("backbone.", name): tensor for name, tensor in state.items()}


def save_state(
    path: Path,
    state: Mapping[str, Tensor],
    *,
    stage: str,
    architecture: Mapping[str, object],
    training_patients: tuple[str, ...],
) -> None:
    """Write tensors with what :meth:`Weights.open` needs to know, atomically."""
    from safetensors.torch import save

    about = {
        "format": _FORMAT,
        "stage": stage,
        "architecture": dict(architecture),
        "training_patients": sorted(training_patients),
    }
    # one entry only: safetensors writes several in random order, and equal weights need equal bytes
    header = {"nodule": json.dumps(about, sort_keys=True)}
    write_whole(path, save({k: v.detach().cpu().contiguous() for k, v in state.items()}, header))


def _read_header(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(
            f"there are no weights called {path.name}",
            code="NO_WEIGHTS",
            hint="Train them with nodule train",
        )
    try:
        with safe_open(path, framework="numpy") as tensors:
            metadata = tensors.metadata() or {}
    except SafetensorError as error:
        raise WeightsError(
            f"{path.name} is not a safetensors file", code="NOT_SAFETENSORS", got=str(error)
        ) from error
    about: dict[str, Any] = json.loads(metadata.get("nodule", "{}"))
    return about
