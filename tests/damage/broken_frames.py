"""Damage to an enhanced CT: its functional groups, its frames and their offsets."""

import random
import struct

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames, parse_basic_offsets

from damage.damaged_series import DamagedSeries, size
from damage.edits import put
from damage.encodings import ENHANCED, group
from damage.kinds import Registry

Random = random.Random
KINDS = Registry()
GROUPS = ("PlanePositionSequence", "PixelValueTransformationSequence")


def frames_of(series: DamagedSeries) -> list[Dataset]:
    return series.slices[0].PerFrameFunctionalGroupsSequence


def shared_of(series: DamagedSeries) -> Dataset:
    return series.slices[0].SharedFunctionalGroupsSequence[0]


@KINDS.of(*ENHANCED)
def enhanced_undamaged_but_reordered(rng: Random, series: DamagedSeries) -> None:
    """Frames may lie in any order as long as each says where."""
    del rng
    for number, frame in enumerate(frames_of(series)):
        frame.FrameContentSequence[0].DimensionIndexValues = [1, number + 1]


@KINDS.of(*ENHANCED)
def enhanced_swapped_positions(rng: Random, series: DamagedSeries) -> None:
    one, other = rng.sample(frames_of(series), 2)
    positions = one.PlanePositionSequence, other.PlanePositionSequence
    other.PlanePositionSequence, one.PlanePositionSequence = positions


@KINDS.of(*ENHANCED)
def enhanced_wrong_frame_count(rng: Random, series: DamagedSeries) -> None:
    put(0, "NumberOfFrames", rng.choice((0, -1, 1, 11, 13, 24, 65535, 2**31)))(series.slices)


@KINDS.of(*ENHANCED)
def enhanced_lost_groups(rng: Random, series: DamagedSeries) -> None:
    frames = frames_of(series)
    del frames[rng.randrange(len(frames))]
    if rng.random() < 0.5:
        series.slices[0].NumberOfFrames = len(frames)


@KINDS.of(*ENHANCED)
def enhanced_lost_group_of_a_frame(rng: Random, series: DamagedSeries) -> None:
    frame = rng.choice(frames_of(series))
    name = rng.choice(GROUPS)
    if rng.random() < 0.5:
        del frame[name]
    else:
        frame[name].value = []


@KINDS.of(*ENHANCED)
def enhanced_lost_shared_group(rng: Random, series: DamagedSeries) -> None:
    shared = shared_of(series)
    del shared[rng.choice([element.keyword for element in shared])]


@KINDS.of(*ENHANCED)
def enhanced_doubled_position(rng: Random, series: DamagedSeries) -> None:
    one, other = rng.sample(frames_of(series), 2)
    one.PlanePositionSequence = other.PlanePositionSequence


@KINDS.of(*ENHANCED)
def enhanced_moved_frame(rng: Random, series: DamagedSeries) -> None:
    item = rng.choice(frames_of(series)).PlanePositionSequence[0]
    position = [float(v) for v in item.ImagePositionPatient]
    position[rng.randrange(3)] += size(rng, 0.02, 400)
    item.ImagePositionPatient = [f"{v:.9f}" for v in position]


@KINDS.of(*ENHANCED)
def enhanced_other_rescale_of_a_frame(rng: Random, series: DamagedSeries) -> None:
    item = rng.choice(frames_of(series)).PixelValueTransformationSequence[0]
    if rng.random() < 0.5:
        item.RescaleSlope = f"{rng.choice((0, 2, 0.5, 1 + size(rng, 0.001, 0.9))):.6f}"
    else:
        item.RescaleIntercept = f"{size(rng, 1, 3000):.0f}"


@KINDS.of(*ENHANCED)
def enhanced_orientation_of_a_frame(rng: Random, series: DamagedSeries) -> None:
    axes = rng.choice((["1", "0", "0", "0", "1", "0"], ["0"] * 6, ["1", "0", "0", "0", "0", "1"]))
    frame = rng.choice(frames_of(series))
    frame.PlaneOrientationSequence = group(ImageOrientationPatient=axes)


