"""Other acquisitions of one made-up chest: what changes, and that places stay."""

import numpy as np
import pytest
from scipy import ndimage

from nodule.evaluate.acquisition_shift import ACQUISITIONS
from nodule.geometry import Geometry
from nodule.home_ground import measure_image
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume

GRID = Geometry(
    shape_zyx=(24, 90, 110), spacing_zyx_mm=(2.0, 0.8, 0.7), origin_lps_mm=(-40.0, 15.0, 60.0)
)
BALL = (-15.2, 50.0, 84.0)


@pytest.fixture(scope="module")
def made() -> tuple[Study, LungMask]:
    """Two lungs denser at the back, a ball in the right one, blood between, bone behind."""
    labels = np.zeros(GRID.shape_zyx, np.uint8)
    labels[2:-2, 12:78, 10:50] = LungMask.RIGHT
    labels[2:-2, 12:78, 62:100] = LungMask.LEFT
    slope = 60.0 * (np.arange(90) / 90 - 0.5)[None, :, None]
    hu = np.where(labels > 0, -860.0 + slope, 40.0).astype(np.float32)
    points = GRID.index_to_lps(np.moveaxis(np.indices(GRID.shape_zyx), 0, -1))
    hu[np.linalg.norm(points - BALL, axis=-1) < 5.0] = 30.0
    hu[:, -5:] = 1400.0
    hu = ndimage.gaussian_filter(hu, (0, 0.6, 0.6))
    hu += np.random.default_rng(0).normal(0, 12, hu.shape)
    study = Study(
        volume=Volume(array_zyx=hu.astype(np.float32), geometry=GRID),
        series=SeriesHeader(source_format="nifti"),
    )
    return study, LungMask(labels_zyx=labels, geometry=GRID)


def shown(made: tuple[Study, LungMask], name: str) -> Study:
    return ACQUISITIONS[name](*made, np.random.default_rng(0))


@pytest.mark.parametrize("name", list(ACQUISITIONS))
def test_the_ball_stays_where_it_is_and_the_scan_as_it_was(
    made: tuple[Study, LungMask], name: str
) -> None:
    before = made[0].volume.array_zyx.copy()
    volume = shown(made, name).volume
    assert np.array_equal(made[0].volume.array_zyx, before)
    assert not (volume.geometry.is_close(GRID) and np.array_equal(volume.array_zyx, before))
    index = volume.geometry.lps_to_index(BALL)
    at_ball = ndimage.map_coordinates(volume.array_zyx, np.asarray(index)[:, None], order=1)
    away = volume.geometry.lps_to_index((BALL[0], BALL[1], BALL[2] + 14.0))
    beside = ndimage.map_coordinates(volume.array_zyx, np.asarray(away)[:, None], order=1)
    assert at_ball[0] > -150
    assert beside[0] < -700


def test_slices_pixels_and_field_have_the_sizes_that_they_are_called_by(
    made: tuple[Study, LungMask],
) -> None:
    thick = shown(made, "slices of 5 mm")
    assert thick.volume.geometry.spacing_zyx_mm[0] == 5.0
    assert thick.series.slice_thickness_mm == 5.0
    large = shown(made, "large pixels").volume.geometry.spacing_zyx_mm
    assert large == (2.0, pytest.approx(1.12), pytest.approx(0.98))
    field = shown(made, "60 % field").volume.geometry
    assert field.shape_zyx[1:] == (54, 66)
    assert field.spacing_zyx_mm == GRID.spacing_zyx_mm


def test_each_changes_what_it_is_called_by(made: tuple[Study, LungMask]) -> None:
    seen = {name: measure_image(shown(made, name), made[1]) for name in ACQUISITIONS}
    was = measure_image(*made)
    assert was.noise_hu is not None
    assert was.grain is not None
    for name, compared in (("sharp", "more"), ("quarter dose", "more"), ("soft", "less")):
        noise = seen[name].noise_hu
        assert noise is not None
        assert (noise > 1.3 * was.noise_hu) if compared == "more" else (noise < 0.5 * was.noise_hu)
    assert seen["soft"].grain is not None
    assert seen["soft"].grain < was.grain
    assert seen["clipped HU"].highest_hu == 240
    assert was.gravity_hu is not None
    assert seen["prone"].gravity_hu == pytest.approx(-was.gravity_hu, abs=5)
    assert (seen["60 % field"].cut_share or 0) > 0.05
    assert (seen["lossy"].block_edges or 0) > 1.1
    assert seen["contrast medium"].blood_hu is not None
    assert was.blood_hu is not None
    assert seen["contrast medium"].blood_hu > was.blood_hu + 100
