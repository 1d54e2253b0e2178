"""How well segmented masks agree with the readers' outlines of a crop set.

Differences of volumes are relative to the mean of both (Bland and Altman 1986), with bias and 95 %
limits of agreement. The readers' texture is that of their mean rating
(:func:`nodule.lidc.texture_class`); a calcified nodule counts as solid. Loads scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nodule.errors import InputError
from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstrap
from nodule.evaluate._confusion import ConfusionMatrix, kappas
from nodule.evaluate._estimate import Estimate, LimitsOfAgreement
from nodule.evaluate._evaluation_result import EvaluationResult, EvaluationScope, write_csv
from nodule.evaluate.nodule_measurement._outline_scores import MaskScore, read_nodules, score_masks
from nodule.masks import Texture
from nodule.training import CropSet, NoduleRecord

TEXTURES: tuple[Texture, ...] = ("ground-glass", "part-solid", "solid")
SIZES_MM = (
    ("below 6", 0.0, 6.0),
    ("6 to 8", 6.0, 8.0),
    ("8 to 12", 8.0, 12.0),
    ("from 12", 12.0, 99.0),
)
_COLUMNS = (
    *("patient_id", "nodule", "dice", "volume_mm3", "reference_mm3"),
    *("lower_mm3", "upper_mm3", "texture", "rated_texture"),
)


@dataclass(frozen=True, kw_only=True)
class MaskGroup:
    """Some nodules' masks, and their readers' beside them.

    Parameters
    ----------
    n, n_not_grown : nodules, and those of them where no mask could be segmented.
    dice, reader_dice : medians; the first counts a nodule without mask as 0.
    volume_error, diameter_error_mm : of the masks against the consensus; of the volume relative to
        the mean of both.
    reader_volume_error, reader_diameter_error_mm : of each reader against the others' consensus.
    """

    n: int
    n_not_grown: int
    dice: Estimate | None
    reader_dice: Estimate | None
    volume_error: LimitsOfAgreement | None
    reader_volume_error: LimitsOfAgreement | None
    diameter_error_mm: LimitsOfAgreement | None
    reader_diameter_error_mm: LimitsOfAgreement | None


@dataclass(frozen=True, kw_only=True)
class TextureAgreement:
    """Measured textures against the readers'.

    Parameters
    ----------
    matrix : rows are the readers' textures, columns the measured ones.
    kappa, quadratic_kappa : Cohen's, plain and with quadratic weights; None for one class alone.
    """

    matrix: ConfusionMatrix
    kappa: float | None
    quadratic_kappa: float | None


@dataclass(frozen=True, kw_only=True)
class MaskFigures:
    """All figures of an evaluation of masks.

    Parameters
    ----------
    scope : what was evaluated.
    overall : all nodules; the interval of ``dice`` is over patients.
    volume_limits_held : how often the limits stated with a volume hold that of the consensus.
    texture : agreement on textures.
    by_size : by effective diameter of the consensus, mm.
    by_texture : by the readers' texture.
    """

    scope: EvaluationScope
    overall: MaskGroup
    volume_limits_held: Estimate | None
    texture: TextureAgreement
    by_size: Mapping[str, MaskGroup]
    by_texture: Mapping[str, MaskGroup]


def evaluate_masks(
    crops: CropSet,
    *,
    keep: Callable[[NoduleRecord], bool] = lambda _: True,
    bootstrap: BootstrapSettings,
) -> EvaluationResult[MaskFigures]:
    """Segment the nodules of a crop set and compare them with their readers.

    Parameters
    ----------
    keep : which records are evaluated.
    bootstrap : draws of the patients.

    Raises
    ------
    InputError : ``NO_NODULES``, and as the crop set.
    """
    scores = tuple(score_masks(read_nodules(crops, keep=keep)))
    if not scores:
        raise InputError(
            "no nodule is left to evaluate",
            code="NO_NODULES",
            expected="stacks that three readers outlined",
            hint="Choose other folds with --fold",
        )

    def tabulate(path: Path) -> None:
        write_csv(path, _COLUMNS, map(_row, scores))

    return EvaluationResult(
        figures=mask_figures(scores, bootstrap=bootstrap), files={"nodules.csv": tabulate}
    )


def mask_figures(scores: Sequence[MaskScore], *, bootstrap: BootstrapSettings) -> MaskFigures:
    """Sum up scores, one per nodule and at least one.

    Raises
    ------
    InputError : ``NO_CASES``.
    """
    dice = np.array([score.software.dice for score in scores])
    patients = [score.patient_id for score in scores]
    median = patient_bootstrap(
        lambda index: float(np.median(dice[index])), patients, bootstrap=bootstrap
    )
    return MaskFigures(
        scope=EvaluationScope(
            evaluation="measure", patients=len(set(patients)), bootstrap=bootstrap
        ),
        overall=replace(_group(scores), dice=median),
        volume_limits_held=_limits_held(scores),
        texture=_texture_agreement(scores),
        by_size={
            name: _group([s for s in scores if low <= s.reference_mm < high])
            for name, low, high in SIZES_MM
        },
        by_texture={
            texture: _group([s for s in scores if s.rated == texture]) for texture in TEXTURES
        },
    )


def _group(scores: Sequence[MaskScore]) -> MaskGroup:
    grown = [score.software for score in scores if score.grown]
    readers = [pair for score in scores for pair in score.readers]
    return MaskGroup(
        n=len(scores),
        n_not_grown=len(scores) - len(grown),
        dice=_median([score.software.dice for score in scores]),
        reader_dice=_median([pair.dice for pair in readers]),
        volume_error=LimitsOfAgreement.of([pair.volume_error for pair in grown]),
        reader_volume_error=LimitsOfAgreement.of([pair.volume_error for pair in readers]),
        diameter_error_mm=LimitsOfAgreement.of([pair.diameter_error_mm for pair in grown]),
        reader_diameter_error_mm=LimitsOfAgreement.of([pair.diameter_error_mm for pair in readers]),
    )


def _median(values: Sequence[float]) -> Estimate | None:
    return Estimate(value=float(np.median(values)), n=len(values)) if values else None


def _limits_held(scores: Sequence[MaskScore]) -> Estimate | None:
    stated = [(s.limits_mm3, s.software.reference_mm3) for s in scores if s.limits_mm3 is not None]
    held = sum(low <= reference <= high for (low, high), reference in stated)
    return Estimate.share(held, len(stated)) if stated else None


def _texture_agreement(scores: Sequence[MaskScore]) -> TextureAgreement:
    both = [(s.rated, s.texture) for s in scores if s.rated is not None and s.texture is not None]
    rated, measured = [pair[0] for pair in both], [pair[1] for pair in both]
    plain, quadratic = kappas(rated, measured, labels=TEXTURES) or (None, None)
    return TextureAgreement(
        matrix=ConfusionMatrix.of(rated, measured, labels=TEXTURES),
        kappa=plain,
        quadratic_kappa=quadratic,
    )


def _row(score: MaskScore) -> tuple[object, ...]:
    limits = score.limits_mm3 or ()
    return (
        *(score.patient_id, score.nodule, f"{score.software.dice:.4f}"),
        *(f"{score.software.volume_mm3:.2f}", f"{score.software.reference_mm3:.2f}"),
        *([f"{limit:.2f}" for limit in limits] or ("", "")),
        *(score.texture or "", score.rated or ""),
    )
