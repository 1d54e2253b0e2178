import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, distance_transform_edt, label

from nodule.errors import InputError
from nodule.phantom import NodulePlan, Phantom, PhantomSpec, demo_spec, make_phantom, random_spec


def _hu_at(phantom: Phantom, lps_mm: tuple[float, float, float], *, reach: int = 1) -> float:
    z, y, x = np.rint(phantom.volume.geometry.lps_to_index(lps_mm)).astype(int)
    box = tuple(slice(i - reach, i + reach + 1) for i in (z, y, x))
    return float(np.median(phantom.volume.array_zyx[box]))


def test_equal_specs_give_equal_voxels(phantom: Phantom) -> None:
    again = make_phantom(phantom.spec)
    assert again.volume.array_zyx.tobytes() == phantom.volume.array_zyx.tobytes()
    assert again.nodules == phantom.nodules


def test_another_seed_gives_another_person() -> None:
    tiny = PhantomSpec(shape_zyx=(40, 60, 60), spacing_zyx_mm=(6.0, 6.0, 6.0), vessels_per_ml=0.2)
    first, second = make_phantom(tiny), make_phantom(replace(tiny, seed=1))
    assert np.abs(first.volume.array_zyx - second.volume.array_zyx).mean() > 20
    assert first.lungs.volume_ml != second.lungs.volume_ml


def test_holds_whole_hu_that_a_scanner_can_store(phantom: Phantom) -> None:
    array = phantom.volume.array_zyx
    assert np.array_equal(array, np.rint(array))
    assert array.min() >= -1024
    assert array.max() <= 3071


def test_z_rises_to_the_head(phantom: Phantom) -> None:
    # the trachea is a column of air in the midline above the carina, the abdomen is below
    geometry = phantom.volume.geometry
    assert geometry.index_to_lps([111, 0, 0])[2] > geometry.index_to_lps([0, 0, 0])[2]
    assert _hu_at(phantom, (0.0, 5.0, 100.0)) < -850
    assert _hu_at(phantom, (-60.0, 0.0, -120.0)) > 20  # liver, on the right


def test_the_patients_right_is_at_negative_x(phantom: Phantom) -> None:
    x = phantom.volume.geometry.index_to_lps(np.argwhere(phantom.lungs.labels_zyx == 1))[:, 0]
    assert x.mean() < -40
    assert _soft_mm(phantom, 1, z=-35.0) > _soft_mm(phantom, -1, z=-35.0)


def _soft_mm(phantom: Phantom, side: int, *, z: float) -> float:
    """How far soft tissue reaches from the midline at the level of the heart."""
    steps = np.arange(0, 110, 2.0)
    points = np.stack([side * steps, np.full_like(steps, -25.0), np.full_like(steps, z)], axis=1)
    index = np.rint(phantom.volume.geometry.lps_to_index(points)).astype(int)
    hu = phantom.volume.array_zyx[tuple(index.T)]
    return float(steps[np.argmax(hu < -500)])


def test_tissues_have_their_hu(phantom: Phantom) -> None:
    array, lungs = phantom.volume.array_zyx, phantom.lungs.labels_zyx > 0
    deep = binary_erosion(lungs, iterations=3)
    assert -920 < np.median(array[deep]) < -830
    assert _hu_at(phantom, (-60.0, -10.0, -110.0), reach=3) == pytest.approx(84, abs=25)  # liver
    fat = (array > -130) & (array < -70)
    assert fat.mean() > 0.03
    bone = (array > 200) & (array < 1300)
    assert 0.004 < bone.mean() < 0.08
    assert (array > 1300).mean() < 1e-3
    assert _hu_at(phantom, (170.0, -160.0, 0.0)) == -1000  # outside the circle


def test_noise_has_the_strength_asked_for() -> None:
    quiet = PhantomSpec(
        shape_zyx=(8, 180, 180), spacing_zyx_mm=(3.0, 2.0, 2.0), vessels_per_ml=0.2, noise_hu=0.0
    )
    noise = (
        make_phantom(replace(quiet, noise_hu=20.0)).volume.array_zyx
        - make_phantom(quiet).volume.array_zyx
    )
    assert noise[:, 80:100, 80:100].std() == pytest.approx(20.0, rel=0.15)


def test_both_lungs_are_one_piece_of_adult_size(phantom: Phantom) -> None:
    right_ml, left_ml = phantom.lungs.volume_ml
    assert 1200 < left_ml < right_ml < 3500
    for side in (1, 2):
        parts, _ = label(phantom.lungs.labels_zyx == side)
        sizes = np.bincount(parts.ravel())[1:]
        assert sizes.max() / sizes.sum() > 0.995


def test_the_right_lung_has_three_lobes_and_the_left_two(phantom: Phantom) -> None:
    lobes, sides = phantom.lobes_zyx, phantom.lungs.labels_zyx
    assert set(np.unique(lobes[sides == 1])) == {1, 2, 3}
    assert set(np.unique(lobes[sides == 2])) == {4, 5}
    height = [np.argwhere(lobes == lobe)[:, 0].mean() for lobe in range(1, 6)]
    assert height[0] > height[1]
    assert height[0] > height[2]
    assert height[3] > height[4]
    shares = np.bincount(lobes.ravel(), minlength=6)[1:] / (lobes > 0).sum()
    assert shares.min() > 0.05


