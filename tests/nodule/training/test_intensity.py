"""Scanners change what an image looks like by as much as they say, and nothing else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.training import ScannerRanges, draw_scanner
from nodule.training._intensity import Scanner

RNG = np.random.default_rng


def lung() -> NDArray[np.float32]:
    return np.full((40, 40, 40), -850.0, np.float32)


def test_the_plain_scanner_changes_nothing() -> None:
    image = RNG(0).normal(-800, 50, (8, 8, 8)).astype(np.float32)
    np.testing.assert_allclose(Scanner().show(image, RNG(0)), image, atol=1e-3)


def test_the_image_that_was_given_stays_as_it_was() -> None:
    image = lung()
    scanner = Scanner(
        thickness_mm=3.0, blur_sigma_mm=0.5, sharpening=0.5, noise_hu=20.0, gain=1.05, shift_hu=9.0
    )
    scanner.show(image, RNG(0))
    assert (image == -850.0).all()


def test_gain_and_shift_by_hand() -> None:
    # 150 HU above air become 165, and 10 more
    shown = Scanner(gain=1.1, shift_hu=10.0).show(lung(), RNG(0))
    np.testing.assert_allclose(shown, -825.0, atol=1e-3)


@pytest.mark.parametrize("correlated", [True, False])
def test_noise_has_its_standard_deviation(correlated: bool) -> None:
    shown = Scanner(noise_hu=30.0, correlated=correlated).show(lung(), RNG(1))
    assert float(shown.std()) == pytest.approx(30.0, rel=0.03)
    neighbours = np.corrcoef(shown[1:].ravel(), shown[:-1].ravel())[0, 1]
    assert neighbours == pytest.approx(0.5 if correlated else 0.0, abs=0.05)


def test_a_thick_slice_spreads_along_z_alone() -> None:
    image = lung()
    image[20] = 150.0
    shown = Scanner(thickness_mm=4.0).show(image, RNG(0))
    profile = shown[:, 20, 20]
    np.testing.assert_allclose(shown, np.broadcast_to(profile[:, None, None], shown.shape))
    assert (profile > -845.0).sum() >= 4
    assert profile.max() < -500.0  # a quarter of 1000 HU, at most


def test_blur_is_in_millimetres_whatever_the_voxels() -> None:
    spike = lung()
    spike[20, 20, 20] = 150.0
    for voxel_mm in (0.5, 1.0):
        shown = Scanner(blur_sigma_mm=1.0).show(spike, RNG(0), voxel_mm=voxel_mm) + 850.0
        offset_mm = (np.arange(40) - 20) * voxel_mm
        profile = shown.sum(axis=(1, 2))
        variance = float((profile * offset_mm**2).sum() / profile.sum())
        assert variance == pytest.approx(1.0, rel=0.05)


def test_drawn_scanners_stay_in_their_ranges() -> None:
    ranges = ScannerRanges()
    scanners = [draw_scanner(RNG(seed), ranges) for seed in range(300)]
    thick = [s.thickness_mm for s in scanners if s.thickness_mm is not None]
    assert len(thick) / 300 == pytest.approx(0.4, abs=0.1)
    assert 1.5 <= min(thick) <= max(thick) <= 4.0
    assert not any(s.blur_sigma_mm > 0 and s.sharpening > 0 for s in scanners)
    assert max(abs(s.shift_hu) for s in scanners) <= 25.0
    assert np.mean([s.noise_hu > 0 for s in scanners]) == pytest.approx(0.6, abs=0.1)


def test_any_scanner_keeps_the_lung_a_lung() -> None:
    for seed in range(20):
        shown = draw_scanner(RNG(seed), ScannerRanges()).show(lung(), RNG(seed))
        assert shown.dtype == np.float32
        assert float(shown.mean()) == pytest.approx(-850, abs=50)
