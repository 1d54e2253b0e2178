import numpy as np
import pytest

from nodule.lungs._coarse import coarsen
from nodule.lungs._shape import clean, refine
from nodule.volume import LungMask


def _ball(shape, centre, radius):
    index = np.moveaxis(np.indices(shape), 0, -1)
    return np.linalg.norm(index - centre, axis=-1) < radius


def _shares(right, left):
    return np.stack([coarsen(side.astype(np.float32)) for side in (right, left)])


def _clean(shares, *, main=None, **settings):
    known = np.zeros(shares.shape[1:], bool) if main is None else main
    return clean(shares, known, **settings)


def _tissue(shape):
    return np.full(shape, 40.0, np.float32)


def test_shares_give_back_the_surface_they_came_from():
    shape = (100, 70, 121)  # no multiples of three
    right, left = _ball(shape, (50, 35, 32), 28.0), _ball(shape, (48, 33, 90), 25.5)
    labels = refine(_shares(right, left), _tissue(shape))
    for side, truth in ((LungMask.RIGHT, right), (LungMask.LEFT, left)):
        found = labels == side
        assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.99
    assert labels.dtype == np.uint8


def test_slabs_meet_without_a_seam():
    shape = (180, 60, 60)
    tube = np.zeros(shape, bool)
    tube[6:174] = _ball((1, 60, 60), (0, 30, 30), 20.0)
    labels = refine(_shares(tube, np.zeros_like(tube)), _tissue(shape))
    assert (labels[12:168] == labels[90]).all()
    assert (labels[90] == LungMask.RIGHT).any()


def test_small_separate_parts_go_and_large_ones_stay():
    shares = np.zeros((2, 30, 30, 30), np.float32)
    shares[0, 2:12, 2:12, 2:12] = 1.0
    shares[0, 20:26, 2:8, 2:8] = 1.0  # 216 of 1000: a part of its own
    shares[0, 25, 25, 25] = 1.0
    cleaned, volume_ml = _clean(shares, least_part=0.05, closing_mm=9.0)
    assert cleaned[0, 25, 25, 25] == 0
    assert cleaned[0, 22, 4, 4] == 1
    assert volume_ml == 1216 * 27 / 1000


def test_what_a_lung_encloses_is_filled_with_it():
    shares = np.zeros((2, 20, 20, 20), np.float32)
    shares[1, 4:16, 4:16, 4:16] = 1.0
    shares[1, 8:12, 8:12, 8:12] = 0.0
    cleaned, _ = _clean(shares, least_part=0.05, closing_mm=9.0)
    assert (cleaned[1, 4:16, 4:16, 4:16] == 1).all()
    assert (cleaned[0] == 0).all()
    assert (shares[1, 8:12, 8:12, 8:12] == 0).all()  # the caller's data stay


def test_a_nodule_on_the_pleura_stays_inside():
    lung = _ball((40, 40, 40), (20, 20, 20), 15.0)
    nodule = _ball((40, 40, 40), (20, 20, 7), 2.1)  # 12 mm across, at the surface
    bay = nodule | _ball((40, 40, 40), (20, 20, 5), 2.1)
    shares = np.zeros((2, 40, 40, 40), np.float32)
    shares[0, (lung & ~bay)] = 1.0
    cleaned, _ = _clean(shares, least_part=0.05, closing_mm=9.0)
    inside = cleaned[0][nodule & lung] == 1
    assert cleaned[0, 20, 20, 7] == 1
    assert inside.mean() > 0.7  # all but its outermost layer


def test_nothing_found_is_an_empty_mask():
    cleaned, volume_ml = _clean(np.zeros((2, 8, 8, 8), np.float32), least_part=0.05, closing_mm=9.0)
    assert volume_ml == 0
    assert not refine(cleaned, _tissue((24, 24, 24))).any()


def test_at_the_border_air_is_lung_and_tissue_is_not():
    shape = (60, 60, 60)
    share = np.zeros((2, 20, 20, 20), np.float32)
    share[1, 5:15, 5:15, 5:15] = 1.0
    share[1, 5:15, 5:15, 15] = 0.4  # the network is in doubt about one layer
    hu = _tissue(shape)
    hu[:30] = -800.0
    labels = refine(share, hu)
    assert labels[20, 30, 46] == LungMask.LEFT
    assert labels[40, 30, 46] == 0
    assert (labels[20:40, 20:40, 20:40] == LungMask.LEFT).all()


