"""Nodules segmented and scored against their readers, by hand."""

import math

import numpy as np
import pytest

from nodule.evaluate.nodule_measurement._outline_scores import OutlinePair, ReadNodule, score_masks
from nodule.geometry import Geometry
from nodule.training import NoduleRecord
from nodule.volume import Volume


def _sphere_mm3(diameter_mm: float) -> float:
    return math.pi / 6 * diameter_mm**3


def test_volumes_differ_relative_to_the_mean_of_both() -> None:
    pair = OutlinePair(dice=0.5, volume_mm3=150.0, reference_mm3=50.0)
    assert pair.volume_error == pytest.approx(1.0)
    eightfold = OutlinePair(dice=0.1, volume_mm3=_sphere_mm3(8.0), reference_mm3=_sphere_mm3(4.0))
    assert eightfold.diameter_error_mm == pytest.approx(4.0)


def test_segments_a_nodule_from_beside_its_centre_and_compares_readers() -> None:
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
