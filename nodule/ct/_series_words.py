"""What people write into a series' description, where no attribute says it.

Such words never refuse a series; they tell which of several to read, and what to warn of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nodule.ct._kernels import Sharpness

_NO_SCAN = (
    *("LOCALI[SZ]ERS?", "SCOUT", "TOPO(GRAM)?", "SURVIEW", "SCANO(GRAM)?"),
    *("SMART ?PREP", "(PRE ?)?MONITORING", "(TEST|TIMING) ?BOLUS", "BOLUS ?(TRACK\\w*|TIMING)"),
    *("SECONDARY", "SCREEN ?SAVES?", "DOSE ?(REPORT|INFO)", "PATIENT PROTOCOL", "VRT", "SSD"),
    *("MIPS?", "M[AI][XN] ?IP", "SLAB", "FUSED", "FUSION", "SUBTRACTION", "PERFUSION"),
    *("IODINE", "VNC", "VMI", "MONO ?E? ?\\d+ ?(KEV)?", "\\d+ ?KEV", "Z ?EFF"),
)
_REFORMATTED = ("MPV?R", "REFORMAT(TED|S)?", "REFMT", "CURVED")
_SHARP = ("BONE", "SHARP", "EDGE", "HRCT", "HI ?RES", "HIGH RES(OLUTION)?", "LUNGS?")
# what is looked for in the lungs, and not how they were reconstructed
_NO_KERNEL = "(?! ?(SCREEN\\w*|CA(NCER)?|NODULES?|LOW DOSE|LD)\\b)"
_STANDARD = ("STANDARD", "STD", "SOFT( TISSUE)?", "SMOOTH", "MEDIAST\\w*")


def word_of_no_scan(description: str | None) -> str | None:
    """Return the word by which a description calls a series a localizer, a projection or a map."""
    return _first(_NO_SCAN, description)


def word_of_reformat(description: str | None) -> str | None:
    """Return the word by which a description says that a series was made from another."""
    return _first(_REFORMATTED, description)


def described_sharpness(description: str | None) -> Sharpness:
    """Return what a description says of the kernel."""
    if _first([word + _NO_KERNEL for word in _SHARP], description):
        return "sharp"
    return "standard" if _first(_STANDARD, description) else "unknown"


def _first(words: Sequence[str], description: str | None) -> str | None:
    plain = re.sub(r"[^A-Z0-9]+", " ", (description or "").upper())
    found = re.search(rf"\b({'|'.join(words)})\b", plain)
    return found and found[0]