@KINDS.of(*ENHANCED)
def enhanced_spacing_of_a_frame(rng: Random, series: DamagedSeries) -> None:
    spacing = rng.choice((["7.6", "9.5"], ["0", "9.5"], ["9.5", "7.5"], ["-7.5", "9.5"]))
    rng.choice(frames_of(series)).PixelMeasuresSequence = group(PixelSpacing=spacing)


@KINDS.of(*ENHANCED)
def enhanced_phases_or_stacks(rng: Random, series: DamagedSeries) -> None:
    for frame in rng.sample(frames_of(series), rng.choice((1, 6))):
        content = frame.FrameContentSequence[0]
        if rng.random() < 0.5:
            content.StackID = "2"
        else:
            content.TemporalPositionIndex = 2


@KINDS.of(*ENHANCED)
def enhanced_contrast(rng: Random, series: DamagedSeries) -> None:
    kind = rng.choice(("MEAN", "SUBTRACTION", "MINIMUM", "STD_DEVIATION", "ENERGY_PROP_WT"))
    kinds = group(FrameType=["DERIVED", "PRIMARY", "VOLUME", kind])
    rng.choice((shared_of(series), *frames_of(series))).CTImageFrameTypeSequence = kinds


@KINDS.of("enhanced")
def enhanced_pixels_of_another_length(rng: Random, series: DamagedSeries) -> None:
    ds, count = series.slices[0], rng.choice((2, 36 * 32 * 2, 100))
    ds.PixelData = ds.PixelData[:-count] if rng.random() < 0.5 else ds.PixelData + bytes(count)


def with_table(frames: list[bytes], offsets: list[int]) -> bytes:
    plain = encapsulate(frames, has_bot=False)
    table = struct.pack(f"<{len(offsets)}L", *offsets)
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(table)) + table + plain[8:]


@KINDS.of("enhanced-rle")
def enhanced_wrong_table(rng: Random, series: DamagedSeries) -> None:
    ds = series.slices[0]
    offsets = parse_basic_offsets(ds.PixelData)
    damage = rng.randrange(4)
    if damage == 0:
        offsets[1:] = rng.sample(offsets[1:], len(offsets) - 1)
    elif damage == 1:
        offsets[rng.randrange(12)] += rng.choice((-8, -2, 2, 4, 10**6))
    elif damage == 2:
        del offsets[rng.randrange(12)]
    else:
        offsets.insert(rng.randrange(12), rng.choice(offsets))
    ds.PixelData = with_table(list(generate_frames(ds.PixelData, number_of_frames=12)), offsets)


@KINDS.of("enhanced-rle")
def enhanced_frames_in_the_order_of_a_table(rng: Random, series: DamagedSeries) -> None:
    """Only the table of 64 bits (PS3.3 C.7.6.3.1.8) tells the order of the frames."""
    ds = series.slices[0]
    frames = list(generate_frames(ds.PixelData, number_of_frames=12))
    order = rng.sample(range(12), 12)
    ds.PixelData = with_table([frames[k] for k in order], [])
    offsets = parse_basic_offsets(encapsulate([frames[k] for k in order]))
    ds.ExtendedOffsetTable = struct.pack("<12Q", *(offsets[order.index(k)] for k in range(12)))
    ds.ExtendedOffsetTableLengths = struct.pack("<12Q", *map(len, frames))


@KINDS.of("enhanced-rle")
def enhanced_lost_fragment(rng: Random, series: DamagedSeries) -> None:
    ds = series.slices[0]
    frames = list(generate_frames(ds.PixelData, number_of_frames=12))
    k = rng.randrange(12)
    changed = rng.choice((frames[:k] + frames[k + 1 :], [*frames[:k], frames[-1], *frames[k:]]))
    ds.PixelData = encapsulate(changed, has_bot=rng.random() < 0.5)
