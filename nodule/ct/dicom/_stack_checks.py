"""Do the positions of a series' slices make a regular grid? One plain function per doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from nodule.ct.dicom._dicom_file import read_pixels
from nodule.ct.dicom._grid import Stack
from nodule.errors import DicomSeriesError, NoduleError
from nodule.study import StudyWarning

MAX_DEVIATION_MM = 0.1  # of a slice from the regular grid; more is refused
SILENT_DEVIATION_MM = 0.01  # header rounding; between the two the series carries a warning
MIN_GAP_MM = 0.01
MAX_SPACING_MM = 20.0
EXPORT_HINT = "Export the original axial series."


def _distinct_positions(stack: Stack) -> NoduleError | None:
    doubles = int((stack.gaps_mm < MIN_GAP_MM).sum())
    if not doubles:
        return None
    return DicomSeriesError(
        "several images of a series lie at one position",
        code="DUPLICATE_POSITIONS",
        expected="one image per position",
        got=f"{doubles} of {len(stack.images)} images lie where another does",
        hint="The same images may have been exported twice: keep one file of each."
        if _are_copies(stack)
        else "It may be a bolus monitor, or hold several phases: export one phase alone.",
    )


def _are_copies(stack: Stack) -> bool:
    """Whether every image that lies where another does holds the same stored pixels."""
    return all(
        lower.member != upper.member
        and read_pixels(lower.member, lower.pixels) == read_pixels(upper.member, upper.pixels)
        for (lower, upper), gap_mm in zip(pairwise(stack.images), stack.gaps_mm, strict=True)
        if gap_mm < MIN_GAP_MM
    )


def _upright_gantry(stack: Stack) -> NoduleError | None:
    drift, rise = stack.drift_mm[-1], float(stack.heights_mm[-1] - stack.heights_mm[0])
    slide = float(np.linalg.norm(drift))
    if slide <= MAX_DEVIATION_MM or rise <= MIN_GAP_MM or not _is_steady(stack):
        return None
    return DicomSeriesError(
        "the slices are shifted against each other, as by a tilted gantry",
        code="GANTRY_TILT",
        expected="every slice straight above the last",
        got=f"{np.degrees(np.arctan2(slide, rise)):.2f} degrees, {slide:.2f} mm in all",
        hint="Have the scanner or workstation reconstruct the series without tilt.",
    )


def _is_steady(stack: Stack) -> bool:
    """Whether the in-plane shift is in proportion to the height."""
    heights = stack.heights_mm - stack.heights_mm[0]
    line = np.outer(heights / heights[-1], stack.drift_mm[-1])
    return bool(np.abs(stack.drift_mm - line).max() <= MAX_DEVIATION_MM)


def _even_gaps(stack: Stack) -> NoduleError | None:
    gaps = stack.gaps_mm
    if gaps.min() < MIN_GAP_MM:
        return None
    steps = np.arange(len(stack.images)) * stack.spacing_mm
    uneven = np.abs(stack.heights_mm - stack.heights_mm[0] - steps).max() > MAX_DEVIATION_MM
    sliding = np.abs(stack.drift_mm).max() > MAX_DEVIATION_MM and not _is_steady(stack)
    if not uneven and not sliding:
        return None
    usual = float(np.median(gaps))
    multiples = gaps / usual
    missing = int((multiples.round() - 1).clip(0).sum())
    whole = np.abs(multiples - multiples.round()).max() * usual <= 2 * MAX_DEVIATION_MM
    if missing and whole and not sliding:
        return DicomSeriesError(
            "slices are missing inside a series",
            code="MISSING_SLICES",
            expected=f"one every {usual:.3f} mm",
            got=f"{missing} missing",
            hint="Copy or export the whole series again.",
        )
    return DicomSeriesError(
        "the slices of a series are not evenly spaced",
        code="NON_UNIFORM_SPACING",
        expected=f"every slice within {MAX_DEVIATION_MM} mm of a regular grid",
        got=f"gaps of {gaps.min():.3f} to {gaps.max():.3f} mm",
        hint="Export one reconstruction with even spacing.",
    )


def _plausible_spacing(stack: Stack) -> NoduleError | None:
    if stack.gaps_mm.max() < MIN_GAP_MM or stack.spacing_mm < MAX_SPACING_MM:
        return None
    return DicomSeriesError(
        "the slices of a series lie too far apart for a volume",
        code="BAD_SPACING",
        expected=f"less than {MAX_SPACING_MM} mm",
        got=f"{stack.spacing_mm:.2f} mm",
        hint=EXPORT_HINT,
    )


STACK_CHECKS: tuple[Callable[[Stack], NoduleError | None], ...] = (
    _distinct_positions,
    _upright_gantry,
    _even_gaps,
    _plausible_spacing,
)


def warnings_of(stack: Stack) -> tuple[StudyWarning, ...]:
    """Return what is odd about a stack that passed the checks."""
    found = []
    if stack.deviation_mm > SILENT_DEVIATION_MM:
        found.append(
            StudyWarning(
                code="UNEVEN_SPACING",
                message=f"slices lie up to {stack.deviation_mm:.3f} mm off the regular grid",
            )
        )
    if stack.turn_mm > SILENT_DEVIATION_MM:
        found.append(
            StudyWarning(
                code="UNEVEN_ORIENTATION",
                message="the slices' orientations differ by rounding; the lowest slice's was used,"
                f" which moves pixels by up to {stack.turn_mm:.3f} mm",
            )
        )
    if not all(map(_is_monotonic, _stated_orders(stack))):
        found.append(
            StudyWarning(
                code="SLICE_ORDER",
                message="the slices' numbers do not follow their positions, which were used",
            )
        )
    return (*found, *_skipped_numbers(stack), *_storage_warnings(stack))


def _skipped_numbers(stack: Stack) -> Iterator[StudyWarning]:
    """Tell of numbers that leave some out between all slices: the gaps alone look even."""
    numbers = [i.instance_number for i in stack.images if i.frames == 1]
    known = [n for n in numbers if n is not None]
    step = min((abs(a - b) for a, b in pairwise(known)), default=1)
    if step > 1 and len(known) == len(stack.images):
        message = (
            f"the slices' numbers go by steps of {step} or more: slices between them may be missing"
        )
        yield StudyWarning(code="SKIPPED_NUMBERS", message=message)


def _stated_orders(stack: Stack) -> Iterator[list[float | None]]:
    # the frames of one file share its number
    numbers = [i.instance_number for i in stack.images if i.frames == 1]
    yield list(numbers)
    yield [i.in_stack_position for i in stack.images if i.frames > 1]
    if not any(n is not None for n in numbers):
        yield [i.slice_location for i in stack.images]


def _is_monotonic(numbers: Sequence[float | None]) -> bool:
    known = [n for n in numbers if n is not None]
    rising = all(a < b for a, b in pairwise(known))
    falling = all(a > b for a, b in pairwise(known))
    return rising or falling


def _storage_warnings(stack: Stack) -> Iterator[StudyWarning]:
    """Tell of slices whose values mean another thing than those of the next, by their headers."""
    rescales = len({(i.slope, i.intercept) for i in stack.images})
    if rescales > 1:
        message = f"the slices turn stored values into HU in {rescales} ways; each its own was used"
        yield StudyWarning(code="SEVERAL_RESCALES", message=message)
    layouts = {
        (i.pixel_format.bits_stored, i.pixel_format.is_signed, i.padding) for i in stack.images
    }
    if len(layouts) > 1:
        message = f"the slices store values in {len(layouts)} ways, by bits, sign or padding"
        yield StudyWarning(code="SEVERAL_PIXEL_FORMATS", message=message)
