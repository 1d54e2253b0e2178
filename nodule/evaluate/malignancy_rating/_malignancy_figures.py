"""The figures of the malignancy networks, as JSON holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nodule.evaluate._confusion import ClassificationReport, ConfusionMatrix
from nodule.evaluate._evaluation_result import EvaluationScope
from nodule.evaluate.malignancy_rating._agreement_figures import (
    ContextShift,
    CoreAgreement,
    ReaderAgreement,
    SurroundingsFigures,
)
from nodule.evaluate.malignancy_rating._characteristic_figures import CharacteristicAgreement
from nodule.evaluate.malignancy_rating._rating_baselines import BaselineComparison
from nodule.evaluate.malignancy_rating._rating_scale import ClassCounts
from nodule.evaluate.malignancy_rating._reader_ceiling import ReaderCeiling, ScaleEnds, SizeMatched


@dataclass(frozen=True, kw_only=True)
class MalignancyGroup:
    """A group of nodules; a group too small for figures is only counted.

    Parameters
    ----------
    counts : the nodules.
    agreement : the main figures, None for fewer than ten nodules.
    """

    counts: ClassCounts
    agreement: CoreAgreement | None


@dataclass(frozen=True, kw_only=True)
class MalignancyFigures:
    """All figures of an evaluation of the malignancy networks.

    Parameters
    ----------
    scope : what was evaluated.
    rated_by, calibration : which members assessed a nodule, and where its calibration comes from.
    counts : the nodules.
    thresholds : suspicion from which a nodule is called malignant, by calibration.
    agreement : networks against readers.
    baselines : the networks against plain models, by name.
    context : nodules in cubes against stacks; None where none is shown in both.
    surroundings : nodules against their surroundings.
    confusion : rounded ratings; rows are the readers'.
    classification : precision, recall and F1 of the rounded ratings.
    ceiling : what the readers' own noise allows; None where no nodule has four ratings.
    size_matched : pairs of one size.
    ends : how far the ratings span the scale, and whether the networks abstain in disputes.
    characteristics : the eight other characteristics, by name.
    by_size, by_texture, by_source : the main figures by group.
    """

    scope: EvaluationScope
    rated_by: str
    calibration: str
    counts: ClassCounts
    thresholds: tuple[float, ...]
    agreement: ReaderAgreement
    baselines: Mapping[str, BaselineComparison]
    context: ContextShift | None
    surroundings: SurroundingsFigures
    confusion: ConfusionMatrix
    classification: ClassificationReport
    ceiling: ReaderCeiling | None
    size_matched: SizeMatched
    ends: ScaleEnds
    characteristics: Mapping[str, CharacteristicAgreement]
    by_size: Mapping[str, MalignancyGroup]
    by_texture: Mapping[str, MalignancyGroup]
    by_source: Mapping[str, MalignancyGroup]
