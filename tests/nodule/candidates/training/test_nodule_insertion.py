"""An inserted nodule has its own density inside, the lung's outside and a soft edge between."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.candidates import STRIDE
from nodule.candidates.training._crop_regions import NoduleSource
from nodule.candidates.training._heatmap_targets import Target
from nodule.candidates.training._nodule_insertion import draw_cutout, insert
from nodule.training import Lesion, ShapeDistance

LUNG_HU, SOURCE_LUNG_HU, NODULE_HU = -860.0, -800.0, 40.0


def ball(*, diameter_mm: float = 12.0, shape: tuple[int, int, int] = (16, 48, 48)) -> NoduleSource:
    """A solid ball in lung of -800 HU on 2 x 0.7 x 0.7 mm voxels."""
    spacing = (2.0, 0.7, 0.7)
    points = np.stack(
        np.meshgrid(*[np.arange(n) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij")
    )
    center = (15.0, 16.8, 16.8)
    inside = diameter_mm / 2 > np.linalg.norm(points.T - center, axis=-1).T
    return NoduleSource(
        array_hu=np.where(inside, NODULE_HU, SOURCE_LUNG_HU).astype(np.int16),
        spacing_zyx_mm=spacing,
        distance=ShapeDistance.of(inside, spacing),
        lesion=Lesion(center_mm=center, diameter_mm=diameter_mm),
    )


def lung() -> NDArray[np.float32]:
    return np.full((64, 64, 64), LUNG_HU, np.float32)


def distances(target: Target) -> NDArray[np.float64]:
    here = np.indices((64, 64, 64))
    offsets = here - np.asarray(target.center_zyx)[:, None, None, None]
    return np.asarray(np.linalg.norm(offsets, axis=0))


@pytest.mark.parametrize("seed", range(6))
def test_an_inserted_nodule_is_solid_inside_and_leaves_the_lung_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inserted = insert(lung(), draw_cutout(ball(), rng), rng, taken=())
    assert inserted is not None
    image, target = inserted
    away = distances(target)
    radius = target.diameter_mm / 2
    assert image[away < radius - 3].mean() == pytest.approx(NODULE_HU, abs=5)
    assert image[away > radius + 5].max() == pytest.approx(LUNG_HU, abs=0.01)
    ring = image[(away > radius + 1.5) & (away < radius + 3)]
    # matched to this lung, not to the one the nodule came from
    assert np.median(ring) == pytest.approx(LUNG_HU, abs=15)


def test_the_size_that_is_told_is_the_size_that_is_seen() -> None:
    rng = np.random.default_rng(11)
    inserted = insert(lung(), draw_cutout(ball(), rng), rng, taken=())
    assert inserted is not None
    image, target = inserted
    volume_mm3 = ((image - LUNG_HU) / (NODULE_HU - LUNG_HU)).clip(0, 1).sum()
    seen_mm = (6 * volume_mm3 / np.pi) ** (1 / 3)
    assert seen_mm == pytest.approx(target.diameter_mm, abs=1.5)


def test_the_image_that_was_given_stays_as_it_was() -> None:
    image = lung()
    rng = np.random.default_rng(2)
    assert insert(image, draw_cutout(ball(), rng), rng, taken=()) is not None
    assert (image == LUNG_HU).all()


def test_nothing_is_inserted_outside_the_lung() -> None:
    wall = np.full((64, 64, 64), 40.0, np.float32)
    rng = np.random.default_rng(0)
    assert insert(wall, draw_cutout(ball(), rng), rng, taken=()) is None


def test_nothing_is_inserted_onto_another_nodule() -> None:
    rng = np.random.default_rng(0)
    everywhere = Target(center_zyx=(32.0, 32.0, 32.0), diameter_mm=120.0)
    assert insert(lung(), draw_cutout(ball(), rng), rng, taken=[everywhere]) is None


def test_centres_stay_in_the_free_cells() -> None:
    free = np.zeros((16, 16, 16), bool)
    free[:, :, 8:] = True
    for seed in range(5):
        rng = np.random.default_rng(seed)
        inserted = insert(lung(), draw_cutout(ball(), rng), rng, taken=(), free=free)
        if inserted is not None:
            assert inserted[1].center_zyx[2] >= 8 * STRIDE


def test_a_nodule_from_the_wall_goes_to_a_wall() -> None:
    source = ball(diameter_mm=10.0)
    hu = source.array_hu.copy()
    hu[:, :, 31:] = 50  # the wall begins where the nodule ends
    at_wall = replace(source, array_hu=hu)
    image = lung()
    image[:, :, 32:] = 50.0
    nearer, free_floating = [], []
    for seed in range(30):
        for kind, found in ((at_wall, nearer), (source, free_floating)):
            rng = np.random.default_rng(seed)
            inserted = insert(image, draw_cutout(kind, rng), rng, taken=())
            if inserted is not None:
                found.append(abs(inserted[1].center_zyx[2] - 32))
    assert np.median(nearer) < np.median(free_floating)
