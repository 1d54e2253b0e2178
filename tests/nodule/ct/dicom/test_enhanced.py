"""An enhanced multi-frame CT is read as the classic series with the same slices."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from damage.encodings import compressed_enhanced, enhanced, group
from pydicom.dataset import Dataset

from nodule.ct import inventory, read_ct
from nodule.errors import NoduleError


def written(ds: Dataset, folder: Path) -> Path:
    pydicom.dcmwrite(folder / "enhanced.dcm", ds, enforce_file_format=True)
    return folder / "enhanced.dcm"


@pytest.mark.parametrize("descending", [False, True])
def test_equals_the_classic_series(
    synthetic: Any, clean_series: Path, tmp_path: Path, descending: bool
) -> None:
    """Every frame has a rescale and a position of its own, and may lie anywhere in the file."""
    slices = synthetic.make_slices()[:: -1 if descending else 1]
    found = read_ct(written(enhanced(slices), tmp_path))
    classic = read_ct(clean_series)
    assert found.volume.geometry.is_close(classic.volume.geometry, tolerance_mm=1e-6)
    np.testing.assert_array_equal(found.volume.array_zyx, classic.volume.array_zyx)


def test_a_frame_type_tells_what_a_frame_shows(synthetic: Any, tmp_path: Path) -> None:
    whole = enhanced(synthetic.make_slices())
    for frame in whole.PerFrameFunctionalGroupsSequence:
        frame.CTImageFrameTypeSequence = group(FrameType=["DERIVED", "PRIMARY", "IODINE"])
    with pytest.raises(NoduleError, match="NOT_HU"):
        read_ct(written(whole, tmp_path))


@pytest.mark.parametrize("frames", [8, 10])
def test_refuses_groups_for_another_number_of_frames(
    synthetic: Any, tmp_path: Path, frames: int
) -> None:
    whole = enhanced(synthetic.make_slices())
    whole.NumberOfFrames = frames
    with pytest.raises(NoduleError, match="BAD_VALUE"):
        read_ct(written(whole, tmp_path))


@pytest.mark.parametrize(
    ("frames", "code"), [(-1, "BAD_VALUE"), (0, "BAD_VALUE"), (20_001, "TOO_LARGE")]
)
def test_refuses_an_impossible_number_of_frames(
    synthetic: Any, tmp_path: Path, frames: int, code: str
) -> None:
    ds = synthetic.make_slices()[0]
    ds.NumberOfFrames = frames
    found = inventory(written(ds, tmp_path))
    assert code in {p.code for s in found.series for p in s.problems}


def test_refuses_frames_that_the_file_does_not_hold(synthetic: Any, tmp_path: Path) -> None:
    whole = enhanced(synthetic.make_slices())
    whole.PixelData = whole.PixelData[:-2]
    with pytest.raises(NoduleError, match="TRUNCATED"):
        read_ct(written(whole, tmp_path))


def test_the_number_of_one_file_says_nothing_of_the_order_of_its_frames(
    synthetic: Any, tmp_path: Path
) -> None:
    whole = enhanced(synthetic.make_slices())
    whole.InstanceNumber = 1
    study = read_ct(written(whole, tmp_path))
    assert "SLICE_ORDER" not in {w.code for w in study.warnings}
    # which frame to look at, not which file
    assert [each.instance_number for each in study.slices] == list(range(1, 10))


@pytest.mark.parametrize(
    ("attribute", "code"),
    [
        ("TemporalPositionIndex", "MIXED_PHASES"),
        ("TemporalPositionTimeOffset", "MIXED_PHASES"),
        ("StackID", "MIXED_STACKS"),
    ],
)
def test_frames_of_two_phases_or_stacks_are_refused(
    synthetic: Any, tmp_path: Path, attribute: str, code: str
) -> None:
    whole = enhanced(synthetic.make_slices())
    for z, frame in enumerate(whole.PerFrameFunctionalGroupsSequence):
        value = z % 2 + 1
        frame.FrameContentSequence = group(
            **{attribute: str(value) if "ID" in attribute else value}
        )
    with pytest.raises(NoduleError) as caught:
        read_ct(written(whole, tmp_path))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("contrast", "code"),
    [
        *((word, "NOT_HU") for word in ("STD_DEVIATION", "SUBTRACTION", "VMI", "MAT_REMOVED")),
        *((word, "NOT_HU") for word in ("MAT_SPECIFIC", "EFF_ATOMIC_NUM", "MONOE_40KEV", "VNC")),
        *((word, "NOT_HU") for word in ("IODINE_NO_WATER", "ELECTRON_DENSITY")),
        *((word, "NOT_AXIAL_VOLUME") for word in ("MAXIMUM", "MINIMUM")),
    ],
)
def test_derived_contrasts_are_refused(
    synthetic: Any, tmp_path: Path, contrast: str, code: str
) -> None:
    whole = enhanced(synthetic.make_slices())
    shared = whole.SharedFunctionalGroupsSequence[0]
    shared.CTImageFrameTypeSequence = group(FrameType=["DERIVED", "PRIMARY", "VOLUME", contrast])
    with pytest.raises(NoduleError) as caught:
        read_ct(written(whole, tmp_path))
    assert caught.value.code == code


def test_compressed_frames_are_found_by_their_table(
    synthetic: Any, clean_series: Path, tmp_path: Path
) -> None:
    expected = read_ct(clean_series).volume.array_zyx
    for folder, offsets in (("table", None), ("none", [])):
        (tmp_path / folder).mkdir()
        path = written(compressed_enhanced(synthetic.make_slices(), offsets), tmp_path / folder)
        np.testing.assert_array_equal(read_ct(path).volume.array_zyx, expected)


@pytest.mark.parametrize("damage", ["exchanged", "inside a fragment", "not from the first"])
def test_a_table_that_exchanges_frames_is_refused(
    synthetic: Any, tmp_path: Path, damage: str
) -> None:
    whole = compressed_enhanced(synthetic.make_slices(), None)
    good = pydicom.encaps.parse_basic_offsets(whole.PixelData)
    bad = {
        "exchanged": [good[1], good[0], *good[2:]],
        "inside a fragment": [good[0], good[1] + 2, *good[2:]],
        "not from the first": [*good[1:], good[-1] + 8],
    }[damage]
    path = written(compressed_enhanced(synthetic.make_slices(), bad), tmp_path)
    with pytest.raises(NoduleError) as caught:
        read_ct(path)
    assert caught.value.code == "UNREADABLE"


def test_frames_whose_places_in_the_stack_contradict_their_positions_are_told(
    synthetic: Any, tmp_path: Path
) -> None:
    whole = enhanced(synthetic.make_slices())
    one, other = (whole.PerFrameFunctionalGroupsSequence[k] for k in (2, 5))
    positions = one.PlanePositionSequence, other.PlanePositionSequence
    other.PlanePositionSequence, one.PlanePositionSequence = positions
    study = read_ct(written(whole, tmp_path))
    assert "SLICE_ORDER" in {warning.code for warning in study.warnings}


def test_a_group_that_cannot_be_decoded_is_a_coded_error(synthetic: Any, tmp_path: Path) -> None:
    path = written(enhanced(synthetic.make_slices()), tmp_path)
    content = bytearray(path.read_bytes())
    at = content.index(b"\x20\x00\x13\x91SQ")  # PlanePositionSequence of the first frame
    content[at + 4 : at + 6] = b"S\\"
    path.write_bytes(content)
    (record,) = inventory(path).series
    assert record.verdict == "BAD_VALUE"
