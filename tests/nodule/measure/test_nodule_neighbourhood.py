"""What a nodule is made of and where it ends: each limit just within and just beyond.

Bodies are drawn in whole voxels without noise or blur, so that every HU is the one stated.
"""

import math

import numpy as np
import pytest

from nodule.geometry import Geometry, Vector
from nodule.measure.segment import GrowthRules, NoduleMask, segment_nodule
from nodule.volume import Volume

GRID = Geometry(shape_zyx=(48, 48, 48), spacing_zyx_mm=(0.7, 0.7, 0.7))
CENTER: Vector = (16.8, 16.8, 16.8)  # of voxel (24, 24, 24)
LUNG_HU = -850.0


def away_mm() -> np.ndarray:
    index = np.moveaxis(np.indices(GRID.shape_zyx), 0, -1)
    return np.linalg.norm(GRID.index_to_lps(index) - CENTER, axis=-1)


def ball(
    diameter_mm: float,
    hu: float,
    *,
    lung_hu: float = LUNG_HU,
    layer_hu: float | None = None,
    layer_mm: float = 0.7,
) -> np.ndarray:
    """Draw a ball in lung, in a layer of another HU where one is given."""
    array = np.full(GRID.shape_zyx, lung_hu, np.float32)
    if layer_hu is not None:
        array[away_mm() <= diameter_mm / 2 + layer_mm] = layer_hu
    array[away_mm() <= diameter_mm / 2] = hu
    return array


def grown(
    array: np.ndarray, diameter_mm: float, *, edge_fraction: float | None = None
) -> NoduleMask | None:
    rules = GrowthRules() if edge_fraction is None else GrowthRules(edge_fraction=edge_fraction)
    volume = Volume(array_zyx=array, geometry=GRID)
    return segment_nodule(volume, center_lps_mm=CENTER, diameter_mm=diameter_mm, rules=rules)


def texture(array: np.ndarray, diameter_mm: float) -> str | None:
    mask = grown(array, diameter_mm)
    return None if mask is None else mask.texture


def holds_the_layer(mask: NoduleMask | None, diameter_mm: float) -> bool:
    """Whether voxels beyond the ball belong to the mask."""
    assert mask is not None
    return int(mask.array_zyx.sum()) > 1.1 * int((away_mm() <= diameter_mm / 2).sum())


@pytest.mark.parametrize(
    ("hu", "expected"), [(199.0, "solid"), (200.0, "solid"), (201.0, "calcified")]
)
def test_what_is_denser_than_200_hu_is_calcified(hu: float, expected: str) -> None:
    """Fleischner Society: no soft tissue is."""
    assert texture(ball(10.0, hu), 10.0) == expected


@pytest.mark.parametrize(
    ("hu", "expected"), [(-299.0, "solid"), (-300.0, "ground-glass"), (-301.0, "ground-glass")]
)
def test_what_exceeds_minus_300_hu_is_solid(hu: float, expected: str) -> None:
    """Scholten 2015."""
    assert texture(ball(10.0, hu), 10.0) == expected


@pytest.mark.parametrize(
    ("hu", "expected"), [(-399.0, "solid"), (-400.0, "ground-glass"), (-401.0, "ground-glass")]
)
def test_a_small_nodule_is_solid_above_minus_400_hu(hu: float, expected: str) -> None:
    """Below 6 mm its middle lies in the blur of its edge."""
    assert texture(ball(5.0, hu), 5.0) == expected


@pytest.mark.parametrize(("diameter_mm", "expected"), [(5.7, "solid"), (6.3, "ground-glass")])
def test_nodules_from_6_mm_are_judged_by_their_interior(diameter_mm: float, expected: str) -> None:
    """MacMahon 2017: smaller ones cannot be called part-solid. -350 HU lies between both limits."""
    assert texture(ball(diameter_mm, -350.0), diameter_mm) == expected


@pytest.mark.parametrize(
    ("dense_share", "expected"),
    [
        (0.15, "ground-glass"),
        (0.25, "part-solid"),
        (0.55, "part-solid"),
        (0.65, "solid"),
    ],
)
def test_a_part_solid_nodule_is_dense_in_a_fifth_to_three_fifths(
    dense_share: float, expected: str
) -> None:
    """A ball whose lower cap is dense; both parts lie above the edge of the nodule."""
    array, radius_mm = ball(16.0, -320.0), 8.0
    height_mm = (np.arange(48) - 24) * 0.7
    sections = np.clip((radius_mm - 1.0) ** 2 - height_mm**2, 0.0, None)  # of the interior
    rows = int(np.searchsorted(sections.cumsum() / sections.sum(), dense_share))
    part = array[:rows]
    part[part == -320.0] = -280.0
    assert texture(array, 16.0) == expected


@pytest.mark.parametrize(("contrast_hu", "found"), [(79.0, False), (81.0, True)])
def test_what_is_less_than_80_hu_brighter_than_lung_is_nothing(
    contrast_hu: float, found: bool
) -> None:
    assert (grown(ball(14.0, LUNG_HU + contrast_hu), 14.0) is not None) == found


