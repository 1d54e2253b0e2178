"""Damage to where slices lie: places, directions, sizes."""

import random
from copy import deepcopy

import numpy as np
from pydicom.dataset import Dataset

from damage.damaged_series import ANY_ENCODING, ANY_NATIVE, DamagedSeries, one_or_all, size, some
from damage.edits import double, drop, flip, put, remove, shift, slide_all, swap_positions, turn
from damage.kinds import Registry

Random = random.Random
KINDS = Registry()


def move(ds: Dataset, by_lps_mm: np.ndarray) -> None:
    position = np.asarray(ds.ImagePositionPatient, float) + by_lps_mm
    ds.ImagePositionPatient = [f"{v:.9f}" for v in position]


def step_lps_mm(series: DamagedSeries) -> np.ndarray:
    return series.truth.affine[:3, 0]


@KINDS.of(*ANY_NATIVE)
def dropped_inside(rng: Random, series: DamagedSeries) -> None:
    places = rng.sample(range(1, 11), rng.randint(1, 4))
    series.lost_slices = len(places)
    drop(*places)(series.slices)


@KINDS.of(*ANY_ENCODING)
def dropped_at_ends(rng: Random, series: DamagedSeries) -> None:
    low, high = rng.randint(0, 6), rng.randint(0, 5)
    series.lost_slices = low + high
    series.slices[:] = series.slices[low : 12 - high]


@KINDS.of(*ANY_NATIVE)
def copied_files(rng: Random, series: DamagedSeries) -> None:
    for k in rng.sample(range(12), rng.randint(1, 12)):
        double(k, new_uid=False)(series.slices)


@KINDS.of(*ANY_NATIVE)
def doubled_slices(rng: Random, series: DamagedSeries) -> None:
    for k in rng.sample(range(12), rng.choice((1, 2, 12))):
        double(k, new_uid=True)(series.slices)
        copy = series.slices[-1]
        copy.SOPInstanceUID = copy.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{k}"
        if rng.random() < 0.5:
            copy.InstanceNumber = 13 + k
        if rng.random() < 0.5:
            copy.PixelData = rng.choice(series.slices).PixelData


@KINDS.of(*ANY_NATIVE)
def doubled_between(rng: Random, series: DamagedSeries) -> None:
    """A second reconstruction lies between the slices of the first."""
    share = rng.choice((0.5, rng.uniform(0.001, 0.999)))
    for k in range(12) if rng.random() < 0.5 else [rng.randrange(11)]:
        copy = deepcopy(series.slices[k])
        copy.SOPInstanceUID = copy.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{k}"
        move(copy, share * step_lps_mm(series))
        series.slices.append(copy)


@KINDS.of(*ANY_ENCODING)
def swapped_positions(rng: Random, series: DamagedSeries) -> None:
    swap_positions(*rng.sample(range(12), 2))(series.slices)


@KINDS.of(*ANY_NATIVE)
def shuffled_positions(rng: Random, series: DamagedSeries) -> None:
    places = rng.sample(range(12), rng.randint(3, 12))
    turned = places[1:] + places[:1]
    positions = [series.slices[k].ImagePositionPatient for k in turned]
    for k, position in zip(places, positions, strict=True):
        series.slices[k].ImagePositionPatient = position


@KINDS.of(*ANY_NATIVE)
def swapped_positions_of_numberless_slices(rng: Random, series: DamagedSeries) -> None:
    """The old SliceLocation still tells their order."""
    for k, ds in enumerate(series.slices):
        ds.SliceLocation = f"{-300 + 13.0 * k:.1f}"
    remove(None, "InstanceNumber")(series.slices)
    swap_positions(*rng.sample(range(12), 2))(series.slices)


@KINDS.of(*ANY_NATIVE)
def moved_one(rng: Random, series: DamagedSeries) -> None:
    shift(rng.randrange(12), rng.randrange(3), size(rng, 0.02, 400))(series.slices)


@KINDS.of(*ANY_NATIVE)
def moved_all_a_little(rng: Random, series: DamagedSeries) -> None:
    spread_mm = abs(size(rng, 0.02, 20))
    for ds in series.slices:
        move(ds, np.array([rng.gauss(0, spread_mm) for _ in range(3)]))


@KINDS.of(*ANY_NATIVE)
def stretched_part(rng: Random, series: DamagedSeries) -> None:
    start, factor = rng.randrange(2, 12), size(rng, 0.002, 2)
    for k in range(start, 12):
        move(series.slices[k], factor * (k - start + 1) * step_lps_mm(series))


@KINDS.of(*ANY_NATIVE)
def tilted(rng: Random, series: DamagedSeries) -> None:
    slide_all(size(rng, 0.004, 10))(series.slices)


