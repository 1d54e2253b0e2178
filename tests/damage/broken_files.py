"""Damage to the files of a series: cut, lengthened, mislabelled, misencoded."""

import random
import struct
from pathlib import Path

import pydicom
from pydicom import uid
from pydicom.encaps import encapsulate, generate_frames

from damage.damaged_series import ANY_ENCODING, ANY_NATIVE, DamagedSeries, some
from damage.kinds import Registry

Random = random.Random
KINDS = Registry()
SYNTAXES = (
    *(uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian),
    *(uid.DeflatedExplicitVRLittleEndian, uid.RLELossless, uid.JPEGLSLossless),
    *(uid.JPEG2000Lossless, uid.JPEGLosslessSV1, uid.JPEGBaseline8Bit, "1.2.840.10008.1.2.4.100"),
)


def on_some_files(rng: Random, series: DamagedSeries, change) -> None:
    places = some(rng, series)[:3]

    def damage(folder: Path) -> None:
        paths = sorted(folder.iterdir())
        for k in places:
            paths[k].write_bytes(change(paths[k].read_bytes()))

    series.on_disk.append(damage)


@KINDS.of(*ANY_ENCODING)
def cut_files(rng: Random, series: DamagedSeries) -> None:
    share = rng.choice((0.0, rng.random(), rng.uniform(0.9, 1)))
    on_some_files(rng, series, lambda content: content[: int(share * len(content))])


@KINDS.of(*ANY_ENCODING)
def cut_by_a_few_bytes(rng: Random, series: DamagedSeries) -> None:
    count = rng.randint(1, 40)
    on_some_files(rng, series, lambda content: content[:-count])


@KINDS.of(*ANY_NATIVE)
def lost_preamble(rng: Random, series: DamagedSeries) -> None:
    """Cannot be told from a file of another kind, but for its name."""
    on_some_files(rng, series, lambda content: content[rng.choice((1, 64, 128, 132)) :])


@KINDS.of(*ANY_ENCODING)
def file_of_zeros(rng: Random, series: DamagedSeries) -> None:
    on_some_files(rng, series, lambda content: bytes(len(content)))


@KINDS.of(*ANY_ENCODING)
def zeros_inside(rng: Random, series: DamagedSeries) -> None:
    """A block of the disk that was never written, in the header."""
    start = rng.randrange(132, 900)
    count = rng.choice((16, 64, 512))
    on_some_files(
        rng, series, lambda content: content[:start] + bytes(count) + content[start + count :]
    )


@KINDS.of(*ANY_NATIVE)
def surplus_pixels(rng: Random, series: DamagedSeries) -> None:
    for k in some(rng, series):
        ds = series.slices[k]
        ds.PixelData = rng.choice((b"\0\0", bytes(64), ds.PixelData)) + ds.PixelData


@KINDS.of(*ANY_NATIVE)
def missing_pixels(rng: Random, series: DamagedSeries) -> None:
    for k in some(rng, series):
        ds = series.slices[k]
        ds.PixelData = ds.PixelData[: rng.choice((0, 2, len(ds.PixelData) // 4 * 2, -2))]


@KINDS.of(*ANY_NATIVE)
def no_pixels(rng: Random, series: DamagedSeries) -> None:
    for k in some(rng, series):
        del series.slices[k].PixelData


@KINDS.of(*ANY_ENCODING)
def mislabelled_syntax(rng: Random, series: DamagedSeries) -> None:
    """The file is encoded in one transfer syntax and states another."""
    usual = series.slices[0].file_meta.TransferSyntaxUID
    stated = rng.choice([s for s in SYNTAXES if s != usual])
    old = pydicom.uid.UID(usual).encode()
    new = str(stated).encode()
    old, new = (text + b"\0" * (len(text) % 2) for text in (old, new))

    def relabel(content: bytes) -> bytes:
        at = content.index(old)
        length = struct.unpack_from("<I", content, 140)[0] + len(new) - len(old)
        head = content[:140] + struct.pack("<I", length) + content[144 : at - 2]
        return head + struct.pack("<H", len(new)) + new + content[at + len(old) :]

    on_some_files(rng, series, relabel)


def frame_of(ds: pydicom.Dataset) -> bytes:
    return next(generate_frames(ds.PixelData, number_of_frames=1))


@KINDS.of("rle", "jpeg-ls", "jpeg-2000")
def cut_code_stream(rng: Random, series: DamagedSeries) -> None:
    """The fragments hold together, and what is in them does not."""
    for k in some(rng, series):
        frame = frame_of(series.slices[k])
        series.slices[k].PixelData = encapsulate([frame[: int(len(frame) * rng.random())]])


@KINDS.of("rle", "jpeg-ls", "jpeg-2000")
def code_stream_of_another_size(rng: Random, series: DamagedSeries) -> None:
    for k in some(rng, series):
        ds = series.slices[k]
        whole = ds.file_meta.TransferSyntaxUID
        ds.decompress(generate_instance_uid=False)
        rows, columns = ds.Rows, ds.Columns
        bytes_a_row = len(ds.PixelData) // rows
        more = rng.choice((1, 8, rows))
        ds.Rows = rows + more
        ds.PixelData += ds.PixelData[: more * bytes_a_row]
        ds.compress(whole, generate_instance_uid=False)
        ds.Rows, ds.Columns = rows, columns


@KINDS.of("rle", "jpeg-ls", "jpeg-2000")
def broken_fragments(rng: Random, series: DamagedSeries) -> None:
    place, noise = rng.random(), rng.choice((bytes(4), b"\xff\xff\xff\xff", rng.randbytes(4)))

    def overwrite(content: bytes) -> bytes:
        start = content.index(b"\xfe\xff\x00\xe0")
        ends = (start, start + 4, start + 8, start + 12, len(content) - 8, len(content) - 4)
        at = ends[int(place * len(ends))]
        return content[:at] + noise + content[at + 4 :]

    on_some_files(rng, series, overwrite)


@KINDS.of("rle", "jpeg-ls", "jpeg-2000")
def a_frame_too_many(rng: Random, series: DamagedSeries) -> None:
    for k in some(rng, series):
        other = frame_of(rng.choice(series.slices))
        frames = [frame_of(series.slices[k]), other]
        rng.shuffle(frames)
        series.slices[k].PixelData = encapsulate(frames)


@KINDS.of(*ANY_ENCODING)
def strange_files_beside(rng: Random, series: DamagedSeries) -> None:
    contents = (b"", b"text", bytes(200), b"\xff\xd8\xff\xe0" + bytes(99), b"PK\3\4", b"DICM")
    names = ("notes.txt", "DICOMDIR", ".hidden", "a.nii", "b.zip", "x")

    def write(folder: Path) -> None:
        (folder / rng.choice(names)).write_bytes(rng.choice(contents))

    series.on_disk.append(write)