@pytest.mark.parametrize(("layer_hu", "within"), [(-779.0, True), (-781.0, False)])
def test_the_edge_of_a_faint_nodule_lies_at_minus_780_hu(layer_hu: float, within: bool) -> None:
    """Between lung at -850 and -760 HU it would lie at -806."""
    mask = grown(ball(14.0, -760.0, layer_hu=layer_hu), 14.0)
    assert holds_the_layer(mask, 14.0) == within


@pytest.mark.parametrize(("layer_hu", "within"), [(-99.0, True), (-101.0, False)])
def test_no_edge_lies_above_minus_100_hu(layer_hu: float, within: bool) -> None:
    """At nine tenths between -850 and 60 HU it would lie at -31."""
    mask = grown(ball(14.0, 60.0, layer_hu=layer_hu), 14.0, edge_fraction=0.9)
    assert holds_the_layer(mask, 14.0) == within


@pytest.mark.parametrize("hu", [60.0, 180.0])
@pytest.mark.parametrize(("above_hu", "within"), [(0.2, True), (-0.2, False)])
def test_the_edge_lies_485_thousandths_between_lung_and_soft_tissue(
    hu: float, above_hu: float, within: bool
) -> None:
    """Up to 60 HU, and no higher for what is brighter and not yet calcified."""
    edge_hu = LUNG_HU + 0.485 * (60.0 - LUNG_HU)
    mask = grown(ball(14.0, hu, layer_hu=edge_hu + above_hu), 14.0)
    assert holds_the_layer(mask, 14.0) == within


@pytest.mark.parametrize(
    ("lung_hu", "level_hu"),
    [
        (-751.0, -751.0),  # seen
        (-749.0, -850.0),  # no parenchyma in sight: customary
    ],
)
@pytest.mark.parametrize(("above_hu", "within"), [(1.0, True), (-1.0, False)])
def test_parenchyma_lies_below_minus_750_hu_or_is_taken_for_minus_850(
    lung_hu: float, level_hu: float, above_hu: float, within: bool
) -> None:
    edge_hu = level_hu + 0.485 * (40.0 - level_hu)
    mask = grown(ball(14.0, 40.0, lung_hu=lung_hu, layer_hu=edge_hu + above_hu), 14.0)
    assert holds_the_layer(mask, 14.0) == within


@pytest.mark.parametrize(
    ("contrast_hu", "expected"), [(165.0, "solid"), (169.0, "solid"), (171.0, "part-solid")]
)
def test_ground_glass_about_a_core_is_170_hu_brighter_than_lung(
    contrast_hu: float, expected: str
) -> None:
    array = ball(12.0, 40.0, layer_hu=LUNG_HU + contrast_hu, layer_mm=4.0)
    assert texture(array, 18.0) == expected


@pytest.mark.parametrize(
    ("layer_mm", "expected"), [(1.4, "solid"), (1.8, "solid"), (2.2, "part-solid")]
)
def test_ground_glass_fills_two_thirds_of_a_shell_about_the_core(
    layer_mm: float, expected: str
) -> None:
    """From 1.2 to 2.4 mm: 65 % of that shell about 12 mm lie within the first 2.0 mm."""
    assert texture(ball(12.0, 40.0, layer_hu=-600.0, layer_mm=layer_mm), 16.0) == expected


@pytest.mark.parametrize(("off_hu", "expected"), [(-4.0, "solid"), (4.0, "part-solid")])
@pytest.mark.parametrize("core_mm", [9.0, 10.0])
def test_a_small_core_may_lie_in_fainter_ground_glass(
    core_mm: float, off_hu: float, expected: str
) -> None:
    """From 10 HU and 7 more for every millimetre of the core on."""
    layer_hu = LUNG_HU + 10.0 + 7.0 * core_mm + off_hu
    assert texture(ball(core_mm, 40.0, layer_hu=layer_hu, layer_mm=3.0), 15.0) == expected


@pytest.mark.parametrize(("guess_mm", "expected"), [(14.9, "part-solid"), (14.5, "solid")])
def test_ground_glass_is_no_larger_than_expected_by_more_than_35_per_cent(
    guess_mm: float, expected: str
) -> None:
    """Of 20 mm in all."""
    assert texture(ball(12.0, 40.0, layer_hu=-600.0, layer_mm=4.0), guess_mm) == expected


@pytest.mark.parametrize("diameter_mm", [6.0, 14.0])
def test_a_ball_without_blur_is_taken_whole(diameter_mm: float) -> None:
    mask = grown(ball(diameter_mm, 30.0), diameter_mm)
    assert mask is not None
    drawn_mm3 = int((away_mm() <= diameter_mm / 2).sum()) * 0.7**3
    assert mask.volume_mm3 == pytest.approx(drawn_mm3)
    assert mask.volume_mm3 == pytest.approx(math.pi / 6 * diameter_mm**3, rel=0.05)
