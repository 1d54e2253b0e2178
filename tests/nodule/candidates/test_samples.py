"""Samples are a pure function of seed and index, and honest about what is not known."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nodule.candidates.augment import degrade
from nodule.candidates.learn import focal_loss
from nodule.candidates.material import Lesion, NoduleSource, Region, lung_points, scan_region
from nodule.candidates.samples import PatchSamples, plain_sample


def chest() -> NDArray[np.float32]:
    """Two boxes of lung in a body in air, 2 mm slices of 1 mm pixels."""
    hu = np.full((40, 120, 140), -1000.0, np.float32)
    hu[:, 10:110, 10:130] = 40.0
    hu[4:36, 25:95, 20:60] = hu[4:36, 25:95, 80:120] = -850.0
    return hu


def nodule() -> NoduleSource:
    marks = np.ones((12, 12, 12), np.uint8)
    marks[4:8, 3:9, 3:9] = 2
    return NoduleSource(
        array_hu=np.where(marks == 2, 0, -850).astype(np.int16),
        marks=marks,
        spacing_zyx_mm=(1.5, 1.0, 1.0),
        lesion=Lesion(center_mm=(8.25, 5.5, 5.5), diameter_mm=7.4),
    )


def samples(**changes: object) -> PatchSamples:
    fields: dict[str, object] = {
        "nodules": (nodule(),),
        "scans": (scan_region(chest(), spacing_zyx_mm=(2.0, 1.0, 1.0)),),
        "cubes": (),
        "slabs": (),
        "size": 48,
        "seed": 5,
    }
    return PatchSamples(**(fields | changes))  # type: ignore[arg-type]


def test_a_sample_depends_on_seed_and_index_alone() -> None:
    first, again = samples(), samples()
    again[3]
    for name, value in first[7].items():
        assert torch.equal(value, again[7][name])
    assert not torch.equal(first[7]["image"], samples(seed=6)[7]["image"])
    assert not torch.equal(first[7]["image"], first[8]["image"])


def test_samples_have_the_shapes_of_network_and_maps() -> None:
    sample = samples()[0]
    assert {name: tuple(t.shape) for name, t in sample.items()} == {
        "image": (1, 48, 48, 48),
        "heat": (1, 12, 12, 12),
        "log_diameter": (1, 12, 12, 12),
        "offset": (3, 12, 12, 12),
        "known": (1, 12, 12, 12),
    }
    assert 0.0 <= float(sample["image"].min()) < float(sample["image"].max()) <= 1.0


def test_pasted_nodules_are_in_the_maps() -> None:
    source = samples()
    peaks = [int((source[i]["heat"] == 1).sum()) for i in range(20)]
    assert sum(peaks) >= 10


def test_what_is_ignored_and_what_lies_beyond_the_region_is_not_known() -> None:
    region = Region(
        array_hu=np.full((20, 60, 60), -850, np.int16),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        focus_mm=np.array([[9.5, 29.5, 29.5]]),
        lesions=(Lesion(center_mm=(9.5, 29.5, 29.5), diameter_mm=8.0),),
        ignored=(Lesion(center_mm=(9.5, 45.5, 29.5), diameter_mm=10.0),),
    )
    sample = plain_sample(region, size=64)
    known = sample["known"][0]
    # the patch's middle, 31.5, shows the focus; 20 slices lie from 22 to 41 in it, less 3 mm each
    assert known[:7].sum() == 0
    assert known[10:].sum() == 0
    assert known[8, 8, 8] == 1
    assert known[8, 12, 8] == 0
    peak = torch.nonzero(sample["heat"][0] == 1)
    assert peak.tolist() == [[8, 8, 8]]


def test_patches_are_drawn_about_the_lungs_not_the_air_outside() -> None:
    points = lung_points(chest().astype(np.int16), spacing_zyx_mm=(2.0, 1.0, 1.0))
    assert len(points) > 100
    assert points[:, 1].min() >= 24
    assert points[:, 1].max() <= 95
    assert points[:, 2].min() >= 19
    assert points[:, 2].max() <= 120


def test_degrading_keeps_the_lung_a_lung() -> None:
    patch = chest()[:40, 30:70, 20:60]
    for seed in range(20):
        image = degrade(patch, np.random.default_rng(seed))
        assert image.dtype == np.float32
        assert float(image[10:30].mean()) == pytest.approx(-850, abs=50)


def test_unknown_cells_cost_nothing() -> None:
    logits, heat = torch.randn(1, 1, 4, 4, 4), torch.zeros(1, 1, 4, 4, 4)
    heat[0, 0, 1, 1, 1] = 1.0
    nothing = torch.zeros_like(heat)
    assert focal_loss(logits, heat, nothing).item() == 0.0


def test_focal_loss_of_a_known_case() -> None:
    # a positive at 0.5 and a negative at 0.5 on a slope of 0.5:
    # 0.25 ln 2 + 0.0625 * 0.25 ln 2, for one nodule
    logits = torch.zeros(1, 1, 1, 1, 2)
    heat = torch.tensor([1.0, 0.5]).reshape(1, 1, 1, 1, 2)
    expected = (0.25 + 0.0625 * 0.25) * np.log(2)
    assert focal_loss(logits, heat, torch.ones_like(heat)).item() == pytest.approx(expected)
