"""What is lung of what the network might call lung, on drawn air in drawn tissue."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.lungs._coarse import Shares, coarsen
from nodule.lungs._gate import AirPiece, inside_body, lung_pieces

Mask = NDArray[np.bool_]
SHAPE = (90, 90, 120)


def block(*, low: tuple[int, int, int], high: tuple[int, int, int]) -> Mask:
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


LUNG = block(low=(30, 15, 15), high=(81, 75, 60))
BOWEL = block(low=(9, 15, 15), high=(27, 75, 60))  # 3 mm of wall between
FAR = block(low=(30, 15, 75), high=(60, 75, 105))


def scan(*others: Mask, gas: float, share: float) -> tuple[Shares, NDArray[np.float32]]:
    """Draw lung of -850 HU, and other air with a share of gas that the network is less sure of.

    The wall between them is called lung as well.
    """
    hu = np.full(SHAPE, 40.0, np.float32)
    hu[LUNG] = -850.0
    called = 0.98 * LUNG
    called[27:30, 15:75, 15:60] = 0.6 if others else 0.0
    for other in others:
        called[other] = share
        air = np.full(int(other.sum()), -700.0, np.float32)
        air[: round(gas * air.size)] = -990.0
        hu[other] = air
    right = coarsen(called.astype(np.float32))
    return np.stack([right, np.zeros_like(right)]), hu


def kept(*others: Mask, gas: float, share: float) -> tuple[bool, bool]:
    """Tell whether the lung stays, and the other air."""
    shares, hu = scan(*others, gas=gas, share=share)
    found, _, _ = lung_pieces(shares, hu, least_part=0.15)
    called = found.sum(0) > 0.5
    lung, other = (coarsen(m.astype(np.float32)) == 1 for m in (LUNG, others[0]))
    return bool(called[lung].all()), bool(called[other].all())


@pytest.mark.parametrize(
    ("gas", "share", "stays"),
    [
        (0.00, 0.745, False),
        (0.00, 0.755, True),
        (0.19, 0.755, True),
        (0.21, 0.755, False),
        (0.21, 0.895, False),
        (0.21, 0.905, True),  # an emphysema, a pneumothorax
        (0.79, 0.905, True),
        (0.81, 0.905, False),  # nothing but gas
    ],
)
def test_gas_and_doubt_tell_bowel_from_lung(gas: float, share: float, stays: bool) -> None:
    assert kept(BOWEL, gas=gas, share=share) == (True, stays)
    assert AirPiece(volume_ml=1.0, share=share, gas=gas).is_lung == stays


@pytest.mark.parametrize(("hu", "gas"), [(-961.0, 1.0), (-960.0, 0.0), (-959.0, 0.0)])
def test_gas_is_darker_than_minus_960(hu: float, gas: float) -> None:
    shares, drawn = scan(gas=0.0, share=0.0)
    drawn[LUNG] = hu
    _, _, (piece,) = lung_pieces(shares, drawn, least_part=0.15)
    assert piece.gas == gas
    assert piece.volume_ml == pytest.approx(LUNG.sum() / 1000)
    assert piece.share == pytest.approx(0.98, abs=0.02)


@pytest.mark.parametrize(("hu", "pieces"), [(-501.0, 1), (-500.0, 0), (-499.0, 0)])
def test_air_is_darker_than_minus_500(hu: float, pieces: int) -> None:
    shares, drawn = scan(gas=0.0, share=0.0)
    drawn[LUNG] = hu
    assert len(lung_pieces(shares, drawn, least_part=0.15)[2]) == pieces


def test_the_wall_goes_to_the_nearer() -> None:
    shares, hu = scan(BOWEL, gas=0.6, share=0.8)
    shares[0, 8:10, 5:25, 5:20] = 0.6
    hu[24:30] = 40.0  # the bowel ends at 24, the lung begins at 30
    found, _, _ = lung_pieces(shares, hu, least_part=0.15)
    assert found[0, 8, 10, 10] == 0
    assert found[0, 9, 10, 10] > 0.5


@pytest.mark.parametrize(("voxels", "pieces"), [(499, 1), (500, 2), (501, 2)])
def test_specks_under_half_a_millilitre_decide_nothing(voxels: int, pieces: int) -> None:
    place = block(low=(9, 21, 21), high=(18, 30, 30))
    shares, hu = scan(place, gas=1.0, share=0.8)
    air = np.full(729, 40.0, np.float32)
    air[:voxels] = -1000.0
    hu[place] = air
    assert len(lung_pieces(shares, hu, least_part=0.15)[2]) == pieces


def test_what_is_no_lung_leaves_nothing_where_there_is_no_lung() -> None:
    shares, hu = scan(gas=0.0, share=0.0)
    hu[LUNG] = -700.0
    found, main, _ = lung_pieces(0.6 * shares, hu, least_part=0.15)
    assert not found.any()
    assert not main.any()


def test_where_nothing_is_called_lung_nothing_is_found() -> None:
    hu = np.full(SHAPE, 40.0, np.float32)
    shares = np.zeros((2, 30, 30, 40), np.float32)
    found, main, pieces = lung_pieces(shares, hu, least_part=0.15)
    assert not found.any()
    assert not main.any()
    assert pieces == ()


@pytest.mark.parametrize(("least_part", "is_main"), [(0.38, True), (0.41, False)])
def test_a_main_piece_has_its_part_of_the_largest(least_part: float, is_main: bool) -> None:
    shares, hu = scan(FAR, gas=0.0, share=0.95)  # 54 of 137.7 ml: 0.392
    _, main, _ = lung_pieces(shares, hu, least_part=least_part)
    assert main[15, 15, 10]
    assert main[15, 15, 30] == is_main


def column(
    *, slices_of_body: int, low_x: int, shift: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw 40 slices of air that is called lung, within a body that is there in some of them."""
    hu = np.full((40, 40, 40), -1000.0, np.float32)
    hu[:slices_of_body, 5:35, low_x : low_x + 30] = 40.0
    lung = np.s_[:, 15:25, low_x + shift : low_x + shift + 10]
    hu[lung] = -850.0
    shares = np.zeros((2, *hu.shape), np.float32)
    shares[0][lung] = 1.0
    return shares, hu


@pytest.mark.parametrize(("slices", "stays"), [(9, False), (10, True), (11, True)])
def test_a_part_of_which_a_quarter_is_inside_the_body_stays(slices: int, stays: bool) -> None:
    shares, hu = column(slices_of_body=slices, low_x=5, shift=10)
    found, outside_ml = inside_body(shares, hu)
    assert found.any().item() == stays
    assert outside_ml == pytest.approx(0.0 if stays else 40 * 100 * 0.027)


@pytest.mark.parametrize(("low_x", "stays"), [(0, True), (1, False)])
def test_what_reaches_the_images_side_is_not_judged(low_x: int, stays: bool) -> None:
    shares, hu = column(slices_of_body=9, low_x=low_x)
    assert inside_body(shares, hu)[0].any().item() == stays
