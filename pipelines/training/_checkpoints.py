"""Checkpoints of a training run that are whole, known by digest, and never half-written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.fabric.plugins.io import TorchCheckpointIO

from nodule.errors import CacheCorruptError
from nodule.weights import file_sha256
from nodule.whole_files import write_whole


class DigestedCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint and its SHA-256 atomically, and loads no other bytes than those.

    Loading is limited to plain tensors and containers, so that a checkpoint cannot run code.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Write ``path``, then ``path`` + ``.sha256``, each by renaming a finished file."""
        target = Path(path)
        partial = target.with_name(f"{target.name}.partial")
        super().save_checkpoint(checkpoint, partial, storage_options)
        digest = file_sha256(partial)
        side = _digest_path(target)
        # until the rename is done either file may be the whole one, so both digests hold
        _write_digests(side, [*_read_digests(side), digest])
        partial.replace(target)
        _write_digests(side, [digest])

    def load_checkpoint(
        self, path: Any, map_location: Any = "cpu", weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Check the digest, then load.

        Raises
        ------
        CacheCorruptError : ``CHECKPOINT_CORRUPT``.
        """
        target = Path(path)
        expected = _read_digests(_digest_path(target))
        got = file_sha256(target)
        if got not in expected:
            raise CacheCorruptError(
                f"the checkpoint {target.name} is not the one that was saved",
                code="CHECKPOINT_CORRUPT",
                expected=" or ".join(expected) or "a digest beside it",
                got=got,
                hint="Put best.ckpt and its digest in its place, or delete it to begin again",
            )
        checkpoint: dict[str, Any] = super().load_checkpoint(target, map_location, True)
        return checkpoint

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a checkpoint and its digest."""
        super().remove_checkpoint(path)
        _digest_path(Path(path)).unlink(missing_ok=True)


def _digest_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _read_digests(side: Path) -> list[str]:
    return side.read_text().split() if side.is_file() else []


def _write_digests(side: Path, digests: list[str]) -> None:
    write_whole(side, "\n".join(digests).encode())
