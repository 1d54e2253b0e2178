import base64
import gzip
import json

import numpy as np
import pytest

from nodule.geometry import Geometry
from nodule.page._viewer import coarse_volume, greys, script_json, viewer_data
from nodule.report import Report
from nodule.study import Study
from nodule.volume import LungMask, Volume


def ramp(geometry: Geometry, *, slope_hu_per_mm: tuple[float, float, float]) -> Volume:
    """Return a volume whose HU is linear in LPS, so that averaging keeps the values exactly."""
    index = np.moveaxis(np.indices(geometry.shape_zyx), 0, -1)
    hu = geometry.index_to_lps(index) @ np.asarray(slope_hu_per_mm)
    return Volume(array_zyx=hu.astype(np.float32), geometry=geometry)


@pytest.mark.parametrize(
    "direction",
    [
        ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
        ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0)),  # feet first, prone
        ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),  # rows along x, columns along y
    ],
)
def test_shows_each_place_where_it_is_whatever_way_the_scan_lies(direction: object) -> None:
    source = Geometry(
        shape_zyx=(9, 24, 20),
        spacing_zyx_mm=(2.5, 0.7, 0.8),
        origin_lps_mm=(-12.0, 33.0, -80.0),
        direction=direction,  # type: ignore[arg-type]
    )
    slope = (3.0, -7.0, 5.0)
    coarse = coarse_volume(ramp(source, slope_hu_per_mm=slope))
    expected = ramp(coarse.geometry, slope_hu_per_mm=slope)
    np.testing.assert_allclose(coarse.array_zyx, expected.array_zyx, atol=0.01)
    assert coarse.geometry.direction == ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))


def test_an_oblique_scan_lies_upright_and_where_it_was() -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    source = Geometry(
        shape_zyx=(20, 40, 44),
        spacing_zyx_mm=(2.0, 1.5, 1.4),
        origin_lps_mm=(5.0, 6.0, 7.0),
        direction=((0.0, -s, c), (0.0, c, s), (1.0, 0.0, 0.0)),
    )
    coarse = coarse_volume(ramp(source, slope_hu_per_mm=(2.0, 3.0, 4.0)))
    middle = coarse.geometry.lps_to_index(source.index_to_lps((10.0, 20.0, 22.0)))
    z, y, x = np.rint(middle).astype(int)
    place = coarse.geometry.index_to_lps((z, y, x))
    assert coarse.array_zyx[z, y, x] == pytest.approx(place @ (2.0, 3.0, 4.0), abs=0.05)


def test_keeps_the_slices_of_a_coarse_scan_and_averages_in_plane() -> None:
    source = Geometry(shape_zyx=(133, 64, 64), spacing_zyx_mm=(2.5, 0.703125, 0.703125))
    volume = Volume(array_zyx=np.zeros(source.shape_zyx, np.float32), geometry=source)
    coarse = coarse_volume(volume).geometry
    assert coarse.shape_zyx == (133, 32, 32)
    assert coarse.spacing_zyx_mm == pytest.approx((2.5, 1.40625, 1.40625))


def test_a_large_thin_scan_still_fits_the_page() -> None:
    source = Geometry(shape_zyx=(600, 256, 256), spacing_zyx_mm=(0.6, 1.6, 1.6))
    volume = Volume(array_zyx=np.zeros(source.shape_zyx, np.float32), geometry=source)
    assert coarse_volume(volume).array_zyx.size <= 16_000_000


def test_a_grey_stands_for_eight_hu_from_minus_1024() -> None:
    hu = np.array([-2000.0, -1024.0, -1016.0, -870.0, 30.0, 1016.0, 3000.0], np.float32)
    assert greys(hu).tolist() == [0, 0, 1, 19, 132, 255, 255]


def test_nothing_can_end_the_element_that_holds_it() -> None:
    text = script_json({"id": "</script><!--"})
    assert "<" not in text
    assert json.loads(text) == {"id": "</script><!--"}


def test_embeds_voxels_lungs_and_the_way_to_the_source_slice(
    report: Report, study: Study, lungs: LungMask
) -> None:
    data = viewer_data(report, study=study, lungs=lungs, coarse=coarse_volume(study.volume))
    settings = json.loads(data.settings)
    shape_zyx = settings["shape_xyz"][::-1]
    voxels = np.frombuffer(gzip.decompress(base64.b64decode(data.voxels)), np.uint8)
    inside = np.frombuffer(gzip.decompress(base64.b64decode(data.lungs)), np.uint8)
    assert voxels.size == inside.size == np.prod(shape_zyx)
    assert set(np.unique(inside)) == {0, 1}
    # the ball's middle, LPS (20, 30, -40), holds 30 HU; the slice there is (-40 + 70) / 2
    offset = np.subtract((20.0, 30.0, -40.0), settings["origin_lps_mm"])
    x, y, z = np.rint(offset / settings["spacing_xyz_mm"]).astype(int)
    assert -1024 + 8 * int(voxels.reshape(shape_zyx)[z, y, x]) == 32
    assert np.dot(settings["slice_of_lps"], (20.0, 30.0, -40.0, 1.0)) == pytest.approx(15.0)
    assert settings["instance_numbers"][15] == 15
    # half of 12.6 mm and a gap of 2 mm
    assert settings["findings"][0] == {
        "size": [12.6, 11.94],
        "id": "N1",
        "center_lps_mm": [20.0, 30.0, -40.4],
        "look_at_lps_mm": [20.0, 30.0, -42.0],
        "radius_mm": 8.3,
        "verdict": None,
    }
