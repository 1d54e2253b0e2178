"""Whole scans as training meets them: whose they are, where their readings lie."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from nodule.errors import ConfigError

READINGS = "annotations.xml"
"""Name of the readers' XML inside a scan's folder; without it, nothing is known to be marked."""


def patient_of(path: Path) -> str:
    """Return a scan's patient: the name of its folder or file, which is how LIDC-IDRI is laid."""
    return path.name.split(".")[0]


def refuse_held_out(scans: Iterable[Path], held_out: Collection[str]) -> None:
    """Let no scan of a patient into training that training must not see.

    Parameters
    ----------
    scans : folders or files, each named after its patient.
    held_out : patients.

    Raises
    ------
    ConfigError : ``HELD_OUT_SCAN``.
    """
    for patient in sorted({patient_of(path) for path in scans} & set(held_out)):
        raise ConfigError(
            "a scan for training belongs to a held-out patient",
            code="HELD_OUT_SCAN",
            got=patient,
            hint="Take it out of the scans, or no longer hold out its patient or fold",
        )
