"""Who sent what, and what became of it: one JSON object a line, and nobody's name."""

from __future__ import annotations

import json
import threading
import time
from logging import Formatter, Logger, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from pipelines.serve._inbox import named

_MAX_BYTES = 10 << 20
_KEPT_FILES = 10


class Audit:
    """Writes ``audit.jsonl``; a study is named by the digest that its folder has.

    Parameters
    ----------
    folder : of the node.
    """

    def __init__(self, folder: Path) -> None:
        self._handler = RotatingFileHandler(
            folder / "audit.jsonl", maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8"
        )
        self._handler.setFormatter(Formatter("%(message)s"))
        self._logger = Logger("nodule.audit")
        self._logger.addHandler(self._handler)
        self._lock = threading.Lock()
        self.refused_images = 0
        self.kept_images = 0
        self.refused_associations = 0

    def image(self, *, caller: str, study_uid: str | None, status: int) -> None:
        """Record an image that came, with the status that its sender was told."""
        with self._lock:
            if status:
                self.refused_images += 1
            else:
                self.kept_images += 1
        self._write(
            "image",
            caller=caller,
            study=None if study_uid is None else named(study_uid),
            status=f"0x{status:04X}",
        )

    def association_refused(self, *, caller: str) -> None:
        """Record a caller that may not call, or calls somebody else."""
        with self._lock:
            self.refused_associations += 1
        self._write("refused", caller=caller)

    def study(self, event: str, *, study: str, **facts: Any) -> None:
        """Record what became of a study."""
        self._write(event, study=study, **facts)

    def close(self) -> None:
        """Close the file."""
        self._handler.close()

    def _write(self, event: str, **facts: Any) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"at": at, "event": event, **facts})
        self._logger.handle(LogRecord("nodule.audit", 20, "", 0, line, None, None))
