"""Samples are a pure function of seed and index, and honest about what is not known."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from nodule.candidates.training._crop_regions import NoduleSource
from nodule.candidates.training._heatmap_targets import Target
from nodule.candidates.training._patch_samples import PatchSamples, _is_shown, plain_sample
from nodule.patch_pose import Box
from nodule.training import STRAIGHT, Lesion, Region, ShapeDistance


def chest() -> NDArray[np.float32]:
    """Two boxes of lung in a body in air, 2 mm slices of 1 mm pixels."""
    hu = np.full((40, 120, 140), -1000.0, np.float32)
    hu[:, 10:110, 10:130] = 40.0
    hu[4:36, 25:95, 20:60] = hu[4:36, 25:95, 80:120] = -850.0
    return hu


def nodule() -> NoduleSource:
    inside = np.zeros((12, 12, 12), np.bool_)
    inside[4:8, 3:9, 3:9] = True
    return NoduleSource(
        array_hu=np.where(inside, 0, -850).astype(np.int16),
        spacing_zyx_mm=(1.5, 1.0, 1.0),
        distance=ShapeDistance.of(inside, (1.5, 1.0, 1.0)),
        lesion=Lesion(center_mm=(8.25, 5.5, 5.5), diameter_mm=7.4),
    )


def samples(**changes: object) -> PatchSamples:
    fields: dict[str, object] = {
        "nodules": (nodule(),),
        "scans": (Region.of_scan(chest(), spacing_zyx_mm=(2.0, 1.0, 1.0)),),
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


def test_inserted_nodules_are_in_the_maps() -> None:
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
    # the patch's middle, 31.5, shows the focus; 20 slices fill 21.5 to 41.5 in it, a tenth of
    # which is rim at either end: cells at 24 to 36
    assert known[:6].sum() == 0
    assert known[6].sum() > 0
    assert known[10:].sum() == 0
    assert known[8, 8, 8] == 1
    assert known[8, 12, 8] == 0
    peak = torch.nonzero(sample["heat"][0] == 1)
    assert peak.tolist() == [[8, 8, 8]]


def test_a_thin_stack_lies_in_the_lung_of_a_scan() -> None:
    stack = Region(
        array_hu=np.full((3, 60, 60), 0, np.int16),
        spacing_zyx_mm=(2.0, 1.0, 1.0),
        focus_mm=np.array([[2.0, 29.5, 29.5]]),
        lesions=(Lesion(center_mm=(2.0, 29.5, 29.5), diameter_mm=6.0),),
    )
    lung = Region.of_scan(
        np.full((150, 150, 150), -850.0, np.float32), spacing_zyx_mm=(1.0, 1.0, 1.0)
    )
    lung = replace(lung, focus_mm=np.array([[75.0, 75.0, 75.0]]))
    source = samples(scans=(lung,), slabs=(stack,), nodules=(nodule(),))
    image, known = stacks_alone(source)
    # 6 mm of soft tissue in 48 mm of lung, where air would be 0
    assert 0.02 < float((image > 0.6).float().mean()) < 0.3
    assert float((image < 0.02).float().mean()) < 0.05
    assert 0 < float(known.mean()) < 0.3


def stacks_alone(source: PatchSamples) -> tuple[torch.Tensor, torch.Tensor]:
    """Return image and known cells of the first sample that is a stack without insertions."""
    for index in range(200):
        sample = source[index]
        if float((sample["image"] > 0.6).float().mean()) > 0.02 and sample["heat"].max() == 1.0:
            return sample["image"][0], sample["known"][0]
    raise AssertionError("no sample showed the stack")


def test_a_nodule_that_is_hardly_shown_is_not_asked_for() -> None:
    pose = STRAIGHT.at((20.0, 20.0, 20.0), (1.0, 1.0, 1.0), shape_zyx=(41, 41, 41))
    box = Box(low_mm=(0.0, 0.0, 0.0), high_mm=(40.0, 40.0, 40.0))
    inside = Target(center_zyx=(3.5, 20.0, 20.0), diameter_mm=10.0)
    assert _is_shown(inside, box, pose)
    assert not _is_shown(Target(center_zyx=(2.5, 20.0, 20.0), diameter_mm=10.0), box, pose)


def test_without_nodules_to_insert_a_scans_own_are_shown_often() -> None:
    lesion = Lesion(center_mm=(40.0, 60.0, 40.0), diameter_mm=8.0)
    scan = Region.of_scan(chest(), spacing_zyx_mm=(2.0, 1.0, 1.0), lesions=(lesion,))
    alone = samples(nodules=(), scans=(scan,))
    shown = sum(float(alone[index]["heat"].max()) == 1.0 for index in range(40))
    # two in five are aimed at it, and of the rest some meet it by chance
    assert 12 <= shown <= 36
