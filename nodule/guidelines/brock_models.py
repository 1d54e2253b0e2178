"""Coefficients of the Brock (PanCan) models, McWilliams 2013, table 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BrockName = Literal["2b", "2b four digits", "2a", "1b", "1a"]
AT_4_MM = 1.58113883  # (4 / 10)^-0.5 as the paper prints it


@dataclass(frozen=True, kw_only=True)
class BrockModel:
    """Log odds of one published model; an absent variable has no weight.

    Parameters
    ----------
    title : what the paper calls it.
    constant : log odds at 62 years, 4 mm, four nodules, everything else absent.
    size : weight of ``(d / 10)^-0.5 - 1.58113883``, d in mm.
    age_years : weight of a year over 62.
    nodule_count : weight of a nodule over four.
    """

    title: str
    constant: float
    size: float
    female: float
    upper_lobe: float
    age_years: float = 0.0
    family_history: float = 0.0
    emphysema: float = 0.0
    ground_glass: float = 0.0
    part_solid: float = 0.0
    nodule_count: float = 0.0
    spiculation: float = 0.0

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the facts that the model reads."""
        optional = ("age_years", "family_history", "emphysema", "nodule_count", "spiculation")
        names = [name for name in optional if getattr(self, name)]
        if self.ground_glass:
            names.append("composition")
        return ("diameter_mm", "female", "upper_lobe", *names)


BROCK_MODELS: Mapping[BrockName, BrockModel] = {
    "2b": BrockModel(
        title="full model with spiculation",
        constant=-6.78917,
        age_years=0.0286687,
        female=0.6010727,
        family_history=0.296109,
        emphysema=0.2953112,
        size=-5.385484,
        ground_glass=-0.1276173,
        part_solid=0.3769578,
        upper_lobe=0.6581383,
        nodule_count=-0.0824156,
        spiculation=0.7729335,
    ),
    "2b four digits": BrockModel(
        title="full model with spiculation, four digits",
        constant=-6.7892,
        age_years=0.0287,
        female=0.6011,
        family_history=0.2961,
        emphysema=0.2953,
        size=-5.3854,
        ground_glass=-0.1276,
        part_solid=0.3770,
        upper_lobe=0.6581,
        nodule_count=-0.0824,
        spiculation=0.7729,
    ),
    "2a": BrockModel(
        title="full model without spiculation",
        constant=-6.8071,
        age_years=0.0321,
        female=0.5635,
        family_history=0.3013,
        emphysema=0.3462,
        size=-5.6693,
        ground_glass=-0.3005,
        part_solid=0.3395,
        upper_lobe=0.7116,
        nodule_count=-0.0803,
    ),
    "1b": BrockModel(
        title="parsimonious model with spiculation",
        constant=-6.6144,
        female=0.6467,
        size=-5.5537,
        upper_lobe=0.6009,
        spiculation=0.9309,
    ),
    "1a": BrockModel(
        title="parsimonious model without spiculation",
        constant=-6.5929,
        female=0.5806,
        size=-5.8616,
        upper_lobe=0.6439,
    ),
}
