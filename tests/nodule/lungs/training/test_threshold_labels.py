import numpy as np
import pytest
from scipy import ndimage

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.lungs.training import label_lungs
from nodule.volume import LungMask, Volume

GRID = Geometry(
    shape_zyx=(60, 80, 110), spacing_zyx_mm=(2.5, 2.5, 2.5), origin_lps_mm=(-30.0, 40.0, 7.0)
)


def _dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def _chest(*, bridge: bool = False) -> np.ndarray:
    """Draw an elliptic body with two box lungs, perhaps joined by a thin bridge in front."""
    _, y, x = np.indices(GRID.shape_zyx)
    hu = np.full(GRID.shape_zyx, -1000.0, np.float32)
    hu[((y - 40) / 35) ** 2 + ((x - 55) / 50) ** 2 < 1] = 40.0
    hu[10:50, 25:55, 20:45] = -850.0
    hu[10:50, 25:55, 65:90] = -850.0
    if bridge:
        hu[20:40, 26:29, 45:65] = -850.0
        hu[20:40, 26:29, 55] = -600.0  # the pleurae between the lungs
    return hu


def test_agrees_with_the_phantoms_lungs(phantom):
    labels = label_lungs(phantom.volume).labels_zyx
    for side in (LungMask.RIGHT, LungMask.LEFT):
        assert _dice(labels == side, phantom.lungs.labels_zyx == side) > 0.94


def test_the_patients_right_lung_lies_at_smaller_x(phantom):
    mask = label_lungs(phantom.volume)
    centre_x_mm = [
        mask.geometry.index_to_lps(ndimage.center_of_mass(mask.labels_zyx == side))[0]
        for side in (LungMask.RIGHT, LungMask.LEFT)
    ]
    assert centre_x_mm[0] < 0 < centre_x_mm[1]


def test_leaves_the_trachea_out(phantom):
    labels = label_lungs(phantom.volume).labels_zyx
    air = phantom.volume.array_zyx < -900
    middle = np.zeros_like(air)
    middle[75:95, :, 66:78] = True  # above the carina, within 15 mm of the midline
    trachea = air & middle & (phantom.lungs.labels_zyx == 0)
    trachea &= phantom.volume.geometry.index_to_lps(
        np.moveaxis(np.indices(air.shape), 0, -1)
    )[..., 1] < 60  # in front of the spine, not behind the back  # fmt: skip
    trachea = ndimage.binary_opening(trachea, iterations=1)
    assert trachea.sum() > 50
    assert (labels[trachea] > 0).mean() < 0.02


def test_parts_lungs_that_touch_along_their_pleurae():
    volume = Volume(array_zyx=_chest(bridge=True), geometry=GRID)
    labels = label_lungs(volume).labels_zyx
    assert (labels[25:35, 27, 46:54] == LungMask.RIGHT).all()
    assert (labels[25:35, 27, 57:64] == LungMask.LEFT).all()


def test_takes_in_vessels_and_nodules_on_the_pleura():
    hu = _chest()
    z, y, x = np.indices(GRID.shape_zyx)
    on_the_wall = ((z - 30) ** 2 + (y - 40) ** 2 + (x - 21) ** 2 < 9) & (x >= 20)
    vessel = ((z - 30) ** 2 + (x - 78) ** 2 < 3) & (y > 25) & (y < 55)
    hu[on_the_wall | vessel] = 40.0
    labels = label_lungs(Volume(array_zyx=hu, geometry=GRID)).labels_zyx
    assert (labels[on_the_wall & (x > 20)] == LungMask.RIGHT).mean() > 0.95
    assert (labels[vessel & (y > 26) & (y < 53)] == LungMask.LEFT).mean() > 0.95


def test_lungs_cut_by_the_ends_of_the_scan_are_found_whole():
    hu = _chest()[20:40]
    short = Geometry(shape_zyx=hu.shape, spacing_zyx_mm=(2.5, 2.5, 2.5))
    labels = label_lungs(Volume(array_zyx=hu, geometry=short)).labels_zyx
    assert _dice(labels > 0, hu == -850.0) > 0.95
    assert (labels[0] > 0).sum() == pytest.approx((hu[0] == -850.0).sum(), rel=0.1)


def test_one_lung_alone_keeps_its_side():
    hu = _chest()
    hu[hu == -850.0] = 40.0
    hu[10:50, 25:55, 65:90] = -850.0
    labels = label_lungs(Volume(array_zyx=hu, geometry=GRID)).labels_zyx
    assert set(np.unique(labels)) == {0, LungMask.LEFT}


def test_refuses_an_image_without_lungs():
    _, y, x = np.indices(GRID.shape_zyx)
    hu = np.where(((y - 40) / 35) ** 2 + ((x - 55) / 50) ** 2 < 1, 0.0, -1000.0)
    with pytest.raises(InputError, match="NO_LUNGS"):
        label_lungs(Volume(array_zyx=hu.astype(np.float32), geometry=GRID))
