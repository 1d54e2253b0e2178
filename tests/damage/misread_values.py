"""Damage to what stored values mean: rescale, bits, grey scale, size, padding."""

import random

from damage.damaged_series import ANY_ENCODING, ANY_NATIVE, DamagedSeries, one_or_all, size, some
from damage.edits import put, remove
from damage.kinds import Registry

Random = random.Random
KINDS = Registry()


@KINDS.of(*ANY_ENCODING)
def rescale_removed(rng: Random, series: DamagedSeries) -> None:
    where = one_or_all(rng, series)
    for keyword in rng.choice((["RescaleSlope"], ["RescaleIntercept"], ["RescaleSlope"] * 2)):
        remove(where, keyword)(series.slices)


@KINDS.of(*ANY_ENCODING)
def wrong_rescale_values(rng: Random, series: DamagedSeries) -> None:
    bad = ("0", "nan", "inf", "-inf", "1e10", "-1", "1e-6", "", ["1", "2"], "1e400")
    put(one_or_all(rng, series), "RescaleSlope", rng.choice(bad))(series.slices)


@KINDS.of(*ANY_ENCODING)
def wrong_intercept_values(rng: Random, series: DamagedSeries) -> None:
    bad = ("nan", "inf", "1e10", "", ["0", "0"], "-1e7", "1e39")
    put(one_or_all(rng, series), "RescaleIntercept", rng.choice(bad))(series.slices)


@KINDS.of(*ANY_ENCODING)
def other_slope_in_some(rng: Random, series: DamagedSeries) -> None:
    factor = rng.choice((2.0, 0.5, 1 + size(rng, 0.001, 0.9)))
    put(some(rng, series), "RescaleSlope", f"{factor:.6f}")(series.slices)


@KINDS.of(*ANY_ENCODING)
def other_intercept_in_some(rng: Random, series: DamagedSeries) -> None:
    usual = float(series.slices[0].RescaleIntercept)
    change = rng.choice((-1024, 1024, round(size(rng, 1, 3000))))
    put(some(rng, series), "RescaleIntercept", f"{usual + change:.0f}")(series.slices)


@KINDS.of(*ANY_ENCODING)
def rescaled_twice(rng: Random, series: DamagedSeries) -> None:
    """The intercept was applied before storing and is stated again, or not at all."""
    usual = float(series.slices[0].RescaleIntercept)
    put(None, "RescaleIntercept", f"{usual + rng.choice((-1024, 1024)):.0f}")(series.slices)


@KINDS.of(*ANY_ENCODING)
def slope_of_another_unit(rng: Random, series: DamagedSeries) -> None:
    put(None, "RescaleSlope", f"{rng.choice((0.001, 0.01, 0.1, 0.25, 4, 10, 100)):g}")(
        series.slices
    )


@KINDS.of(*ANY_NATIVE)
def rescale_type(rng: Random, series: DamagedSeries) -> None:
    kind = rng.choice(("OD", "MGML", "PCT", "Z_EFF", "ED", "NONSENSE"))
    put(one_or_all(rng, series), "RescaleType", kind)(series.slices)


@KINDS.of(*ANY_ENCODING)
def fewer_bits_stored(rng: Random, series: DamagedSeries) -> None:
    bits, where = rng.randint(1, 11), one_or_all(rng, series)
    put(where, "BitsStored", bits)(series.slices)
    put(where, "HighBit", bits - 1)(series.slices)


@KINDS.of(*ANY_ENCODING)
def wrong_high_bit(rng: Random, series: DamagedSeries) -> None:
    high = series.slices[0].HighBit
    bad = rng.choice([n for n in (0, 7, 10, 11, 12, 14, 15, 16, 31, 65535) if n != high])
    put(one_or_all(rng, series), "HighBit", bad)(series.slices)


