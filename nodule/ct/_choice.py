"""Which of several usable series to read.

The rule, one step after the other until one series is left:

1. the one that covers most of the chest: coverage along z counts in steps of 50 mm up to 300 mm,
   which holds most lungs, so that a longer scan of the abdomen too is no better;
2. one that the scanner reconstructed before one that was derived from it;
3. thinner slices, compared to 0.1 mm;
4. a smooth or standard kernel before an unknown one, and that before a sharp one: measuring and
   the networks were made on standard kernels;
5. the lowest UID, so that the choice never depends on the order of files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STEP_MM = 50.0
_ENOUGH_STEPS = 6
_SMOOTH = ("STANDARD", "SOFT", "CHEST", "DETAIL", "BODY")
_SHARP = ("LUNG", "BONE", "EDGE", "SHARP", "ULTRA")
_SIEMENS = re.compile(r"[A-Z][A-Z]?(\d\d)")  # B31f, Br40d, I70f: the number grows with sharpness
_SIEMENS_SHARP = 50


@dataclass(frozen=True, kw_only=True)
class SeriesOffer:
    """What the rule looks at.

    Parameters
    ----------
    coverage_mm : extent along the slice normal.
    spacing_mm : distance of neighbouring slices.
    """

    uid: str
    coverage_mm: float
    spacing_mm: float
    kernel: str | None
    is_derived: bool


def best_of(offers: Sequence[SeriesOffer]) -> tuple[int, str]:
    """Return the index of the best offer, of at least one, and the reason in words."""
    index = min(range(len(offers)), key=lambda i: _rank(offers[i]))
    best = offers[index]
    what = f"{best.coverage_mm:.0f} mm in slices {best.spacing_mm:.2f} mm apart"
    if best.kernel:
        what += f", kernel {best.kernel}"
    if len(offers) == 1:
        return index, f"the only usable series: {what}"
    return index, f"the best of {len(offers)} usable series: {what}"


def _rank(offer: SeriesOffer) -> tuple[int, bool, float, int, str]:
    steps = min(int(offer.coverage_mm // _STEP_MM), _ENOUGH_STEPS)
    return -steps, offer.is_derived, round(offer.spacing_mm, 1), _sharpness(offer.kernel), offer.uid


def _sharpness(kernel: str | None) -> int:
    """Return 0 for a smooth or standard kernel, 1 for an unknown and 2 for a sharp one."""
    name = (kernel or "").upper()
    numbered = _SIEMENS.match(name)
    if any(word in name for word in _SHARP):
        return 2
    if any(word in name for word in _SMOOTH):
        return 0
    if numbered:
        return 2 if int(numbered[1]) >= _SIEMENS_SHARP else 0
    return 1