@KINDS.of(*ANY_NATIVE)
def bent(rng: Random, series: DamagedSeries) -> None:
    across, depth = series.truth.affine[:3, 2] / 9.5, size(rng, 0.03, 20)
    for k, ds in enumerate(series.slices):
        move(ds, across * depth * np.sin(k / 11 * np.pi))


@KINDS.of(*ANY_NATIVE)
def negated_coordinate(rng: Random, series: DamagedSeries) -> None:
    axis = rng.randrange(3)
    for k in some(rng, series):
        position = [float(v) for v in series.slices[k].ImagePositionPatient]
        position[axis] *= -1
        series.slices[k].ImagePositionPatient = position


@KINDS.of(*ANY_NATIVE)
def wrong_position_values(rng: Random, series: DamagedSeries) -> None:
    bad = (["0"] * 3, ["0", "0"], ["nan", "0", "0"], ["0", "inf", "0"], [], ["1e9"] * 3)
    where = one_or_all(rng, series)
    if rng.random() < 0.2:
        remove(where, "ImagePositionPatient")(series.slices)
    else:
        put(where, "ImagePositionPatient", rng.choice(bad))(series.slices)


@KINDS.of(*ANY_NATIVE)
def flipped_rows_or_columns(rng: Random, series: DamagedSeries) -> None:
    signs = rng.choice(((-1, 1), (1, -1), (-1, -1)))
    for k in some(rng, series):
        flip(k, signs)(series.slices)


@KINDS.of(*ANY_NATIVE)
def exchanged_rows_and_columns(rng: Random, series: DamagedSeries) -> None:
    turn(some(rng, series), np.array([[0.0, 1], [1, 0]]))(series.slices)


@KINDS.of(*ANY_NATIVE)
def turned_some_in_plane(rng: Random, series: DamagedSeries) -> None:
    angle = size(rng, 1e-4, 3)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turn(some(rng, series), matrix)(series.slices)


@KINDS.of(*ANY_NATIVE)
def turned_out_of_plane(rng: Random, series: DamagedSeries) -> None:
    """Positions no longer rise along the normal of the planes."""
    angle = size(rng, 1e-3, 1.5)
    normal = step_lps_mm(series) / 13.0
    for k in range(12) if rng.random() < 0.5 else some(rng, series):
        ds = series.slices[k]
        axes = np.asarray(ds.ImageOrientationPatient, float).reshape(2, 3)
        axes[0] = np.cos(angle) * axes[0] + np.sin(angle) * normal
        ds.ImageOrientationPatient = [f"{v:.9f}" for v in axes.ravel()]


@KINDS.of(*ANY_NATIVE)
def skewed_axes(rng: Random, series: DamagedSeries) -> None:
    turn(one_or_all(rng, series), np.array([[1, 0], [size(rng, 1e-4, 0.5), 1]]))(series.slices)


@KINDS.of(*ANY_NATIVE)
def stretched_axes(rng: Random, series: DamagedSeries) -> None:
    factors = [1 + size(rng, 1e-4, 0.9) for _ in range(2)]
    turn(one_or_all(rng, series), np.diag(factors))(series.slices)


@KINDS.of(*ANY_NATIVE)
def wrong_orientation_values(rng: Random, series: DamagedSeries) -> None:
    bad = (
        *(["0"] * 6, ["1", "0", "0", "1", "0", "0"], ["1", "0", "0"], ["nan"] * 6, []),
        *(["1", "0", "0", "0", "0", "1"], ["1", "0", "0", "0", "1", "0"]),
    )
    where = rng.randrange(12) if rng.random() < 0.6 else None
    value = rng.choice(bad)
    if rng.random() < 0.2:
        remove(where, "ImageOrientationPatient")(series.slices)
    else:
        put(where, "ImageOrientationPatient", value)(series.slices)


@KINDS.of(*ANY_NATIVE)
def wrong_pixel_spacing(rng: Random, series: DamagedSeries) -> None:
    bad = (["0", "9.5"], ["7.5", "0"], ["-7.5", "9.5"], ["nan", "9.5"], ["7.5"], ["7.5", "inf"])
    worse = (["7.5", "9.5", "13"], ["1e-4", "1e-4"], ["750", "950"], [])
    where = one_or_all(rng, series)
    if rng.random() < 0.2:
        remove(where, "PixelSpacing")(series.slices)
    else:
        put(where, "PixelSpacing", rng.choice(bad + worse))(series.slices)


@KINDS.of(*ANY_NATIVE)
def other_pixel_spacing_in_some(rng: Random, series: DamagedSeries) -> None:
    factor = 1 + abs(size(rng, 1e-4, 3))
    value = rng.choice(
        (["9.5", "7.5"], [f"{7.5 * factor:.7f}", "9.5"], ["7.5", f"{9.5 * factor:.7f}"])
    )
    put(some(rng, series), "PixelSpacing", value)(series.slices)
