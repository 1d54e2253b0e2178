"""Agreement of masks with readers, by hand."""

import math
from dataclasses import replace

import pytest

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate._estimate import Estimate
from nodule.evaluate.nodule_measurement._mask_evaluation import mask_figures
from nodule.evaluate.nodule_measurement._outline_scores import MaskScore, OutlinePair
from nodule.masks import Texture

FEW = BootstrapSettings(draws=10)


def _sphere_mm3(diameter_mm: float) -> float:
    return math.pi / 6 * diameter_mm**3


def _score(
    patient: str,
    *,
    dice: float = 0.8,
    factor: float = 1.0,
    diameter_mm: float = 7.0,
    texture: Texture | None = "solid",
    rated: Texture | None = "solid",
) -> MaskScore:
    reference_mm3 = _sphere_mm3(diameter_mm)
    pair = OutlinePair(dice=dice, volume_mm3=factor * reference_mm3, reference_mm3=reference_mm3)
    limits = (0.5 * pair.volume_mm3, 2.0 * pair.volume_mm3) if factor else None
    return MaskScore(
        patient_id=patient,
        nodule=patient,
        software=pair,
        readers=(replace(pair, dice=0.7), replace(pair, dice=0.9)),
        limits_mm3=limits,
        texture=texture,
        rated=rated,
    )


def test_bias_and_limits_are_those_of_bland_and_altman() -> None:
    # errors of -2/3 and 2/3: bias 0, standard deviation 2/3 sqrt(2)
    figures = mask_figures([_score("a", factor=0.5), _score("b", factor=2.0)], bootstrap=FEW)
    agreement = figures.overall.volume_error
    assert agreement is not None
    assert agreement.bias == pytest.approx(0.0)
    assert agreement.high == pytest.approx(1.96 * math.sqrt(2) * 2 / 3)
    assert agreement.low == pytest.approx(-agreement.high)
    assert figures.overall.reader_dice is not None
    assert figures.overall.reader_dice.value == pytest.approx(0.8)


def test_counts_by_size_and_texture_and_what_did_not_grow() -> None:
    scores = [
        _score("a", diameter_mm=5.9),
        _score("b", diameter_mm=6.1, texture="part-solid", rated="part-solid"),
        _score("c", diameter_mm=20.0, dice=0.0, factor=0.0, texture=None),
    ]
    figures = mask_figures(scores, bootstrap=FEW)
    assert {name: group.n for name, group in figures.by_size.items()} == {
        "below 6": 1,
        "6 to 8": 1,
        "8 to 12": 0,
        "from 12": 1,
    }
    assert figures.by_texture["part-solid"].n == 1
    assert (figures.overall.n, figures.overall.n_not_grown, figures.scope.patients) == (3, 1, 3)
    assert figures.volume_limits_held == Estimate(value=1.0, n=2)


def test_says_how_often_limits_hold() -> None:
    scores = [_score("a", factor=1.9), _score("b", factor=2.1), _score("c"), _score("d")]
    assert mask_figures(scores, bootstrap=FEW).volume_limits_held == Estimate(value=0.75, n=4)


def test_textures_agree_beyond_chance_by_cohens_kappa() -> None:
    # 2 x 2: 3 and 3 agree, 1 and 1 do not: po 0.75, pe 0.5, kappa 0.5
    pairs: list[tuple[Texture, Texture]] = [("solid", "solid")] * 3
    pairs += [("ground-glass", "ground-glass")] * 3
    pairs += [("solid", "ground-glass"), ("ground-glass", "solid")]
    scores = [_score(str(n), rated=r, texture=t) for n, (r, t) in enumerate(pairs)]
    agreement = mask_figures(scores, bootstrap=FEW).texture
    assert agreement.kappa == pytest.approx(0.5)
    assert agreement.matrix.labels == ("ground-glass", "part-solid", "solid")
    assert agreement.matrix.counts == ((3, 0, 1), (0, 0, 0), (1, 0, 3))
