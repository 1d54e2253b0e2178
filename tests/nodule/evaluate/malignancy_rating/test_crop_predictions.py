"""Nodules are assessed in all their views, and with their surroundings in deep ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up_nodules import make_example, write_member

from nodule.evaluate.malignancy_rating._crop_predictions import (
    predict_nodules,
    predict_surroundings,
)
from nodule.malignancy import Ensemble


@pytest.fixture
def ensemble(tmp_path: Path) -> Ensemble:
    members = tuple(
        write_member(tmp_path, seed=seed, magnifications_mm=(1.0,)) for seed in range(2)
    )
    return Ensemble.load(members, engine="torch", precision="fp32")


def test_what_a_nodules_views_say_is_averaged(ensemble: Ensemble) -> None:
    thin, thick = make_example(slices=3), make_example(slices=7)
    as_cube = replace(thick.record, kind="crop51")
    second = replace(thick.views[0], packed=replace(thick.views[0].packed, record=as_cube))
    both = replace(thin, views=(thin.views[0], second))
    one, other, mean = predict_nodules(ensemble, [thin, thick, both])
    assert mean.distributions.shape == (2, 5)
    expected = (one.distributions + other.distributions) / 2
    np.testing.assert_allclose(mean.distributions, expected, atol=1e-5)
    assert mean.probability == pytest.approx((one.probability + other.probability) / 2, abs=1e-5)
    np.testing.assert_allclose(mean.by_kind["crop51"], other.distributions, atol=1e-5)
    assert mean.votes["malignancy"] == (0, 0, 1, 1, 1)


def test_progress_is_told_nodule_by_nodule(ensemble: Ensemble) -> None:
    told: list[float] = []
    predict_nodules(ensemble, [make_example(), make_example()], progress=told.append)
    assert told == [0.5, 1.0]


def test_a_thin_view_tells_nothing_of_surroundings(ensemble: Ensemble) -> None:
    seen = predict_surroundings(ensemble, [make_example(slices=5)])
    assert seen.patients == ()
    assert seen.is_nodule.shape == seen.probability.shape == (0,)


def test_three_other_places_stand_beside_each_nodule(ensemble: Ensemble) -> None:
    seen = predict_surroundings(ensemble, [make_example(slices=12)])
    assert seen.patients == ("MADE-UP",) * 4
    assert seen.is_nodule.tolist() == [True, False, False, False]
    assert ((seen.probability > 0) & (seen.probability < 1)).all()