@KINDS.of(*ANY_ENCODING)
def wrong_bits_allocated(rng: Random, series: DamagedSeries) -> None:
    bits = rng.choice((0, 1, 8, 12, 24, 32, 64))
    put(one_or_all(rng, series), "BitsAllocated", bits)(series.slices)


@KINDS.of(*ANY_ENCODING)
def wrong_bits_stored(rng: Random, series: DamagedSeries) -> None:
    put(one_or_all(rng, series), "BitsStored", rng.choice((0, 17, 32, 65535)))(series.slices)


@KINDS.of(*ANY_ENCODING)
def other_sign_in_some(rng: Random, series: DamagedSeries) -> None:
    for k in some(rng, series):
        series.slices[k].PixelRepresentation ^= 1


@KINDS.of("explicit", "big-endian", "rle")
def unsigned_in_all(rng: Random, series: DamagedSeries) -> None:
    """Negative values become very large ones."""
    put(None, "PixelRepresentation", 0)(series.slices)


@KINDS.of(*ANY_ENCODING)
def grey_scale(rng: Random, series: DamagedSeries) -> None:
    kind = rng.choice(("MONOCHROME1", "RGB", "YBR_FULL_422", "PALETTE COLOR", "YBR_RCT", "OTHER"))
    put(one_or_all(rng, series), "PhotometricInterpretation", kind)(series.slices)


@KINDS.of(*ANY_ENCODING)
def several_samples(rng: Random, series: DamagedSeries) -> None:
    put(one_or_all(rng, series), "SamplesPerPixel", rng.choice((0, 2, 3, 4, 65535)))(series.slices)


@KINDS.of(*ANY_ENCODING)
def other_matrix(rng: Random, series: DamagedSeries) -> None:
    """One of both sizes is stated otherwise, in one slice or in all."""
    keyword = rng.choice(("Rows", "Columns"))
    usual = series.slices[0][keyword].value
    change = rng.choice((-1, 1, -usual, usual, 8 - usual, 65535 - usual, rng.randint(1, 20)))
    put(one_or_all(rng, series), keyword, usual + change)(series.slices)


@KINDS.of(*ANY_ENCODING)
def exchanged_matrix_in_some(rng: Random, series: DamagedSeries) -> None:
    for k in some(rng, series):
        ds = series.slices[k]
        ds.Rows, ds.Columns = ds.Columns, ds.Rows


@KINDS.of("jpeg-ls", "jpeg-2000")
def exchanged_matrix_in_all(rng: Random, series: DamagedSeries) -> None:
    for ds in series.slices:
        ds.Rows, ds.Columns = ds.Columns, ds.Rows


@KINDS.of(*ANY_NATIVE)
def missing_pixel_attributes(rng: Random, series: DamagedSeries) -> None:
    keyword = rng.choice(
        ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
    )
    remove(one_or_all(rng, series), keyword)(series.slices)


@KINDS.of(*ANY_ENCODING)
def padding_within_tissue(rng: Random, series: DamagedSeries) -> None:
    """Padding that is no padding would blank what lies at its value."""
    where, usual = one_or_all(rng, series), float(series.slices[0].RescaleIntercept)
    hu = rng.choice((-850, -700, 0, 40, 1150))
    put(where, "PixelPaddingValue", int(hu - usual))(series.slices)
    if rng.random() < 0.5:
        limit = int(hu - usual + rng.randint(-1000, 1000))
        if not series.slices[0].PixelRepresentation:
            limit = max(limit, 0)
        put(where, "PixelPaddingRangeLimit", limit)(series.slices)


@KINDS.of(*ANY_NATIVE)
def one_blank_slice(rng: Random, series: DamagedSeries) -> None:
    """A slice that was not written through: its end is zeros, or one value."""
    ds = rng.choice(series.slices)
    keep = rng.choice((0, len(ds.PixelData) // 2))
    ds.PixelData = ds.PixelData[:keep] + bytes(len(ds.PixelData) - keep)