def test_air_far_from_the_lungs_is_none_of_theirs():
    shares = np.zeros((2, 30, 30, 30), np.float32)
    shares[0, 10:20, 10:20, 2:12] = 1.0
    shares[0, 10:20, 10:20, 20:28] = 0.4  # bowel gas, say
    cleaned, _ = _clean(shares, least_part=0.05, closing_mm=9.0)
    labels = refine(cleaned, np.full((90, 90, 90), -900.0, np.float32))
    assert not labels[:, :, 54:].any()


@pytest.mark.parametrize(
    ("share", "hu", "is_lung"),
    [
        (0.51, 40.0, True),
        (0.5, 40.0, False),
        (0.49, 40.0, False),
        (0.26, -501.0, True),  # beside the lung the dark is lung even where the network doubts
        (0.25, -501.0, False),
        (0.24, -501.0, False),
        (0.26, -500.0, False),
        (0.26, -499.0, False),
    ],
)
def test_lung_is_more_than_half_or_more_than_a_quarter_and_dark(share, hu, is_lung):
    shares = np.zeros((2, 6, 6, 6), np.float32)
    shares[0] = share
    labels = refine(shares, np.full((18, 18, 18), hu, np.float32))
    assert (labels[9, 9, 9] == LungMask.RIGHT) == is_lung


def test_doubt_counts_within_two_coarse_voxels_of_a_lung():
    shares = np.zeros((2, 20, 20, 30), np.float32)
    shares[0, 5:15, 5:15, 5:15] = 1.0
    shares[0, 5:15, 5:15, 15:20] = 0.4
    cleaned, _ = _clean(shares, least_part=0.05, closing_mm=0.0)
    assert cleaned[0, 10, 10, 15:20].tolist() == pytest.approx([0.4, 0.4, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(("edge", "kept"), [(4, False), (5, True), (6, True)])
def test_a_part_of_an_eighth_of_the_largest_stays(edge, kept):
    """1000 voxels beside 100, 125 and 150."""
    shares = np.zeros((2, 24, 24, 24), np.float32)
    shares[0, 2:12, 2:12, 2:12] = 1.0
    shares[0, 16:21, 16:21, 16 : 16 + edge] = 1.0
    cleaned, _ = _clean(shares, least_part=0.125, closing_mm=0.0)
    assert bool(cleaned[0, 17, 17, 17] == 1) == kept


def _two_lungs_and_a_tip():
    """Draw a right and a left lung, and a small part called left beside the right one."""
    shares = np.zeros((2, 24, 24, 40), np.float32)
    shares[0, 4:16, 4:16, 4:16] = 1.0
    shares[1, 4:16, 4:16, 24:36] = 1.0
    shares[1, 18:21, 6:10, 6:10] = 0.9
    main = np.zeros((24, 24, 40), bool)
    main[19, 8, 8] = True
    return shares, main


def test_a_small_part_that_is_known_to_be_lung_stays_with_the_nearer_side():
    shares, main = _two_lungs_and_a_tip()
    cleaned, _ = _clean(shares, main=main, least_part=0.15, closing_mm=0.0)
    assert cleaned[0, 19, 8, 8] == pytest.approx(0.9)
    assert cleaned[1, 19, 8, 8] == 0
    unknown, _ = _clean(shares, least_part=0.15, closing_mm=0.0)
    assert unknown[:, 19, 8, 8].sum() == 0


def test_without_another_lung_the_known_part_stays_with_the_one():
    shares, main = _two_lungs_and_a_tip()
    shares[0] = shares[0] + shares[1]
    shares[1] = 0.0
    cleaned, _ = _clean(shares, main=main, least_part=0.15, closing_mm=0.0)
    assert cleaned[0, 19, 8, 8] == pytest.approx(0.9)


def test_what_one_lung_encloses_takes_its_side():
    shares = np.zeros((2, 24, 24, 40), np.float32)
    shares[0, 4:20, 4:20, 4:20] = 1.0
    shares[0, 10:13, 10:13, 10:13] = 0.0
    shares[1, 10:13, 10:13, 10:13] = 1.0
    shares[1, 4:20, 4:20, 24:36] = 1.0
    cleaned, _ = _clean(shares, least_part=0.15, closing_mm=0.0)
    assert (cleaned[0, 10:13, 10:13, 10:13] == 1).all()
    assert (cleaned[1, 10:13, 10:13, 10:13] == 0).all()
