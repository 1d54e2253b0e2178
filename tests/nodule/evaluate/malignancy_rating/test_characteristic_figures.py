"""Characteristics are compared by rating, those without order by what most readers say."""

from dataclasses import replace

import numpy as np
import pytest
from predictions import FOUR

from nodule.evaluate import BootstrapSettings
from nodule.evaluate.malignancy_rating._characteristic_figures import characteristic_agreement
from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction

DRAWS = BootstrapSettings(draws=20)


def rated(name: str, votes: list[tuple[int, ...]], said: list[int]) -> list[NodulePrediction]:
    return [
        replace(
            each,
            votes={**each.votes, name: of_readers},
            characteristics={name: np.eye(len(of_readers), dtype=np.float32)[level - 1]},
        )
        for each, of_readers, level in zip(FOUR, votes, said, strict=False)
    ]


def test_an_ordered_scale_weighs_misses_by_their_square() -> None:
    votes = [(2, 0, 0, 0, 0), (0, 2, 0, 0, 0), (0, 0, 0, 0, 2), (0, 0, 0, 0, 2)]
    found = characteristic_agreement(rated("spiculation", votes, [1, 1, 5, 5]), bootstrap=DRAWS)
    (agreement,) = found.values()
    # readers 1 2 5 5, networks 1 1 5 5: one miss by one in four; by chance the squares of the 16
    # pairs sum to 0 0 16 16, 1 1 9 9, 16 16 0 0, 16 16 0 0
    assert agreement.kappa.value == pytest.approx(1 - (1 / 4) / (116 / 16))
    assert agreement.exact.value == 0.75
    assert agreement.reader_kappa.value == agreement.reader_exact.value == 1.0


def test_calcium_is_what_most_readers_say() -> None:
    votes = [(0, 0, 2, 0, 0, 1), (0, 0, 0, 0, 0, 3), (0, 0, 0, 0, 0, 3), (0, 0, 3, 0, 0, 0)]
    found = characteristic_agreement(rated("calcification", votes, [3, 6, 6, 6]), bootstrap=DRAWS)
    agreement = found["calcification"]
    assert agreement.exact.value == 0.75
    # readers 3 6 6 3, networks 3 6 6 6: a half differs by chance
    assert agreement.kappa.value == pytest.approx(1 - 0.25 / 0.5)
    # of the first nodule's readers, 3 against (3, 6) agrees twice, as the lower one of a tie, and
    # 6 against (3, 3) does not
    assert agreement.reader_exact.value == pytest.approx(11 / 12)


def test_what_nobody_rated_is_left_out() -> None:
    assert characteristic_agreement(FOUR, bootstrap=DRAWS) == {}
