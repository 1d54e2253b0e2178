"""How much is diseased, on chests whose every block follows from arithmetic, and on phantoms."""

from dataclasses import replace

import numpy as np
import pytest
from made_findings import ball_mask, made_finding

from nodule.disease import MeasureDisease
from nodule.errors import ConfigError
from nodule.findings import Finding
from nodule.geometry import Geometry, Vector
from nodule.nodules import Measurement
from nodule.phantom import DiseasePatch, Phantom, PhantomSpec, make_phantom
from nodule.volume import LungMask, Volume

# two lungs of 60 x 90 x 60 mm in soft tissue, on a shifted 1 mm grid
GRID = Geometry(
    shape_zyx=(90, 120, 180), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(-90.5, 12.0, 40.0)
)
RIGHT = (slice(15, 75), slice(15, 105), slice(15, 75))
LEFT = (slice(15, 75), slice(15, 105), slice(105, 165))
CENTER: Vector = (-45.0, 72.0, 85.0)  # of the right lung


def chest(*balls: tuple[Vector, float, float]) -> tuple[Volume, LungMask]:
    """Return lungs of -860 HU with balls of a centre, a radius and a density in them."""
    hu = np.full(GRID.shape_zyx, 40.0, np.float32)
    labels = np.zeros(GRID.shape_zyx, np.uint8)
    for box, label in ((RIGHT, LungMask.RIGHT), (LEFT, LungMask.LEFT)):
        hu[box], labels[box] = -860.0, label
    points = GRID.index_to_lps(np.moveaxis(np.indices(GRID.shape_zyx), 0, -1))
    for center, radius_mm, value_hu in balls:
        hu[np.linalg.norm(points - center, axis=-1) <= radius_mm] = value_hu
    return Volume(array_zyx=hu, geometry=GRID), LungMask(labels_zyx=labels, geometry=GRID)


def masked(center: Vector, radius_mm: float) -> Finding:
    mask = ball_mask(GRID, center, radius_mm=radius_mm)
    size = Measurement(center_lps_mm=center, long_axis_mm=9.0, short_axis_mm=8.0)
    return made_finding("N1", center, measurement=size, mask=mask)


def ball_ml(radius_mm: float) -> float:
    return 4 / 3 * np.pi * radius_mm**3 / 1000


def test_healthy_lungs_have_no_disease() -> None:
    volume, lungs = chest()
    found = MeasureDisease().run(volume=volume, lungs=lungs, findings=())
    assert found.right.diseased_ml == found.left.diseased_ml == 0
    assert found.right.aerated_ml == pytest.approx(60 * 90 * 60 / 1000, rel=0.01)
    assert not found.diffuse
    assert found.right.lung == "right"


@pytest.mark.parametrize(
    ("value_hu", "glass", "dense"), [(-560.0, 1, 0), (20.0, 0, 1), (-740.0, 0, 0)]
)
def test_a_wide_area_is_measured_by_its_density(value_hu: float, glass: int, dense: int) -> None:
    volume, lungs = chest((CENTER, 24.0, value_hu))
    found = MeasureDisease().run(volume=volume, lungs=lungs, findings=())
    whole_ml = ball_ml(24.0)
    assert found.right.diseased_ml == pytest.approx((glass or dense) * whole_ml, rel=0.15)
    assert found.right.consolidation_ml == pytest.approx(dense * whole_ml, rel=0.15)
    assert found.left.diseased_ml == 0
    assert found.diffuse == bool(glass or dense)


def test_what_is_no_wider_than_a_vessel_is_no_disease() -> None:
    volume, lungs = chest(
        *(
            (-60.0 + 3 * k, 72.0, 85.0) and ((-60.0 + 3 * k, 72.0, 85.0), 7.0, 60.0)
            for k in range(12)
        )
    )
    found = MeasureDisease().run(volume=volume, lungs=lungs, findings=())
    assert found.right.diseased_ml == 0


