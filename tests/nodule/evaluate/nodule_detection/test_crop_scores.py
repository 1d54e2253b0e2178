"""Crops in patches, and shares of what is found, by arithmetic."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nodule.candidates import Peak
from nodule.errors import InputError
from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate.nodule_detection._crop_scores import (
    ScoredNodule,
    certain_records,
    hits_of,
    one_per_nodule,
    sensitivity,
)
from nodule.training import CropSet, NoduleRecord


def record(**changes: object) -> NoduleRecord:
    plain = {
        "kind": "stack",
        "file": "P1.npz",
        "key": "n0",
        "patient_id": "P1",
        "fold": 0,
        "center_lps_mm": None,
        "spacing_zyx_mm": (2.5, 0.7, 0.7),
        "origin_lps_mm": None,
        "diameter_mm": 8.0,
        "n_readers": 3,
        "readers": (0, 1, 2),
        "ratings": {},
        "voi_file": None,
    }
    return NoduleRecord(**(plain | changes))


def scored(score: float, **changes: object) -> ScoredNodule:
    return ScoredNodule(
        record=record(**changes), score=score, probability=score / 2, height_mm=12.5
    )


@pytest.mark.parametrize(
    ("diameter_mm", "size"),
    [(5.99, "<6"), (6.0, "6-<10"), (9.9, "6-<10"), (10.0, "10-<20"), (20.0, ">=20")],
)
def test_sizes_begin_at_their_lower_bound(diameter_mm, size):
    assert scored(0.5, diameter_mm=diameter_mm).size == size


@pytest.mark.parametrize(
    ("height_mm", "name"), [(2.5, "<10"), (10.0, "10-<20"), (19.9, "10-<20"), (51.0, ">=20")]
)
def test_heights_begin_at_their_lower_bound(height_mm, name):
    assert replace(scored(0.5), height_mm=height_mm).height == name


@pytest.mark.parametrize(
    ("ratings", "texture"),
    [
        ((1, 2, 2), "ground-glass"),
        ((2, 2, 3), "part-solid"),
        ((4, 4, 3), "part-solid"),
        ((5, 3, 4), "solid"),
        ((), "unrated"),
    ],
)
def test_texture_is_the_readers_mean(ratings, texture):
    assert scored(0.5, ratings={"texture": ratings}).texture == texture


def test_certain_nodules_are_3_mm_by_three_readers():
    crops = CropSet(
        folder=Path(),
        records=(
            record(),
            record(key="n1", n_readers=2),
            record(key="n2", diameter_mm=2.9),
            record(key="n3", fold=1),
            record(kind="voi", file="v", key="", n_readers=2, voi_file="v"),
            record(kind="stack", key="n4", voi_file="w", n_readers=4),
            # a cube has one reader's mask; its stack says how many there are
            record(kind="crop51", file="c", key="", n_readers=1, voi_file="w"),
            record(kind="crop51", file="d", key="", n_readers=1),
        ),
    )
    chosen = certain_records(crops, folds=(0,))
    assert [(each.kind, each.key) for each in chosen] == [
        ("stack", "n0"),
        ("stack", "n4"),
        ("crop51", ""),
    ]


def test_refuses_a_fold_without_certain_nodules():
    crops = CropSet(folder=Path(), records=(record(), record(key="n1", fold=1, n_readers=2)))
    with pytest.raises(InputError, match="NO_NODULES"):
        certain_records(crops, folds=(1,))


def test_nodules_of_luna16s_list_are_certain_without_readers():
    crops = CropSet(
        folder=Path(),
        records=(
            record(n_readers=0, readers=()),
            record(key="n1", n_readers=0, readers=(), diameter_mm=2.9),
            record(key="n2", n_readers=0, readers=(), diameter_mm=0.0),  # masks that cover nothing
        ),
    )
    assert [each.key for each in certain_records(crops)] == ["n0"]


def test_a_nodule_with_several_crops_counts_once_by_the_one_with_most_context():
    both = [scored(0.1, voi_file="w"), scored(0.7, kind="crop51", file="c", key="", voi_file="w")]
    assert [each.score for each in one_per_nodule(both)] == [0.7]


def test_sensitivity_is_the_share_at_or_above_the_threshold():
    nodules = [scored(s, patient_id=f"P{i}") for i, s in enumerate((0.9, 0.5, 0.4, 0.0))]
    share = sensitivity(
        nodules, lambda each: each.score >= 0.5, bootstrap=BootstrapSettings(draws=200)
    )
    assert share.value == 0.5
    assert 0.0 <= share.low <= 0.5 <= share.high <= 1.0


def test_nodules_of_one_patient_are_drawn_together():
    same = [scored(s, patient_id="P1") for s in (0.9, 0.1)]
    share = sensitivity(same, lambda each: each.score >= 0.5, bootstrap=BootstrapSettings(draws=50))
    assert (share.low, share.high) == (0.5, 0.5)


def test_a_hit_lies_strictly_within_the_radius():
    peaks = [
        Peak(center_zyx=(0.0, 0.0, 4.0), score=0.9, diameter_mm=5.0),
        Peak(center_zyx=(0.0, 0.0, 3.9), score=0.6, diameter_mm=5.0),
        Peak(center_zyx=(0.0, 0.0, 0.0), score=0.5, diameter_mm=5.0),
    ]
    assert hits_of(peaks, np.zeros(3), diameter_mm=8.0) == peaks[1:]
