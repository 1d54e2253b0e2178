"""Heat maps lie where the cause lies, and depend on what was learnt."""

import numpy as np
import pytest
import torch

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.malignancy.explain import Answer, explain, heat_map
from nodule.malignancy.network import C3DMultitask
from nodule.malignancy.predict import Predictor
from nodule.volume import Volume
from nodule.weights import Weights

CENTER_LPS_MM = (5.0, -7.0, 120.0)
OFFSET_ZYX_MM = (2.0, -2.5, 2.5)
RADIUS_MM = 5.0


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.load(Weights.shipped_members("malignancy")[0], device=torch.device("cpu"))


@pytest.fixture(scope="module")
def volume() -> Volume:
    """Return lung with a ball beside the place asked about."""
    shape = (64, 64, 64)
    geometry = Geometry(
        shape_zyx=shape, spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(-27.0, -39.0, 88.0)
    )
    hu = np.random.default_rng(0).normal(-850, 30, shape).astype(np.float32)
    hu[ball_at(geometry)] = 40.0
    return Volume(array_zyx=hu, geometry=geometry)


def ball_at(geometry: Geometry, *, mirrored: bool = False) -> np.ndarray:
    middle = np.asarray(CENTER_LPS_MM) + np.asarray(OFFSET_ZYX_MM[::-1]) * (-1 if mirrored else 1)
    place = geometry.index_to_lps(np.moveaxis(np.indices(geometry.shape_zyx), 0, -1))
    return np.asarray(np.linalg.norm(place - middle, axis=-1) < RADIUS_MM)


@pytest.mark.parametrize("answer", ["nodule", "malignancy"])
def test_the_heat_lies_on_the_ball_in_patient_coordinates(
    predictor: Predictor, volume: Volume, answer: Answer
) -> None:
    seen = explain(predictor, volume, center_lps_mm=CENTER_LPS_MM, answer=answer)
    np.testing.assert_allclose(
        seen.geometry.index_to_lps((15.5, 15.5, 15.5)), CENTER_LPS_MM, atol=1e-6
    )
    ball = ball_at(seen.geometry)
    assert seen.heat_zyx[ball].mean() > 5 * seen.heat_zyx[~ball].mean()
    only_mirrored = ball_at(seen.geometry, mirrored=True) & ~ball
    assert seen.heat_zyx[ball].mean() > 2 * seen.heat_zyx[only_mirrored].mean()
    assert seen.heat_zyx.max() == pytest.approx(1.0)


def test_removing_what_is_hot_lowers_the_answer(predictor: Predictor, volume: Volume) -> None:
    seen = explain(predictor, volume, center_lps_mm=CENTER_LPS_MM, answer="nodule")
    index = np.rint(volume.geometry.lps_to_index(seen.geometry.origin_lps_mm)).astype(int)
    box = tuple(slice(start, start + 32) for start in index)
    cube = volume.array_zyx[box]
    occluded = np.where(seen.heat_zyx > 0.5, np.float32(-850.0), cube)
    probability = [
        predictor.predict((np.clip(c, -1000, 400)[None, None] + 1000) / 1400).probability[0]
        for c in (cube, occluded.astype(np.float32))
    ]
    assert probability[1] < probability[0] - 0.2


def test_another_network_gives_another_map() -> None:
    cubes = torch.rand(1, 1, 32, 32, 32, generator=torch.Generator().manual_seed(0))
    maps = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = C3DMultitask().eval()
        maps.append(heat_map(network, cubes, answer="malignancy").ravel())
    assert abs(np.corrcoef(maps)[0, 1]) < 0.7


def test_refuses_a_place_outside_the_scan(predictor: Predictor, volume: Volume) -> None:
    with pytest.raises(InputError, match="OUTSIDE_VOLUME"):
        explain(predictor, volume, center_lps_mm=(500.0, 0.0, 0.0), answer="nodule")
