"""Are the voxels Hounsfield units of a body? One rule for every format.

Judged by shares of the measured voxels, never by extremes: a metal clip or a hot pixel proves
nothing, and neither does padding, whatever value a writer gave it. On chests, heads and phantoms
of six makers the shares lie far from the limits: air 48 to 89 %, tissue 11 to 51 %, 55 to 97 % of
the tissue near water, and at most 13 % of a slice differs from the next by 500 HU. No slice differs
from both its neighbours so much while these are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.hu import AIR_HU, HuArray
from nodule.study import StudyWarning

LOWEST_HU = -1024.0  # what a CT can store at its lowest; below is padding round the circle
HIGHEST_HU = 65_535.0
BODY_MM = 100.0  # a smaller field of view may lie inside tissue

_AIR_BELOW_HU = -300.0
_TISSUE_ABOVE_HU, _WATER_BELOW_HU = -200.0, 300.0
_MIN_AIR, _MIN_TISSUE, _MIN_WATER = 0.005, 0.01, 0.4
_STEP_HU = 500.0  # between neighbouring slices: more than fat against muscle, less than air
_ODD_SLICE, _ODD_RUN, _ODD_PART, _ODD_RATIO = 0.05, 0.15, 0.5, 10.0
_SHORT_RUN = 2  # slices: anatomy may come and go within more
_ODD_ENDS = (0.1, 0.3)  # for one slice and for two at either end
_MOST_STEPS = 40  # looked at in pairs: a volume with more is noise, or in no order at all
_BELOW_NOISE_HU, _MAX_BELOW_NOISE = -1300.0, 0.1  # where neither noise nor a streak fills a slice
_PADDING_GAP_HU = 200.0  # to the lowest value measured; noise leaves no such gap
_PADDING_VALUES = 2  # round the circle, and where nothing was reconstructed
# chests, a skull and phantoms: -37 to 76; moved by 200 or scaled by 0.8: below -128, or above 133
_SOFT_HU, _MIDDLE_HU = 300.0, (-120.0, 130.0)
_MUCH_AIR, _MOST_AIR_HU = 0.05, -550.0  # the same: below -760; halved round water: above -510
# the same: 0 to 7 % at the border, 0 to 3 % dense; with the sign turned: 67 % and more, 51 to 88 %
_BRIGHT_ABOVE_HU, _MOST_BRIGHT = 200.0, 0.3
_DENSE_ABOVE_HU, _MOST_DENSE = 500.0, 0.25
_RIM, _RIM_SLICES = 2, 64
_SAMPLES = 128  # along each axis of a slice: enough for shares


def refuse_other_units(
    array_zyx: HuArray, geometry: Geometry, *, is_stated: bool
) -> tuple[StudyWarning, ...]:
    """Refuse voxels that are not Hounsfield units, and return what is odd about the rest.

    Parameters
    ----------
    array_zyx : finite values, shape (z, y, x), padding mapped to ``AIR_HU``.
    is_stated : whether the file itself says that its values are HU, as DICOM does and no other
        format can; then a small field of view without air is believed, with a warning.

    Raises
    ------
    InputError : ``NOT_HU``.
    """
    rows, columns = (max(1, n // _SAMPLES) for n in array_zyx.shape[1:])
    sample = array_zyx[:, ::rows, ::columns].astype(np.float32)
    padding_hu = _undeclared_padding(sample)
    is_measured = (sample != AIR_HU) & (sample != padding_hu)
    measured = sample[is_measured]
    highest = float(array_zyx.max())
    if measured.size == 0 or highest > HIGHEST_HU:
        raise _not_hu("a range of values", f"{float(array_zyx.min()):g} to {highest:g}")
    _, height_mm, width_mm = np.multiply(geometry.shape_zyx, geometry.spacing_zyx_mm)
    is_small = min(height_mm, width_mm) < BODY_MM
    may_lack_air = is_stated and is_small
    has_air = np.mean(measured < _AIR_BELOW_HU) >= _MIN_AIR
    if not has_air and not may_lack_air:
        got = f"nothing below {float(measured.min()):g}"
        raise _not_hu(f"air below {_AIR_BELOW_HU:.0f} HU", got)
    _refuse_without_tissue(measured)
    if not is_small:
        _refuse_shifted(measured)
    _refuse_inverted(sample, is_measured)
    _refuse_odd_slice(sample)
    if has_air:
        return ()
    message = f"no air below {_AIR_BELOW_HU:.0f} HU: the image may show no chest"
    return (StudyWarning(code="NO_AIR", message=message),)


def _undeclared_padding(sample: NDArray[np.float32]) -> float:
    """Return the lowest value where it is below air, or stands alone, and air where it is not."""
    lowest = float(sample.min())
    others = sample[sample > lowest]
    stands_alone = others.size > 0 and float(others.min()) > lowest + _PADDING_GAP_HU
    return lowest if stands_alone else min(lowest, AIR_HU)


def put_air_below_scale(slice_yx: HuArray) -> None:
    """Turn what no CT can store into air, in place: it is padding.

    Raises
    ------
    InputError : ``NOT_HU`` where it varies as no padding does, and lies below all noise of air.
    """
    below = slice_yx < LOWEST_HU
    values = slice_yx[below]
    beyond = values[values < _BELOW_NOISE_HU]
    if beyond.size > _MAX_BELOW_NOISE * slice_yx.size and beyond.min() < beyond.max():
        counts = np.sort(np.unique(beyond, return_counts=True)[1])
        share = counts[:-_PADDING_VALUES].sum() / slice_yx.size
        if share > _MAX_BELOW_NOISE:
            raise _not_hu(
                f"nothing but padding below {_BELOW_NOISE_HU:.0f} HU, where no noise reaches",
                f"{share:.1%} of a slice in {counts.size} values",
            )
    slice_yx[below] = AIR_HU


def _refuse_without_tissue(measured: NDArray[np.float32]) -> None:
    tissue = measured[measured > _TISSUE_ABOVE_HU]
    if tissue.size < _MIN_TISSUE * measured.size:
        raise _not_hu(
            f"tissue above {_TISSUE_ABOVE_HU:.0f} HU",
            f"{tissue.size / measured.size:.1%} of the voxels",
        )
    water = float(np.mean(tissue <= _WATER_BELOW_HU))
    if water < _MIN_WATER:
        raise _not_hu(
            f"{_MIN_WATER:.0%} of the tissue between {_TISSUE_ABOVE_HU:.0f}"
            f" and {_WATER_BELOW_HU:.0f} HU, round water",
            f"{water:.1%}",
        )


def _refuse_shifted(measured: NDArray[np.float32]) -> None:
    """Refuse soft tissue beyond fat or contrast medium, and air too dense: a wrong rescale."""
    soft = measured[(measured > -_SOFT_HU) & (measured < _SOFT_HU)]
    middle = float(np.median(soft)) if soft.size else 0.0
    low, high = _MIDDLE_HU
    if not low <= middle <= high:
        raise _not_hu(
            f"soft tissue round {low:.0f} to {high:.0f} HU, by its median", f"{middle:.0f} HU"
        )
    air = measured[measured < _AIR_BELOW_HU]
    middle = float(np.median(air)) if air.size >= _MUCH_AIR * measured.size else AIR_HU
    if middle > _MOST_AIR_HU:
        raise _not_hu(f"air below {_MOST_AIR_HU:.0f} HU, by its median", f"{middle:.0f} HU")


def _refuse_inverted(sample: NDArray[np.float32], measured: NDArray[np.bool_]) -> None:
    """Refuse an image that is bright where it ends: round a body there is air, or at most tissue.

    Parameters
    ----------
    measured : which voxels are no padding; the image ends where they do.
    """
    step = -(-len(sample) // _RIM_SLICES)
    known = measured[::step]
    inner = ndimage.binary_erosion(known, structure=np.ones((1, 3, 3)), iterations=_RIM)
    rim = sample[::step][known & ~inner]
    bright = float(np.mean(rim > _BRIGHT_ABOVE_HU))
    dense = float(np.mean(sample[measured] > _DENSE_ABOVE_HU))
    for share, limit, what in (
        (bright, _MOST_BRIGHT, f"{_BRIGHT_ABOVE_HU:.0f} HU at the images' border"),
        (dense, _MOST_DENSE, f"{_DENSE_ABOVE_HU:.0f} HU"),
    ):
        if share > limit:
            raise _not_hu(f"at most {limit:.0%} of the voxels above {what}", f"{share:.0%}")


def _refuse_odd_slice(sample: NDArray[np.float32]) -> None:
    """Refuse slices unlike what lies on both sides of them, and a volume in two parts.

    Anatomy that begins or ends between two slices changes a part of them, for good.
    """
    steps = _share_that_differs(sample[1:], sample[:-1])
    usual = _ODD_RATIO * float(np.median(steps))
    found = list(_odd_runs(sample, steps))
    last = int(steps.argmax())
    beyond = [(float(steps[last]), _ODD_PART, f"what follows slice {last + 1}")]
    for length, limit in enumerate(_ODD_ENDS[: len(steps)], start=1):
        beyond.append((float(steps[length - 1]), limit, f"the first {length} slices"))
        beyond.append((float(steps[-length]), limit, f"the last {length} slices"))
    found += [each for each in beyond if each[0] > usual]
    for share, limit, what in found:
        if share > limit:
            raise _not_hu(
                f"slices that differ from the next by {_STEP_HU:.0f} HU in {limit:.0%} at most",
                f"{share:.0%} in {what} from the feet",
            )


def _odd_runs(
    sample: NDArray[np.float32], steps: NDArray[np.float64]
) -> Iterator[tuple[float, float, str]]:
    """Yield runs of slices that differ from both sides, where those sides are alike.

    Each with the share that differs, the most that may, and what it is called.
    """
    high = np.flatnonzero(steps > _ODD_SLICE)[:_MOST_STEPS]
    for below, above in combinations(high.tolist(), 2):
        share = float(min(steps[below], steps[above]))
        limit = _ODD_SLICE if above - below <= _SHORT_RUN else _ODD_RUN
        if share <= limit:
            continue
        if float(_share_that_differs(sample[[below]], sample[[above + 1]])[0]) <= share / 2:
            yield share, limit, f"slices {below + 2} to {above + 1}"


def _share_that_differs(
    one: NDArray[np.float32], other: NDArray[np.float32]
) -> NDArray[np.float64]:
    return np.asarray(np.mean(np.abs(one - other) > _STEP_HU, axis=(1, 2)), np.float64)


def _not_hu(expected: str, got: str) -> InputError:
    return InputError(
        "the values are not Hounsfield units of a chest",
        code="NOT_HU",
        expected=expected,
        got=got,
        hint="Export or convert the scan again with its original rescale slope and intercept.",
    )
