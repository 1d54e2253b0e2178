"""Hounsfield units are judged by shares of voxels, each limit just within and just beyond."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from nodule.ct import read_ct
from nodule.ct._hounsfield import put_air_below_scale, refuse_other_units
from nodule.errors import InputError, NoduleError
from nodule.geometry import Geometry

SHAPE_ZYX = (5, 40, 50)  # 10,000 voxels, so that a share of 0.01 % is one of them
BODY = Geometry(shape_zyx=SHAPE_ZYX, spacing_zyx_mm=(2.0, 5.0, 5.0))
SMALLEST = Geometry(shape_zyx=SHAPE_ZYX, spacing_zyx_mm=(2.0, 2.5, 2.5))  # 100 mm high
SPOT = Geometry(shape_zyx=SHAPE_ZYX, spacing_zyx_mm=(2.0, 2.49, 2.49))  # 99.6 mm high


def volume(**shares: float) -> np.ndarray:
    """Return 10,000 voxels, of each value as many as its share says, spread over the volume."""
    counts = {float(hu): round(10_000 * share) for hu, share in shares.items()}
    assert sum(counts.values()) == 10_000
    values = np.repeat(list(counts), list(counts.values())).astype(np.float32)
    # one value a voxel of its own, so that none but the lowest is taken for undeclared padding
    return np.random.default_rng(0).permutation(values).reshape(SHAPE_ZYX)


def verdict(array: np.ndarray, *, geometry: Geometry = BODY, is_stated: bool = True) -> str:
    try:
        warnings = refuse_other_units(array, geometry, is_stated=is_stated)
    except InputError as refused:
        return refused.code
    return warnings[0].code if warnings else "OK"


CHEST: dict[str, float] = {"-1024": 0.2, "-850": 0.3, "40": 0.45, "500": 0.05}


def test_a_chest_passes() -> None:
    assert verdict(volume(**CHEST)) == "OK"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda hu: hu - 1024, id="rescaled twice"),
        pytest.param(lambda hu: hu + 1024, id="not rescaled"),
        pytest.param(lambda hu: 2 * (hu + 1024) - 1024, id="slope doubled"),
        pytest.param(lambda hu: 0.5 * (hu + 1024) - 1024, id="slope halved"),
        pytest.param(lambda hu: hu - 200, id="200 too low"),
        pytest.param(lambda hu: hu + 200, id="200 too high"),
        pytest.param(lambda hu: 0.8 * (hu + 1024) - 1024, id="slope 0.8"),
        pytest.param(lambda hu: 0.5 * hu, id="halved"),
        pytest.param(lambda hu: -hu, id="sign turned"),
        pytest.param(lambda hu: 3071 - hu, id="stored values turned"),
        pytest.param(lambda hu: -600 - hu, id="window turned"),
        pytest.param(lambda hu: 1e10 * (hu + 1024) - 1024, id="slope of 1e10"),
        pytest.param(lambda hu: (hu + 1000) / 6, id="eight bits"),
        pytest.param(lambda hu: (hu + 1000) / 1000, id="density"),
        pytest.param(lambda hu: np.full_like(hu, 40), id="blank"),
    ],
)
@pytest.mark.parametrize("padding", [None, -1000, -1024])
def test_other_units_are_refused_whatever_the_padding(change: Any, padding: float | None) -> None:
    array = change(volume(**CHEST)).astype(np.float32)
    array = np.where(array < -1024, -1000, array)  # as every reader does
    if padding is not None:
        array[:, :, :15] = padding
    assert verdict(array) == "NOT_HU"


@pytest.mark.parametrize(
    ("geometry", "is_stated", "expected"),
    [
        (BODY, True, "NOT_HU"),
        (SMALLEST, True, "NOT_HU"),
        (SPOT, True, "NO_AIR"),
        (SPOT, False, "NOT_HU"),
    ],
)
def test_only_a_small_field_of_stated_units_may_lack_air(
    geometry: Geometry, is_stated: bool, expected: str
) -> None:
    array = volume(**{"-250": 0.3, "40": 0.7})
    assert verdict(array, geometry=geometry, is_stated=is_stated) == expected


@pytest.mark.parametrize(
    ("air_hu", "share", "expected"),
    [
        ("-301", 0.0051, "OK"),
        ("-301", 0.0049, "NOT_HU"),
        ("-300", 0.0051, "NOT_HU"),
    ],
)
def test_air_is_half_a_percent_below_minus_300(air_hu: str, share: float, expected: str) -> None:
    padding = 1e-4  # the lowest value counts as padding
    array = volume(**{"-1024": padding, air_hu: share, "40": 1 - share - padding})
    assert verdict(array) == expected


@pytest.mark.parametrize(
    ("tissue_hu", "share", "expected"),
    [
        ("-199", 0.0102, "OK"),
        ("-199", 0.0098, "NOT_HU"),
        ("-200", 0.0102, "NOT_HU"),
    ],
)
def test_tissue_is_a_percent_above_minus_200(tissue_hu: str, share: float, expected: str) -> None:
    array = volume(**{"-1024": 1e-4, "-850": 1 - share - 1e-4, tissue_hu: share})
    assert verdict(array, geometry=SPOT) == expected


@pytest.mark.parametrize(
    ("water_hu", "share", "expected"),
    [
        ("300", 0.1005, "OK"),
        ("300", 0.0995, "NOT_HU"),
        ("301", 0.1005, "NOT_HU"),
    ],
)
def test_two_fifths_of_the_tissue_lies_round_water(
    water_hu: str, share: float, expected: str
) -> None:
    array = volume(**{"-1024": 0.1, "-850": 0.65, water_hu: share, "900": 0.25 - share})
    assert verdict(array) == expected


@pytest.mark.parametrize(
    ("soft_hu", "expected"),
    [("-121", "NOT_HU"), ("-120", "OK"), ("130", "OK"), ("131", "NOT_HU")],
)
def test_the_median_of_soft_tissue_is_no_denser_than_contrast_and_no_less_than_fat(
    soft_hu: str, expected: str
) -> None:
    array = volume(**{"-1024": 0.1, "-850": 0.6, soft_hu: 0.25, "500": 0.05})
    assert verdict(array) == expected
    assert verdict(array, geometry=SPOT) == "OK"  # which may lie inside fat, or a heart


@pytest.mark.parametrize(
    ("air_hu", "share", "expected"),
    [
        ("-551", 0.2, "OK"),
        ("-549", 0.2, "NOT_HU"),
        ("-549", 0.051, "NOT_HU"),
        ("-549", 0.049, "OK"),
    ],
)
def test_the_median_of_much_air_is_no_denser_than_airless_lung(
    air_hu: str, share: float, expected: str
) -> None:
    array = volume(**{"-1024": 1e-4, air_hu: share, "40": 1 - share - 1e-4})
    assert verdict(array) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.299, "OK"), (0.301, "NOT_HU")])
def test_no_image_is_bright_at_its_border(share: float, expected: str) -> None:
    array = np.full((5, 40, 50), -850, np.float32) + np.arange(50, dtype=np.float32)
    array[:, 5:35, 5:45] = 40
    rim = np.ones((40, 50), bool)
    rim[2:-2, 2:-2] = False
    places = np.flatnonzero(rim)
    array.reshape(5, -1)[:, places[: round(share * len(places))]] = 201
    assert verdict(array) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.2495, "OK"), (0.2505, "NOT_HU")])
def test_a_quarter_of_a_body_may_be_dense(share: float, expected: str) -> None:
    array = volume(**{"-1024": 1e-4, "-850": 0.3, "40": 0.7 - share - 1e-4, "501": share})
    array[:, [0, 1, -2, -1]] = -850
    array[:, :, [0, 1, -2, -1]] = -850
    dense = np.mean(array > 500)
    array[array == 40] = 501  # as many as are missing at the border
    places = np.flatnonzero(array == 501)
    wanted = round(share * array.size)
    assert dense < share < len(places) / array.size
    array.ravel()[places[wanted:]] = 40
    assert verdict(array) == expected


@pytest.mark.parametrize(("highest", "expected"), [(65_535, "OK"), (65_536, "NOT_HU")])
def test_no_voxel_lies_beyond_16_bits(highest: float, expected: str) -> None:
    array = volume(**CHEST)
    array[0, 0, 0] = highest
    assert verdict(array) == expected


def smooth() -> np.ndarray:
    """Return air round a body of 40 HU that fills a third of every slice and hardly changes."""
    array = np.full((9, 40, 50), -900, np.float32)
    array += np.arange(50, dtype=np.float32)
    for z in range(9):
        array[z, 8:28, 8 : 41 + z % 2] = 40
    return array


@pytest.mark.parametrize("z", [0, 4, 8])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda hu: hu + 1024, id="not rescaled"),
        pytest.param(lambda hu: np.where(hu - 1024 < -1024, -1000, hu - 1024), id="rescaled twice"),
        pytest.param(lambda hu: 2 * (hu + 1024) - 1024, id="slope doubled"),
        pytest.param(lambda hu: np.full_like(hu, -1000), id="blank"),
    ],
)
def test_one_odd_slice_is_refused(change: Any, z: int) -> None:
    grid = Geometry(shape_zyx=(9, 40, 50), spacing_zyx_mm=(2.0, 5.0, 5.0))
    array = smooth()
    assert verdict(array, geometry=grid) == "OK"
    array[z] = change(array[z])
    assert verdict(array, geometry=grid) == "NOT_HU"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda hu: hu + 1024, id="not rescaled"),
        pytest.param(lambda hu: 2 * (hu + 1024) - 1024, id="slope doubled"),
        pytest.param(lambda hu: np.full_like(hu, -1000), id="blank"),
    ],
)
@pytest.mark.parametrize("odd", [(0, 1), (3, 4), (7, 8), (2, 3, 4), (1, 4)])
def test_odd_slices_beside_each_other_are_refused(change: Any, odd: tuple[int, ...]) -> None:
    array = smooth()
    for z in odd:
        array[z] = change(array[z])
    assert verdict(array) == "NOT_HU"


def test_two_odd_slices_of_different_kinds_are_refused() -> None:
    array = smooth()
    array[4] = -1000
    array[5] += 1024
    assert verdict(array) == "NOT_HU"


def test_half_a_volume_in_other_units_is_refused() -> None:
    array = smooth()
    array[:5] += 1024
    assert verdict(array) == "NOT_HU"


@pytest.mark.parametrize(
    ("z", "share", "expected"),
    [
        *((z, 0.0995, "OK") for z in (0, 8)),
        *((z, 0.1005, "NOT_HU") for z in (0, 8)),
        *((z, 0.0495, "OK") for z in (3, 7)),
        *((z, 0.0505, "NOT_HU") for z in (3, 7)),
    ],
)
def test_a_slice_differs_from_both_its_neighbours_in_5_percent_at_most_and_at_an_end_in_10(
    z: int, share: float, expected: str
) -> None:
    array = np.tile(smooth()[:1], (9, 1, 1))
    array[z].ravel()[: round(2000 * share)] += 501
    assert verdict(array) == expected


def air_below(share: float, lowest: float, kinds: int) -> str:
    slice_yx = np.full((40, 50), 40, np.float32)
    slice_yx.ravel()[: round(2000 * share)] = lowest - np.arange(round(2000 * share)) % kinds
    try:
        put_air_below_scale(slice_yx)
    except NoduleError as error:
        return error.code
    assert (slice_yx == np.where(np.arange(2000).reshape(40, 50) < 2000 * share, -1000, 40)).all()
    return "OK"


@pytest.mark.parametrize(
    ("share", "lowest", "kinds", "expected"),
    [
        (0.9, -2000, 1, "OK"),  # padding is a value, or two
        (0.9, -2000, 2, "OK"),
        (0.9, -2000, 9, "NOT_HU"),
        (0.0995, -2000, 199, "OK"),
        (0.1055, -2000, 199, "NOT_HU"),
        (0.9, -1200, 100, "OK"),  # as low as noise of air reaches, to -1299
        (0.9, -1301, 9, "NOT_HU"),
    ],
)
def test_what_lies_below_the_scale_is_padding_where_it_does_not_vary(
    share: float, lowest: float, kinds: int, expected: str
) -> None:
    assert air_below(share, lowest, kinds) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.4995, "OK"), (0.5005, "NOT_HU")])
def test_half_a_slice_may_change_for_good(share: float, expected: str) -> None:
    """As where lungs begin, in a drawing without partial volumes."""
    array = np.tile(smooth()[:1], (9, 1, 1))
    array[4:].reshape(5, -1)[:, : round(2000 * share)] += 501
    assert verdict(array) == expected


def test_noise_is_no_odd_slice() -> None:
    """Where all slices differ that much, none is odd."""
    array = np.random.default_rng(0).integers(-1000, 400, SHAPE_ZYX).astype(np.float32)
    assert verdict(array) == "OK"


def test_dicom_and_image_files_are_judged_alike(
    synthetic: Any, clean_series: Path, tmp_path: Path
) -> None:
    """A CT rescaled twice, as a series of DICOM and as NIfTI."""
    slices = synthetic.make_slices()
    for ds in slices:
        ds.RescaleIntercept -= 1024
    with pytest.raises(NoduleError, match="NOT_HU"):
        read_ct(synthetic.save(slices, tmp_path / "dicom"))
    array = read_ct(clean_series).volume.array_zyx - 1024
    image = nibabel.Nifti1Image(array.T.astype(np.int16), np.diag([-1.0, -1, 1, 1]))
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(NoduleError, match="NOT_HU"):
        read_ct(tmp_path / "a.nii")


def test_image_files_are_warned_of_short_coverage_like_dicom(
    clean_series: Path, tmp_path: Path
) -> None:
    array = read_ct(clean_series).volume.array_zyx
    for gap_mm, codes in ((16.6, ["SHORT_COVERAGE"]), (16.7, [])):
        image = nibabel.Nifti1Image(array.T.astype(np.int16), np.diag([-1.0, -1, gap_mm, 1]))
        nibabel.save(image, tmp_path / "a.nii")
        assert [w.code for w in read_ct(tmp_path / "a.nii").warnings] == codes


@pytest.mark.parametrize(("gap_hu", "expected"), [(199, "OK"), (201, "NOT_HU")])
def test_a_lowest_value_that_stands_alone_is_padding_and_no_air(gap_hu: int, expected: str) -> None:
    """Stored values without their rescale, round which something else was put."""
    array = volume(**{str(-310): 0.1, str(-310 + gap_hu): 0.1, "0": 0.8})
    assert verdict(array, geometry=SPOT, is_stated=False) == expected
