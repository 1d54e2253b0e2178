"""What is timed, not how long it takes."""

import numpy as np
import torch

from nodule.candidates import HeatmapNetwork, ProposeCandidates
from nodule.chain import Chain
from nodule.ct import read_ct
from nodule.evaluate.speed._detector_speed import build_c3d, c3d_starts, detector_speed
from nodule.phantom import make_phantom, random_spec, write_study
from nodule.weights import Weights, save_state

TINY = {"channels": [4, 4, 4, 4], "depths": [1, 1, 1, 1]}


def test_the_classifiers_windows_step_by_12_and_end_with_the_image():
    shape = (32, 44, 50)
    starts = c3d_starts(np.ones((8, 11, 13), np.bool_), shape)
    assert sorted({tuple(s) for s in starts.tolist()}) == [
        (0, y, x) for y in (0, 12) for x in (0, 12, 18)
    ]


def test_only_windows_whose_middle_is_wanted_count():
    wanted = np.zeros((8, 11, 13), np.bool_)
    wanted[4, 7, 4] = True  # the cell at voxel 16, 28, 16
    assert c3d_starts(wanted, (32, 44, 50)).tolist() == [[0, 12, 0]]


def test_the_classifier_is_the_published_one():
    network = build_c3d()
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv3d)]
    assert [m.out_channels for m in convolutions] == [64, 128, 256, 256, 512, 512, 64, 2]
    with torch.inference_mode():
        assert network(torch.zeros(1, 1, 32, 32, 32)).shape == (1, 2, 1, 1, 1)


def test_measures_a_phantom(tmp_path):
    network = HeatmapNetwork(**TINY)
    path = tmp_path / "tiny.safetensors"
    save_state(
        path, network.state_dict(), stage="candidates", architecture=TINY, training_patients=()
    )
    folder = write_study(make_phantom(random_spec(3, size="small")), tmp_path / "CASE").folder
    chain = Chain(candidates=ProposeCandidates(weights=Weights.open(path), engine="torch"))
    measured = detector_speed(chain.on(read_ct(folder)), c3d_sample=3)
    for cost in (measured.detector, measured.plain, measured.c3d):
        assert cost.core_seconds > 0
    assert measured.c3d.core_seconds > measured.detector.core_seconds
