"""How sharp a reconstruction kernel is, by the names that makers give their kernels.

Networks and measurements were made on smooth and standard kernels; a sharp one adds noise and
overshoots at edges. Names are compared in capitals.
"""

from __future__ import annotations

import re
from typing import Literal

Sharpness = Literal["standard", "unknown", "sharp"]
"""Smooth kernels count as standard."""

SIEMENS_SHARP = 50  # B50f and Bl57d are for lungs and bone, B45f and Br49d are not
_SIEMENS = re.compile(r"[A-Z]{1,2}(\d\d)[A-Z]*([ \\].*)?")  # B30f, Br40d, Bl57d\3, I31f\2
_CANON = re.compile(r"F[CL](\d\d)(?!\d).*")
# by tens: 0 and 1 body, 2, 4 and 6 head, 3 bone and inner ear, 5 lung, 8 high resolution
_CANON_SHARP, _CANON_UNKNOWN = (3, 5, 8), (7, 9)
# Philips: one letter, or two with what it is for (head, heart); L and Y... are for lungs
_PHILIPS_SHARP = re.compile(r"(X?[CEU])?[DEFGLZ]|Y[A-Z]")
_PHILIPS_STANDARD = re.compile(r"(X?[CEU])?[ABC]")
# GE and all who write words; where both kinds occur, as in BODY SHARP, sharp counts
_SHARP = ("LUNG", "BONE", "EDGE", "SHARP", "ULTRA", "HIGHRES", "HRES", "HRCT", "Y-")
_STANDARD = (
    *("STANDARD", "STND", "STD", "SOFT", "SMOOTH", "CHEST", "DETAIL", "BODY", "ROUTINE"),
    *("MEDIUM", "ABDOMEN", "CARDIAC", "BRAIN", "HEAD", "MEDIASTIN"),
)


def sharpness_of(kernel: str | None) -> Sharpness:
    """Return how sharp a kernel is.

    Parameters
    ----------
    kernel : ConvolutionKernel; several values are joined by a backslash.
    """
    name = " ".join((kernel or "").upper().replace("_", " ").split())
    if canon := _CANON.fullmatch(name):
        tens = int(canon[1]) // 10
        return _of(sharp=tens in _CANON_SHARP, standard=tens not in _CANON_UNKNOWN)
    if siemens := _SIEMENS.fullmatch(name):
        return "sharp" if int(siemens[1]) >= SIEMENS_SHARP else "standard"
    return _of(
        sharp=bool(_PHILIPS_SHARP.fullmatch(name)) or any(word in name for word in _SHARP),
        standard=bool(_PHILIPS_STANDARD.fullmatch(name)) or any(word in name for word in _STANDARD),
    )


def _of(*, sharp: bool, standard: bool) -> Sharpness:
    if sharp:
        return "sharp"
    return "standard" if standard else "unknown"
