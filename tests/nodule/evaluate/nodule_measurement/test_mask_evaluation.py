"""Agreement of masks with readers, by hand."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from nodule.evaluate.nodule_measurement.mask_evaluation import (
    MaskScore,
    OutlinePair,
    ReadNodule,
    mask_figures,
    score_masks,
)
from nodule.geometry import Geometry
from nodule.masks import Texture
from nodule.training.nodule_record import NoduleRecord
from nodule.volume import Volume


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


def test_volumes_differ_relative_to_the_mean_of_both() -> None:
    pair = OutlinePair(dice=0.5, volume_mm3=150.0, reference_mm3=50.0)
    assert pair.volume_error == pytest.approx(1.0)
    eightfold = OutlinePair(dice=0.1, volume_mm3=_sphere_mm3(8.0), reference_mm3=_sphere_mm3(4.0))
    assert eightfold.diameter_error_mm == pytest.approx(4.0)


def test_bias_and_limits_are_those_of_bland_and_altman() -> None:
    # errors of -2/3 and 2/3: bias 0, standard deviation 2/3 sqrt(2)
    figures = mask_figures([_score("a", factor=0.5), _score("b", factor=2.0)], draws=10)
    agreement = figures["volume_error"]
    assert agreement["bias"] == pytest.approx(0.0)
    assert agreement["upper"] == pytest.approx(1.96 * math.sqrt(2) * 2 / 3)
    assert agreement["lower"] == pytest.approx(-agreement["upper"])
    assert figures["reader_dice"] == pytest.approx(0.8)


def test_counts_by_size_and_texture_and_what_did_not_grow() -> None:
    scores = [
        _score("a", diameter_mm=5.9),
        _score("b", diameter_mm=6.1, texture="part-solid", rated="part-solid"),
        _score("c", diameter_mm=20.0, dice=0.0, factor=0.0, texture=None),
    ]
    figures = mask_figures(scores, draws=10)
    assert {name: group["n"] for name, group in figures["by_size"].items()} == {
        "below 6": 1,
        "6 to 8": 1,
        "8 to 12": 0,
        "from 12": 1,
    }
    assert figures["by_texture"]["part-solid"]["n"] == 1
    assert (figures["n"], figures["n_not_grown"], figures["n_patients"]) == (3, 1, 3)
    assert figures["volume_limits"] == {"n": 2, "held": 1.0}
    assert json.loads(json.dumps(figures)) == figures


def test_says_how_often_limits_hold() -> None:
    scores = [_score("a", factor=1.9), _score("b", factor=2.1), _score("c"), _score("d")]
    assert mask_figures(scores, draws=10)["volume_limits"] == {"n": 4, "held": 0.75}


def test_textures_agree_beyond_chance_by_cohens_kappa() -> None:
    # 2 x 2: 3 and 3 agree, 1 and 1 do not: po 0.75, pe 0.5, kappa 0.5
    pairs: list[tuple[Texture, Texture]] = [("solid", "solid")] * 3
    pairs += [("ground-glass", "ground-glass")] * 3
    pairs += [("solid", "ground-glass"), ("ground-glass", "solid")]
    scores = [_score(str(n), rated=r, texture=t) for n, (r, t) in enumerate(pairs)]
    agreement = mask_figures(scores, draws=10)["texture"]
    assert agreement["kappa"] == pytest.approx(0.5)
    assert agreement["order"] == ["ground-glass", "part-solid", "solid"]
    assert agreement["matrix_rated_by_measured"] == [[3, 0, 1], [0, 0, 0], [1, 0, 3]]


def test_grows_a_nodule_from_aside_and_holds_readers_against_each_other() -> None:
    geometry = Geometry(shape_zyx=(40, 50, 50), spacing_zyx_mm=(1.0, 0.8, 0.8))
    index = np.moveaxis(np.indices(geometry.shape_zyx), 0, -1)
    center = geometry.index_to_lps((20, 25, 25))
    away_mm = np.linalg.norm(geometry.index_to_lps(index) - center, axis=-1)
    hu = np.where(away_mm <= 5.0, 40.0, -860.0).astype(np.float32)
    readers = np.stack([away_mm <= radius for radius in (5.0, 5.0, 6.0)])
    record = NoduleRecord(
        kind="stack",
        file="stacks/a.npz",
        patient_id="a",
        fold=0,
        center_lps_mm=None,
        spacing_zyx_mm=geometry.spacing_zyx_mm,
        origin_lps_mm=None,
        diameter_mm=10.0,
        n_readers=3,
        readers=(0, 1, 2),
        ratings={"texture": (5, 5, 3)},
        voi_file=None,
    )
    nodule = ReadNodule(
        record=record, volume=Volume(array_zyx=hu, geometry=geometry), readers=readers
    )
    (score,) = score_masks(iter([nodule]))
    assert score.software.dice > 0.95
    assert score.texture == score.rated == "solid"
    # balls of 5, 5 and 6 mm: the third against half of the others, or the first against half of a
    # smaller and a larger one, is always 5 against 6
    small, large = readers[0].sum(), readers[2].sum()
    for pair in score.readers:
        assert pair.dice == pytest.approx(2 * small / (small + large))