def test_a_mass_that_is_a_finding_is_no_disease_and_lies_in_none() -> None:
    volume, lungs = chest((CENTER, 18.0, 30.0))
    alone = MeasureDisease().run(volume=volume, lungs=lungs, findings=())
    known = MeasureDisease().run(volume=volume, lungs=lungs, findings=(masked(CENTER, 18.0),))
    assert alone.right.diseased_ml > 0.8 * ball_ml(18.0)
    assert known.right.diseased_ml == 0
    assert known.inside == ()


def test_findings_in_diseased_lung_are_named() -> None:
    volume, lungs = chest((CENTER, 26.0, -560.0))
    beside = made_finding("N2", (45.0, 72.0, 85.0))
    found = MeasureDisease().run(volume=volume, lungs=lungs, findings=(masked(CENTER, 5.0), beside))
    assert found.inside == ("N1",)
    assert found.holds("N1")
    assert not found.holds("N2")


def test_a_level_is_a_number_in_hounsfield_units() -> None:
    with pytest.raises(ConfigError, match="BAD_VALUE"):
        MeasureDisease(ground_glass_hu=4000.0)


PATCHES = (
    DiseasePatch(kind="ground-glass", center_lps_mm=(-75.0, 40.0, -20.0), radius_mm=38.0),
    DiseasePatch(kind="consolidation", center_lps_mm=(85.0, 40.0, -20.0), radius_mm=30.0),
)


@pytest.fixture(scope="module")
def diseased() -> Phantom:
    return make_phantom(
        PhantomSpec(
            seed=3,
            shape_zyx=(100, 120, 120),
            spacing_zyx_mm=(3.0, 3.0, 3.0),
            vessels_per_ml=1.2,
            patches=PATCHES,
        )
    )


def test_a_phantom_knows_what_of_its_lungs_is_diseased(diseased: Phantom) -> None:
    ml = diseased.volume.geometry.voxel_volume_mm3 / 1000
    for kind, side, patch in ((1, LungMask.RIGHT, PATCHES[0]), (2, LungMask.LEFT, PATCHES[1])):
        there = diseased.disease_zyx == kind
        assert 0.7 * ball_ml(patch.radius_mm) < there.sum() * ml <= 1.02 * ball_ml(patch.radius_mm)
        assert (diseased.lungs.labels_zyx[there] == side).mean() > 0.99
    assert np.median(diseased.volume.array_zyx[diseased.disease_zyx == 1]) == pytest.approx(
        -560, abs=25
    )
    assert np.median(diseased.volume.array_zyx[diseased.disease_zyx == 2]) > 0


def test_what_a_phantom_s_lungs_hold_is_measured(diseased: Phantom) -> None:
    found = MeasureDisease().run(volume=diseased.volume, lungs=diseased.lungs, findings=())
    ml = diseased.volume.geometry.voxel_volume_mm3 / 1000
    glass_ml, dense_ml = (float((diseased.disease_zyx == kind).sum()) * ml for kind in (1, 2))
    assert found.right.ground_glass_ml == pytest.approx(glass_ml, rel=0.15)
    assert found.left.diseased_ml == pytest.approx(dense_ml, rel=0.25)
    assert found.left.consolidation_ml > 0.7 * dense_ml
    assert found.diffuse


def test_consolidation_that_the_mask_leaves_out_is_found_beside_the_ribs(
    diseased: Phantom,
) -> None:
    labels = np.where(diseased.disease_zyx == 2, 0, diseased.lungs.labels_zyx).astype(np.uint8)
    cut = replace(diseased.lungs, labels_zyx=labels)
    found = MeasureDisease().run(volume=diseased.volume, lungs=cut, findings=())
    ml = diseased.volume.geometry.voxel_volume_mm3 / 1000
    dense_ml = float((diseased.disease_zyx == 2).sum()) * ml
    assert 0.2 * dense_ml < found.left.left_out_ml < 1.1 * dense_ml
    assert found.right.left_out_ml < 3
    assert found.diffuse
