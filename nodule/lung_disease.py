"""How much of the lungs is diseased beyond nodules: ground glass, consolidation, and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from nodule.errors import InputError
from nodule.nodules import Lung
from nodule.printed import Digits

Millilitres = Annotated[float, Ge(0), Digits(0)]

DIFFUSE_SHARE = 0.05
"""Of either lung; a choice. Of nine scans of lungs without such disease (six of LIDC-IDRI, and
CTMD-normal002, ACRIN-NSCLC-FDG-042, LCTSC-Test-S1-203) the largest share is 0.029."""
DIFFUSE_LEFT_OUT_ML = 25.0
"""Of either lung; a ball of 36 mm. The same scans give 2 ml or less."""


@dataclass(frozen=True, kw_only=True)
class DiseasedLung:
    """What one lung holds, besides nodules.

    Parameters
    ----------
    lung : the patient's own side.
    aerated_ml : the lung's mask without what is diseased in it.
    ground_glass_ml : of the mask: wide areas denser than lung, in which vessels could be seen.
    consolidation_ml : of the mask: wide areas as dense as soft tissue.
    left_out_ml : soft tissue between the ribs and the mask, where only lung or what displaces it
        can be: consolidation, fluid, thick pleura or a mass that the mask leaves out. At least so
        much: what lies before the spine, at the base or beside the heart is not counted.

    Raises
    ------
    InputError : ``BAD_EXTENT`` for a negative volume.
    """

    lung: Lung
    aerated_ml: Millilitres
    ground_glass_ml: Millilitres
    consolidation_ml: Millilitres
    left_out_ml: Millilitres

    def __post_init__(self) -> None:
        volumes = (self.aerated_ml, self.ground_glass_ml, self.consolidation_ml, self.left_out_ml)
        if min(volumes) < 0:
            raise InputError(
                "an extent is negative", code="BAD_EXTENT", expected="0 ml or more", got=volumes
            )

    @property
    def diseased_ml(self) -> float:
        """All that is diseased."""
        return self.ground_glass_ml + self.consolidation_ml + self.left_out_ml

    @property
    def share(self) -> float:
        """The share of the lung that is diseased, 0 to 1; 0 of no lung."""
        whole_ml = self.aerated_ml + self.diseased_ml
        return self.diseased_ml / whole_ml if whole_ml else 0.0

    @property
    def diffuse(self) -> bool:
        """Whether so much is diseased that rules for nodules do not apply."""
        return self.share >= DIFFUSE_SHARE or self.left_out_ml >= DIFFUSE_LEFT_OUT_ML


@dataclass(frozen=True, kw_only=True)
class LungDisease:
    """How much of both lungs is diseased beyond nodules, and which findings lie in it.

    Parameters
    ----------
    right, left : the lungs.
    inside : ids of the findings that lie in diseased lung.
    """

    right: DiseasedLung
    left: DiseasedLung
    inside: tuple[str, ...] = ()

    @property
    def diffuse(self) -> bool:
        """Whether so much of either lung is diseased that rules for nodules do not apply."""
        return self.right.diffuse or self.left.diffuse

    @property
    def in_words(self) -> str:
        """Say how much of which lung is what."""
        return "; ".join(_words(each) for each in (self.right, self.left))

    def holds(self, finding_id: str) -> bool:
        """Whether a finding lies in lung that is diffusely diseased."""
        return self.diffuse and finding_id in self.inside


def _words(lung: DiseasedLung) -> str:
    kinds = (
        (lung.ground_glass_ml, "ground-glass"),
        (lung.consolidation_ml, "consolidation"),
        (lung.left_out_ml, "soft tissue between ribs and lung"),
    )
    said = [f"{ml:.0f} ml {name}" for ml, name in kinds if round(ml)]
    parts = f" ({', '.join(said)})" if said else ""
    return f"{lung.lung} lung {100 * lung.share:.0f} %{parts}"
