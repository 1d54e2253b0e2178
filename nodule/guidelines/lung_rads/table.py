"""Lung-RADS as data: editions, size classes, management."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nodule.guidelines.facts import BenignFeature, Steps
from nodule.guidelines.result import RuleSet

Category = Literal["0", "1", "2", "3", "4A", "4B", "4X"]
Version = Literal["v2022", "v1.1"]
First = Literal["baseline", "new", "growing"]

SUSPICION: tuple[Category, ...] = ("1", "2", "3", "4A", "4B", "4X")

_SOLID_BASELINE = Steps(below_mm=(6, 8, 15), below_mm3=(113, 268, 1767))
_SOLID_NEW = Steps(below_mm=(4, 6, 8), below_mm3=(34, 113, 268))
_SOLID_GROWING = Steps(below_mm=(8,), below_mm3=(268,))
GROUND_GLASS = Steps(below_mm=(30,), below_mm3=(14137,))

SOLID: Mapping[First, tuple[Steps, tuple[Category, ...]]] = {
    "baseline": (_SOLID_BASELINE, ("2", "3", "4A", "4B")),
    "new": (_SOLID_NEW, ("2", "3", "4A", "4B")),
    "growing": (_SOLID_GROWING, ("4A", "4B")),
}
PART_SOLID_TOTAL = Steps(below_mm=(6,), below_mm3=(113,))
COMPONENT: Mapping[First, tuple[Steps, tuple[Category, ...]]] = {
    "baseline": (Steps(below_mm=(6, 8), below_mm3=(113, 268)), ("3", "4A", "4B")),
    "new": (Steps(below_mm=(4,), below_mm3=(34,)), ("4A", "4B")),
    "growing": (Steps(below_mm=(4,), below_mm3=(34,)), ("4A", "4B")),
}
JUXTAPLEURAL = Steps(below_mm=(10,), below_mm3=(524,))

_DIAGNOSTIC = (
    "Referral, diagnostic chest CT with or without contrast, PET/CT where the solid part reaches "
    "8 mm (268 mm³), or tissue sampling."
)
_MANAGEMENT: Mapping[Category, str] = {
    "0": "Obtain the prior scans, complete the images, or repeat low-dose CT in 1 to 3 months.",
    "1": "Low-dose CT 12 months after this exam.",
    "2": "Low-dose CT 12 months after this exam.",
    "3": "Low-dose CT 6 months after this exam.",
    "4A": (
        "Low-dose CT 3 months after this exam; PET/CT may be considered where the solid part "
        "reaches 8 mm (268 mm³)."
    ),
    "4B": _DIAGNOSTIC,
    "4X": _DIAGNOSTIC,
}
DUE_MONTHS: Mapping[Category, tuple[int, int]] = {
    "0": (1, 3),
    "1": (12, 12),
    "2": (12, 12),
    "3": (6, 6),
    "4A": (3, 3),
}
AIRWAY_4B = "Referral for clinical evaluation, such as bronchoscopy."


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What sets one edition of Lung-RADS apart.

    Parameters
    ----------
    rules : its name, version and citation.
    lymph_node_shape : where a nodule in the shape of a lymph node is benign below 10 mm.
    growth_window : growth is read within 12 months (v2022) or at any interval (v1.1).
    stepped : stable nodules of category 3 or 4A step down (v2022), or every nodule of category 3
        or 4 unchanged for 3 months goes to 2 (v1.1).
    cysts, subsegmental_airway : whether it speaks of them apart.
    management : what it recommends.
    """

    rules: RuleSet
    lymph_node_shape: frozenset[BenignFeature]
    growth_window: bool
    stepped: bool
    cysts: bool
    subsegmental_airway: bool
    management: Mapping[Category, str]


EDITIONS: Mapping[Version, Edition] = {
    "v2022": Edition(
        rules=RuleSet(
            name="Lung-RADS",
            version="v2022",
            citation="ACR Lung-RADS v2022; Christensen et al., Chest 2024;165:738-753",
        ),
        lymph_node_shape=frozenset({"perifissural", "juxtapleural"}),
        growth_window=True,
        stepped=True,
        cysts=True,
        subsegmental_airway=True,
        management=_MANAGEMENT,
    ),
    "v1.1": Edition(
        rules=RuleSet(name="Lung-RADS", version="v1.1", citation="ACR Lung-RADS version 1.1, 2019"),
        lymph_node_shape=frozenset({"perifissural"}),
        growth_window=False,
        stepped=False,
        cysts=False,
        subsegmental_airway=False,
        management={
            **_MANAGEMENT,
            "4B": f"{_DIAGNOSTIC} Low-dose CT after 1 month for a large new nodule.",
        },
    ),
}

BENIGN_TEXT: Mapping[BenignFeature, str] = {
    "calcification": "A benign pattern of calcification",
    "fat": "Fat within the nodule",
    "proven": "Proven benign",
    "perifissural": "Perifissural, solid, smooth, oval, lentiform or triangular, < 10 mm (524 mm³)",
    "juxtapleural": "Juxtapleural, solid, smooth, oval, lentiform or triangular, < 10 mm (524 mm³)",
}