def test_vessels_reach_the_periphery(phantom: Phantom) -> None:
    lungs = phantom.lungs.labels_zyx > 0
    depth = distance_transform_edt(lungs, sampling=phantom.volume.geometry.spacing_zyx_mm)
    shell = (depth > 8) & (depth < 20)
    bright = phantom.volume.array_zyx[shell] > -700
    assert 0.01 < bright.mean() < 0.25


def test_a_sphere_has_its_analytic_volume(phantom: Phantom) -> None:
    sphere = phantom.nodules[0]
    assert sphere.volume_mm3 == pytest.approx(math.pi / 6 * 20.0**3, rel=0.01)
    assert sphere.diameter_mm == pytest.approx(20.0, rel=0.005)


def test_a_lobulated_nodule_keeps_its_volume(phantom: Phantom) -> None:
    assert phantom.nodules[2].volume_mm3 == pytest.approx(math.pi / 6 * 18.0**3, rel=0.02)


def test_labels_count_up_to_the_volume(phantom: Phantom) -> None:
    voxel = phantom.volume.geometry.voxel_volume_mm3
    for number, nodule in enumerate(phantom.nodules[:5], start=1):
        counted = (phantom.nodule_labels_zyx == number).sum() * voxel
        assert counted == pytest.approx(nodule.volume_mm3, rel=0.08)


def test_a_fine_grid_counts_a_sphere_within_two_percent() -> None:
    spec = PhantomSpec(
        shape_zyx=(40, 60, 60),
        spacing_zyx_mm=(0.7, 0.6, 0.5),
        vessels_per_ml=0.2,
        nodules=(NodulePlan(diameter_mm=12.0, center_lps_mm=(-10.0, 0.0, -12.0)),),
    )
    with pytest.raises(InputError, match="NO_ROOM"):
        make_phantom(spec)  # that is the heart
    plan = replace(spec.nodules[0], center_lps_mm=(-80.0, 10.0, -12.0))
    wide = replace(spec, shape_zyx=(40, 60, 400), nodules=(plan,))
    counted = (make_phantom(wide).nodule_labels_zyx == 1).sum() * 0.7 * 0.6 * 0.5
    assert counted == pytest.approx(math.pi / 6 * 12.0**3, rel=0.02)


def test_label_centroids_are_the_centres(phantom: Phantom) -> None:
    for number, nodule in enumerate(phantom.nodules[:6], start=1):
        where = np.argwhere(phantom.nodule_labels_zyx == number)
        centroid = phantom.volume.geometry.index_to_lps(where).mean(axis=0)
        assert math.dist(centroid, nodule.center_lps_mm) < 1.0


def test_nodules_lie_in_the_lung_they_name(phantom: Phantom) -> None:
    for nodule in phantom.nodules:
        z, y, x = np.rint(phantom.volume.geometry.lps_to_index(nodule.center_lps_mm)).astype(int)
        assert phantom.lungs.labels_zyx[z, y, x] == {"right": 1, "left": 2}[nodule.lung]
        assert (nodule.center_lps_mm[0] < 0) == (nodule.lung == "right")
        if nodule.location == "juxtapleural":
            assert 0.7 < nodule.volume_mm3 / (math.pi / 6 * nodule.plan.diameter_mm**3) < 0.99


def test_textures_have_their_hu(phantom: Phantom) -> None:
    solid, ground_glass, part_solid, calcified = (
        _hu_at(phantom, n.center_lps_mm) for n in phantom.nodules[:4]
    )
    assert solid == pytest.approx(38, abs=30)
    assert ground_glass == pytest.approx(-620, abs=60)
    assert -120 < part_solid < 100  # a small core, blurred
    assert calcified > 400


def test_random_specs_are_drawn_from_their_seed_alone() -> None:
    assert random_spec(5) == random_spec(5)
    assert random_spec(5).nodules != random_spec(6).nodules
    assert len(random_spec(5, n_nodules=9).nodules) == 9
    assert random_spec(5, n_nodules=0).nodules == ()


def test_the_demonstration_holds_one_nodule_of_each_kind() -> None:
    plans = demo_spec().nodules
    assert {p.texture for p in plans} == {"solid", "part-solid", "ground-glass", "calcified"}
    assert {p.location for p in plans} == {"parenchymal", "juxtapleural", "juxtavascular"}


@pytest.mark.parametrize(
    "change",
    [
        {"diameter_mm": 0.0},
        {"diameter_mm": float("nan")},
        {"texture": "wood"},
        {"location": "liver"},
        {"spiculation": 6},
        {"elongation": 0.5},
        {"solid_hu": 900.0},
    ],
)
def test_refuses_an_impossible_nodule(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="BAD_PHANTOM"):
        replace(NodulePlan(diameter_mm=8.0), **change)


@pytest.mark.parametrize(
    "change", [{"seed": -1}, {"noise_hu": -1.0}, {"slice_thickness_mm": 0.0}, {"blur_mm": np.nan}]
)
def test_refuses_an_impossible_scan(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="BAD_PHANTOM"):
        replace(PhantomSpec(), **change)
