"""Scans are unpacked once and mapped; what LUNA16's tables mark lies where they say."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nodule.errors import ConfigError
from nodule.lidc import WholeScan, find_scans
from nodule.training import Region, load_scans
from nodule.training import _scan_store as store_module
from nodule.training._scan_store import StoredScans, read_region

UIDS = ("1.2.840.10", "1.2.840.11")
HEADER = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"


@pytest.fixture
def luna16(tmp_path: Path) -> Path:
    """Two tiny chests, the second stored prone; a nodule in the first, a finding in the second."""
    root = tmp_path / "LUNA16"
    (root / "subset0").mkdir(parents=True)
    hu = np.full((24, 60, 70), -1000, np.int16)
    hu[:, 5:55, 5:65] = 40
    lung = np.random.default_rng(0).integers(-900, -800, (24, 30, 20)).astype(np.int16)
    hu[:, 15:45, 12:32] = hu[:, 15:45, 38:58] = lung  # with noise: one value would be padding
    hu[10:12, 28:32, 20:24] = 30
    rows = []
    for uid, sign in zip(UIDS, (1.0, -1.0), strict=True):
        image = sitk.GetImageFromArray(hu)
        image.SetSpacing((1.5, 1.5, 2.5))
        image.SetOrigin((-50.0 * sign, -40.0 * sign, -300.0))
        image.SetDirection((sign, 0, 0, 0, sign, 0, 0, 0, 1))
        sitk.WriteImage(image, str(root / "subset0" / f"{uid}.mhd"))
        x, y, z = image.TransformContinuousIndexToPhysicalPoint((21.5, 29.5, 10.5))
        rows.append(f"{uid},{x},{y},{z}")
    (root / "annotations.csv").write_text(f"{HEADER}{rows[0]},6.5\n")
    (root / "annotations_excluded.csv").write_text(f"{HEADER}{rows[1]},-1\n")
    classes = f"seriesuid,coordX,coordY,coordZ,class\n{rows[0]},1\n{rows[1]},0\n"
    (root / "candidates_V2.csv").write_text(classes)
    return root


def test_a_nodule_of_luna16_lies_in_the_array_where_it_is_seen(luna16: Path) -> None:
    read, unread = (read_region(scan) for scan in find_scans(luna16))
    (lesion,) = read.lesions
    assert lesion.diameter_mm == 6.5
    # the block's centre of mass, index (10.5, 29.5, 21.5) at spacing (2.5, 1.5, 1.5)
    np.testing.assert_allclose(lesion.center_mm, (26.25, 44.25, 32.25), atol=1e-3)
    assert read.ignored == ()
    assert unread.lesions == ()
    (finding,) = unread.ignored
    assert finding.diameter_mm == 10.0  # the table says -1: not measured
    np.testing.assert_allclose(finding.center_mm, (26.25, 44.25, 32.25), atol=1e-3)


def test_a_candidate_that_is_none_is_a_place_to_look_at(luna16: Path, tmp_path: Path) -> None:
    for load in (None, tmp_path / "store"):
        read, unread = load_scans(find_scans(luna16), store=load)
        assert read.hard_mm.shape == (0, 3)
        np.testing.assert_allclose(unread.hard_mm, [(26.25, 44.25, 32.25)], atol=1e-3)


def test_a_stored_scan_is_the_scan(luna16: Path, tmp_path: Path) -> None:
    scans = find_scans(luna16)
    stored = load_scans(scans, store=tmp_path / "store")
    for there, here in zip(stored, load_scans(scans, store=None), strict=True):
        assert isinstance(there.array_hu, np.memmap)
        assert there.array_hu.dtype == np.int16
        np.testing.assert_array_equal(there.array_hu, here.array_hu)
        np.testing.assert_array_equal(there.focus_mm, here.focus_mm)
        assert there.spacing_zyx_mm == here.spacing_zyx_mm
        assert (there.lesions, there.ignored) == (here.lesions, here.ignored)


def test_a_store_reads_each_scan_once_until_it_or_its_readings_change(
    luna16: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def spy(scan: WholeScan) -> Region:
        read.append(scan.patient)
        return read_region(scan)

    monkeypatch.setattr(store_module, "read_region", spy)
    scans = find_scans(luna16)
    load_scans(scans[:1], store=tmp_path / "store")
    load_scans(scans, store=tmp_path / "store")
    assert read == list(UIDS)
    raw = luna16 / "subset0" / f"{UIDS[0]}.raw"
    raw.write_bytes(raw.read_bytes())
    load_scans(scans, store=tmp_path / "store")
    assert read == [*UIDS, UIDS[0]]


def test_an_unpacking_that_was_broken_off_begins_again(
    luna16: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    scans = find_scans(luna16)
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "write_whole", fail)
        with pytest.raises(OSError, match="no space"):
            load_scans(scans, store=tmp_path / "store")
    assert len(load_scans(scans, store=tmp_path / "store")[0].lesions) == 1


def test_stored_scans_travel_to_worker_processes_without_their_voxels(
    luna16: Path, tmp_path: Path
) -> None:
    stored = load_scans(find_scans(luna16), store=tmp_path / "store")
    sent = pickle.dumps(stored)
    assert len(sent) < 1000
    arrived: StoredScans = pickle.loads(sent)
    np.testing.assert_array_equal(arrived[1].array_hu, stored[1].array_hu)


def test_refuses_to_hold_all_of_luna16_in_memory(tmp_path: Path) -> None:
    scan = WholeScan(path=tmp_path / "x.mhd", patient="x", fold=0)
    with pytest.raises(ConfigError, match=r"TOO_MANY_SCANS.*--store"):
        load_scans([scan] * 49, store=None)
