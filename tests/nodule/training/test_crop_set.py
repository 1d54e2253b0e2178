"""The crop set: tables, geometry, masks and ratings."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from nodule.errors import GeometryError, InputError
from nodule.training import CropSet, NoduleRecord, decode_hu, distinct

STACK = {
    "file": "stacks/P1.npz",
    "key": "n0",
    "patient_id": "P1",
    "fold": "3",
    "series_uid": "1.2.3",
    "pixel_spacing_mm": "0.5",
    "slice_spacing_mm": "2.0",
    "z_first": "-10.0",
    "col0": "100",
    "row0": "200",
    "origin_x": "30.0",
    "origin_y": "-40.0",
    "xy_dir": "-1",
    "center_col": "102",
    "center_row": "201",
    "center_z": "-8.0",
    "eq_diameter_mm": "4.5",
    "n_readers": "3",
    "reader_bits": "1|3",
    "malignancy": "4|2",
    "subtlety": "5|3",
    "voi_file": "",
    "cal_spread_hu": "",
}


def write_set(
    folder: Path, *, z_mm: tuple[float, ...] = (-10.0, -8.0, -6.0), **changes: str
) -> Path:
    """Write a set of one stack: readers 1 and 3 rated it, reader 0 has a mask only."""
    (folder / "stacks").mkdir(parents=True, exist_ok=True)
    mask = np.zeros((3, 4, 5), np.uint8)
    mask[1, 1, 2] = 1 << 1 | 1 << 3 | 1 << 0
    mask[1, 1, 3] = 1 << 3
    image = np.zeros((3, 4, 5), np.uint8)
    image[1, 1, 2] = 255
    arrays = {"image": image, "mask": mask, "z": np.array(z_mm, np.float32)}
    arrays["calsrc"] = np.array([2, 0, 1], np.uint8)
    np.savez(folder / "stacks/P1.npz", **{f"n0_{k}": v for k, v in arrays.items()})
    row = STACK | changes
    with (folder / "stacks.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(row))
        writer.writeheader()
        writer.writerow(row)
    return folder


def code_of(error: pytest.ExceptionInfo[InputError]) -> str:
    return error.value.code


def test_a_stack_of_a_prone_patient_lies_where_its_row_says(tmp_path: Path) -> None:
    crops = CropSet.open(write_set(tmp_path))
    record = crops.records[0]
    # x runs down from 30 by 0.5 mm a column: column 2 of the crop; row 1 likewise
    assert record.center_lps_mm == (29.0, -40.5, -8.0)
    crop = crops.load(record)
    assert crop.volume.geometry.index_to_lps((1, 1, 2)).tolist() == [29.0, -40.5, -8.0]
    assert np.argwhere(crop.consensus(level=1.0)).tolist() == [[1, 1, 2]]
    assert crop.exact_slices.tolist() == [False, True, True]


def test_reader_masks_come_in_the_order_of_the_ratings_and_unrated_readers_last(
    tmp_path: Path,
) -> None:
    crops = CropSet.open(write_set(tmp_path))
    record = crops.records[0]
    assert record.readers == (1, 3)
    assert record.malignancy == (4, 2)
    assert record.ratings["subtlety"] == (5, 3)
    masks = crops.load(record).reader_masks
    assert masks.sum(axis=(1, 2, 3)).tolist() == [1, 2, 1]


def test_codes_become_hu_and_int16_is_hu_already() -> None:
    codes = np.array([0, 51, 255], np.uint8)
    np.testing.assert_allclose(decode_hu(codes), [-1000.0, -720.0, 400.0], rtol=1e-6)
    assert decode_hu(np.array([-1024, 3071], np.int16)).tolist() == [-1024.0, 3071.0]


def test_an_unknown_origin_is_said_and_read_as_zero(tmp_path: Path) -> None:
    crops = CropSet.open(write_set(tmp_path, origin_x="", origin_y="", xy_dir=""))
    record = crops.records[0]
    assert not record.frame_known
    assert record.center_lps_mm is None
    assert crops.load(record).volume.geometry.origin_lps_mm == (0.0, 0.0, -10.0)


def test_refuses_slices_that_are_not_equally_spaced(tmp_path: Path) -> None:
    crops = CropSet.open(write_set(tmp_path, z_mm=(-10.0, -8.0, -4.0)))
    with pytest.raises(GeometryError) as error:
        crops.load(crops.records[0])
    assert code_of(error) == "NON_UNIFORM_SPACING"


def test_a_place_without_a_nodule_is_kept_apart_from_the_nodules(tmp_path: Path) -> None:
    crops = CropSet.open(write_set(tmp_path))
    (tmp_path / "stacks.csv").rename(tmp_path / "negatives.csv")
    alone = CropSet.open(tmp_path)
    assert (crops.negatives, alone.records) == ((), ())
    (negative,) = alone.negatives
    assert negative.kind == "negative"
    assert negative.center_lps_mm == (29.0, -40.5, -8.0)
    assert alone.load(negative).volume.geometry.shape_zyx == (3, 4, 5)
    # whose patient must not be seen, and in which fold, is asked of all that a set holds
    assert alone.folds == {3}
    assert alone.patients({3}) == {"P1"}
    assert alone.patients({0, 1, 2, 4}) == frozenset()
    assert alone.names({3}) == {"P1", "1.2.3"}


def test_refuses_a_place_without_a_nodule_that_nobody_can_find(tmp_path: Path) -> None:
    write_set(tmp_path, origin_x="", origin_y="", xy_dir="")
    (tmp_path / "stacks.csv").rename(tmp_path / "negatives.csv")
    with pytest.raises(InputError, match=r"negatives.csv line 2: column origin_x"):
        CropSet.open(tmp_path)


def test_refuses_a_folder_without_tables(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        CropSet.open(tmp_path)
    assert code_of(error) == "NO_CROP_SET"


def test_names_the_missing_columns(tmp_path: Path) -> None:
    (tmp_path / "voi.csv").write_text("file,fold\n")
    with pytest.raises(InputError, match="mask_file") as error:
        CropSet.open(tmp_path)
    assert code_of(error) == "MISSING_COLUMNS"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("fold", "three"),
        ("fold", "1.5"),
        ("eq_diameter_mm", "nan"),
        ("malignancy", "4"),
        ("malignancy", "4|9"),
        ("file", "../elsewhere.npz"),
    ],
)
def test_names_the_cell_that_cannot_be_used(tmp_path: Path, column: str, value: str) -> None:
    with pytest.raises(InputError, match=f"stacks.csv line 2: column {column}") as error:
        CropSet.open(write_set(tmp_path, **{column: value}))
    assert code_of(error) == "BAD_ROW"


def test_says_which_file_is_missing_or_damaged(tmp_path: Path) -> None:
    crops = CropSet.open(write_set(tmp_path))
    (tmp_path / "stacks/P1.npz").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(InputError) as error:
        crops.load(crops.records[0])
    assert code_of(error) == "BAD_CROP"
    (tmp_path / "stacks/P1.npz").unlink()
    with pytest.raises(InputError) as error:
        crops.load(crops.records[0])
    assert code_of(error) == "NO_CROP_FILE"


@pytest.fixture(scope="module")
def real(shared: Path) -> CropSet:
    return CropSet.open(shared / "data/nodules")


def of_kind(crops: CropSet, kind: str) -> list[NoduleRecord]:
    return [record for record in crops.records if record.kind == kind]


def test_opens_every_row_of_the_shared_set(real: CropSet) -> None:
    counts = {kind: len(of_kind(real, kind)) for kind in ("stack", "voi", "crop51")}
    assert counts == {"stack": 2064, "voi": 809, "crop51": 89}


def test_masks_have_the_volume_that_the_tables_state(real: CropSet) -> None:
    for record in real.records[::30]:
        crop = real.load(record)
        volume_mm3 = crop.consensus().sum() * crop.volume.geometry.voxel_volume_mm3
        assert (6 * volume_mm3 / math.pi) ** (1 / 3) == pytest.approx(record.diameter_mm, abs=0.01)


def test_stack_and_voi_of_one_nodule_show_the_same_hu_at_the_same_place(real: CropSet) -> None:
    vois = {record.file: record for record in of_kind(real, "voi")}
    linked = [r for r in of_kind(real, "stack") if r.voi_file and r.frame_known]
    prone = [r for r in linked if r.xy_dir == -1]
    for record in (*linked[:6], *prone[:3]):
        stack, voi = real.load(record), real.load(vois[record.voi_file or ""])
        center = np.argwhere(stack.consensus()).mean(axis=0)
        point = stack.volume.geometry.index_to_lps(center)
        hu = []
        for volume in (stack.volume, voi.volume):
            z, y, x = np.rint(volume.geometry.lps_to_index(point)).astype(int)
            hu.append(float(np.clip(volume.array_zyx[z, y, x], -1000, 400)))
        assert hu[0] == pytest.approx(hu[1], abs=12)


def test_one_record_stays_per_nodule(real: CropSet) -> None:
    kept = distinct(real.records)
    keys = [record.nodule_key for record in kept]
    assert len(set(keys)) == len(keys)
    # two voi have no stack; every crop51 may be one of its patient's stacks
    assert len(kept) == 2064 + 2
    assert {r.kind for r in distinct(real.records, prefer=("voi",))} == {"voi"}
