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
from nodule.input_files import parse_json
from nodule.weights._shipped_digests import SHIPPED_SHA256
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
        """Open the weights that the package brings, by name, such as ``lungs``.

        Raises
        ------
        WeightsError : ``WEIGHTS_CHANGED`` where they are not those of this version; as
            :meth:`open`.
        """
        weights = cls.open(SHIPPED / f"{name}.safetensors")
        if name in SHIPPED_SHA256 and weights.sha256 != SHIPPED_SHA256[name]:
            raise _changed(weights.path, expected=SHIPPED_SHA256[name], got=weights.sha256)
        return weights

    @classmethod
    def shipped_members(cls, name: str) -> tuple[Weights, ...]:
        """Open every member of an ensemble that the package brings, by their common name.

        Members of ``malignancy`` are called ``malignancy.fold0`` and so on, after the fold of
        patients that they never saw; those called ``malignancy.fold0.wide`` tell nodules from the
        rest.

        Raises
        ------
        WeightsError : ``NO_WEIGHTS`` where there is none.
        """
        paths = sorted(SHIPPED.glob(f"{name}.fold*.safetensors"))
        return tuple(cls.shipped(path.stem) for path in paths) or (cls.shipped(f"{name}.fold0"),)

    @classmethod
    def open(cls, path: Path) -> Weights:
        """Digest a file and read what it says of itself.

        Raises
        ------
        WeightsError : ``NO_WEIGHTS``, ``NOT_SAFETENSORS``, ``FOREIGN_WEIGHTS`` or
            ``DAMAGED_WEIGHTS`` where the header does not say what it must.
        """
        about = _read_header(path)
        if about.get("format") != _FORMAT:
            raise WeightsError(
                f"{path.name} was not written by nodule train",
                code="FOREIGN_WEIGHTS",
                expected=_FORMAT,
                got=about.get("format"),
            )
        _check_header(path, about)
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
        raise _changed(weights.path, expected=weights.sha256, got=got)
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
    try:
        about = parse_json(metadata.get("nodule", "{}"))
    except ValueError as error:
        raise _damaged(path, expected="JSON", got=type(error).__name__) from None
    if not isinstance(about, dict):
        raise _damaged(path, expected="a JSON object", got=type(about).__name__)
    return about


def _check_header(path: Path, about: Mapping[str, Any]) -> None:
    for name, kind in (("stage", str), ("architecture", dict), ("training_patients", list)):
        if not isinstance(about.get(name), kind):
            raise _damaged(path, expected=f"{name} as {kind.__name__}", got=type(about.get(name)))
    if not all(isinstance(patient, str) for patient in about["training_patients"]):
        raise _damaged(path, expected="training_patients as a list of names", got="others")


def _damaged(path: Path, *, expected: str, got: object) -> WeightsError:
    return WeightsError(
        f"the header of {path.name} does not say what the weights are",
        code="DAMAGED_WEIGHTS",
        expected=expected,
        got=got.__name__ if isinstance(got, type) else got,
        hint="Copy the file again, or train it again with nodule train",
    )


def _changed(path: Path, *, expected: str, got: str) -> WeightsError:
    return WeightsError(
        f"{path.name} is not the file that it was",
        code="WEIGHTS_CHANGED",
        expected=expected,
        got=got,
        hint="Install the package again, or copy the file again",
    )
