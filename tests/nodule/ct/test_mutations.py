"""Damage a clean series in every way that exports do: refused by name, or geometry still right."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from damage.edits import (
    Mutation,
    Slices,
    double,
    drop,
    flip,
    put,
    remove,
    shift,
    slide_all,
    swap_positions,
)
from pydicom.dataset import Dataset

from nodule.ct import read_ct
from nodule.errors import NoduleError

Case = tuple[str, Mutation, set[str]]  # name, what is done, the codes allowed
DEPTH = 9
PLACES = (0, 1, 4, 7, 8)


def nothing(slices: Slices) -> None:
    pass


def dropped() -> Iterator[Case]:
    for k in range(DEPTH):
        at_end = k in (0, DEPTH - 1)
        yield f"drop-{k}", drop(k), {"OK"} if at_end else {"MISSING_SLICES"}
    for j, k in ((2, 5), (1, 7), (3, 4)):
        yield f"drop-{j}-{k}", drop(j, k), {"MISSING_SLICES"}
    yield "keep-two", drop(*range(2, DEPTH)), {"TOO_FEW_SLICES"}


def doubled() -> Iterator[Case]:
    for k in PLACES:
        yield f"copy-{k}", double(k, new_uid=False), {"OK"}
        yield f"double-{k}", double(k, new_uid=True), {"DUPLICATE_POSITIONS"}
    for j, k in itertools.pairwise(PLACES):
        yield (
            f"same-place-{j}-{k}",
            lambda s, j=j, k=k: setattr(s[j], "ImagePositionPatient", s[k].ImagePositionPatient),
            {"DUPLICATE_POSITIONS"},
        )


def moved() -> Iterator[Case]:
    uneven = {"NON_UNIFORM_SPACING", "GANTRY_TILT", "MISSING_SLICES", "DUPLICATE_POSITIONS"}
    for k, axis, mm in itertools.product(
        (0, 4, 8), (0, 1, 2), (0.003, 0.05, 0.4, 1.25, 5.0, -40.0)
    ):
        allowed = {"OK"} if mm < 0.01 and mm > 0 else {"UNEVEN_SPACING"} if mm == 0.05 else uneven
        yield f"shift-{k}-{'xyz'[axis]}-{mm}", shift(k, axis, mm), allowed
    for j, k in ((0, 1), (3, 4), (2, 6), (0, 8)):
        yield f"swap-{j}-{k}", swap_positions(j, k), {"SLICE_ORDER"}
    for mm in (0.02, 0.1, 0.5, -0.8, 3.0):
        yield f"tilt-{mm}", slide_all(mm), {"GANTRY_TILT"}


def turned() -> Iterator[Case]:
    for k, signs in itertools.product((0, 4, 8), ((-1, 1), (1, -1), (-1, -1))):
        yield f"flip-{k}-{signs}", flip(k, signs), {"INCONSISTENT_ORIENTATION"}
    for k in (0, 4):
        yield (
            f"tiny-turn-{k}",
            put(k, "ImageOrientationPatient", ["1", "0", "0", "0", "1", "0"]),
            {"INCONSISTENT_ORIENTATION"},
        )
    for name, value in {
        "zero": ["0"] * 6,
        "parallel": ["1", "0", "0", "1", "0", "0"],
        "long": ["2", "0", "0", "0", "2", "0"],
    }.items():
        for k in (None, 4):
            yield (
                f"orientation-{name}-{k}",
                put(k, "ImageOrientationPatient", value),
                {
                    "NO_POSITION",
                    "INCONSISTENT_ORIENTATION",
                },
            )


def misstated() -> Iterator[Case]:
    for k in (None, 0, 4):
        for value in (["0", "0.9"], ["0.7", "0"], ["-0.7", "0.9"], ["1e9", "0.9"]):
            codes = {"BAD_SPACING", "INCONSISTENT_SPACING"}
            yield f"spacing-{value}-{k}", put(k, "PixelSpacing", value), codes
        for keyword, value in (
            ("PixelSpacing", ["nan", "0.9"]),
            ("PixelSpacing", ["0.7"]),
            ("ImagePositionPatient", ["0", "0"]),
            ("ImagePositionPatient", ["inf", "0", "0"]),
            ("ImageOrientationPatient", ["1", "0", "0"]),
            ("RescaleSlope", ["nan"]),
            ("BitsAllocated", 12),
            ("BitsStored", 17),
            ("Rows", 0),
        ):
            yield f"{keyword}-{value}-{k}", put(k, keyword, value), {"BAD_VALUE"}
        for keyword, value, code in (
            ("Modality", "MR", "NOT_CT"),
            ("Modality", "PT", "NOT_CT"),
            ("RescaleSlope", 0, "NOT_HU"),
            ("RescaleType", "MGML", "NOT_HU"),
            ("PhotometricInterpretation", "RGB", "NOT_AXIAL_VOLUME"),
            ("PhotometricInterpretation", "MONOCHROME1", "NOT_HU"),
            ("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"], "LOCALIZER"),
            ("ImageType", ["DERIVED", "PRIMARY", "MIP"], "NOT_AXIAL_VOLUME"),
            ("ImageType", ["DERIVED", "PRIMARY", "PERFUSION"], "NOT_HU"),
            ("Rows", 65535, "TRUNCATED"),
        ):
            yield f"{keyword}-{value}-{k}", put(k, keyword, value), {code, "TOO_LARGE"}
    for k in (0, 4):
        yield (
            f"spacing-differs-{k}",
            put(k, "PixelSpacing", ["0.71", "0.9"]),
            {"INCONSISTENT_SPACING"},
        )
        yield f"rows-differ-{k}", put(k, "Rows", 23), {"SURPLUS_DATA"}


def missing() -> Iterator[Case]:
    for k in (None, 0, 4):
        for keyword, codes in {
            "RescaleSlope": {"NOT_HU"},
            "RescaleIntercept": {"NOT_HU"},
            "PixelSpacing": {"NO_PIXEL_SPACING"},
            "ImagePositionPatient": {"NO_POSITION"},
            "ImageOrientationPatient": {"NO_POSITION"},
            "Modality": {"NOT_CT"},
            "Rows": {"BAD_VALUE"},
            "PixelData": {"NO_PIXEL_DATA"},
        }.items():
            yield f"no-{keyword}-{k}", remove(k, keyword), codes
    for keyword in ("InstanceNumber", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        yield f"no-{keyword}", remove(None, keyword), {"OK", "NO_SERIES_UID"}


def mixed() -> Iterator[Case]:
    for k in PLACES:
        at_end = k in (0, DEPTH - 1)
        one_less = {"STRAY_SLICES"} if at_end else {"MISSING_SLICES"}
        yield f"other-series-{k}", put(k, "SeriesInstanceUID", "1.2.3"), one_less
        yield f"no-series-{k}", remove(k, "SeriesInstanceUID"), one_less
        yield f"other-frame-{k}", put(k, "FrameOfReferenceUID", "1.2.3"), {"INCONSISTENT_FRAME"}
        yield f"other-study-{k}", put(k, "StudyInstanceUID", "1.2.3"), {"MIXED_STUDIES"}


CASES = [
    *[("untouched", nothing, {"OK"})],
    *itertools.chain(dropped(), doubled(), moved(), turned(), misstated(), missing(), mixed()),
]


def outcome(folder: Path) -> tuple[set[str], Any]:
    try:
        study = read_ct(folder)
    except NoduleError as error:
        return {error.code}, None
    # the undamaged series is short, and each slice has a rescale of its own
    usual = {"SHORT_COVERAGE", "SEVERAL_RESCALES"}
    return {w.code for w in study.warnings} - usual or {"OK"}, study


def key(ds: Dataset) -> Any:
    return ds.get("InstanceNumber") or ds.SOPInstanceUID


def assert_every_corner_is_where_its_header_says(study: Any, slices: Slices) -> None:
    """Compare with the plane equation of DICOM part 3, C.7.6.2.1.1."""
    stated = {key(ds): ds for ds in slices}
    _, rows, columns = study.volume.geometry.shape_zyx
    for z, reference in enumerate(study.slices):
        ds = stated[reference.instance_number or reference.sop_instance_uid]
        across, down = np.asarray(ds.ImageOrientationPatient, float).reshape(2, 3)
        row_mm, column_mm = map(float, ds.PixelSpacing)
        for y, x in itertools.product((0, rows - 1), (0, columns - 1)):
            expected = np.asarray(ds.ImagePositionPatient, float)
            expected = expected + across * column_mm * x + down * row_mm * y
            error_mm = np.linalg.norm(study.volume.geometry.index_to_lps((z, y, x)) - expected)
            uneven = "UNEVEN_SPACING" in {w.code for w in study.warnings}
            assert error_mm < (0.1 if uneven else 0.01)


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 200
    assert len({name for name, _, _ in CASES}) == len(CASES)


@pytest.mark.parametrize(("mutate", "allowed"), [pytest.param(m, a, id=n) for n, m, a in CASES])
def test_damage_is_named_or_harmless(
    synthetic: Any, tmp_path: Path, mutate: Mutation, allowed: set[str]
) -> None:
    slices = synthetic.make_slices()
    mutate(slices)
    synthetic.save(slices, tmp_path)
    codes, study = outcome(tmp_path)
    assert codes <= allowed
    if study is not None:
        assert_every_corner_is_where_its_header_says(study, slices)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.6, 0.8, 0.95, 0.999])
@pytest.mark.parametrize("k", [0, 4, 8])
def test_a_truncated_file_is_never_silent(
    clean_series: Path, tmp_path: Path, share: float, k: int
) -> None:
    paths = sorted(clean_series.iterdir(), key=lambda p: pydicom.dcmread(p).InstanceNumber)
    for i, path in enumerate(paths):
        content = path.read_bytes()
        keep = int(len(content) * share) if i == k else len(content)
        (tmp_path / path.name).write_bytes(content[:keep])
    codes, study = outcome(tmp_path)
    assert study is None or "UNREADABLE_FILES" in codes
    if study is not None:
        assert k in (0, 8)


@pytest.mark.parametrize("seed", range(60))
def test_random_bytes_never_end_in_a_traceback(
    clean_series: Path, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    paths = sorted(clean_series.iterdir())
    for path in paths:
        content = bytearray(path.read_bytes())
        if path == paths[seed % len(paths)]:
            for at in rng.integers(128, 900, size=8):
                content[at] = int(rng.integers(256))
        (tmp_path / path.name).write_bytes(content)
    codes, _ = outcome(tmp_path)
    assert codes
