"""``nodule dataset``."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from nodule.errors import InputError
from nodule.training import CropSet
from pipelines.cli._dataset import dataset_app

WIDE = ("--margin-mm", 60)  # so that the shared crops lie inside ours
FINDINGS = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"


def run(*arguments: object) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(dataset_app, [str(argument) for argument in arguments])
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def luna16(tmp_path: Path) -> Callable[[str], Path]:
    """Write a LUNA16 folder of one scan, stored the usual way or with x and y flipped."""

    def write(direction: str) -> Path:
        root = tmp_path / "luna16"
        (root / "subset0").mkdir(parents=True)
        # lung with noise: a region of one value would be padding
        array = np.random.default_rng(0).integers(-900, -800, (24, 64, 64)).astype(np.int16)
        array[:, :4] = array[10:14, 28:36, 36:44] = 40
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((0.7, 0.7, 2.5))
        image.SetOrigin((-20.0, 30.0, -200.0))
        sign = -1.0 if direction == "flipped" else 1.0
        image.SetDirection((sign, 0, 0, 0, sign, 0, 0, 0, 1))
        sitk.WriteImage(image, str(root / "subset0/1.2.840.1.mhd"))
        x, y, z = image.TransformContinuousIndexToPhysicalPoint((39.5, 31.5, 11.5))
        (root / "annotations.csv").write_text(f"{FINDINGS}1.2.840.1,{x},{y},{z},6.0\n1.9,0,0,0,5\n")
        return root

    return write


@pytest.mark.parametrize("direction", ["usual", "flipped"])
def test_cuts_luna16_nodules_where_the_list_says(
    luna16: Callable[[str], Path], tmp_path: Path, direction: str
) -> None:
    code, summary = run("luna16", luna16(direction), "-o", tmp_path / "set", "--margin-mm", 8)
    assert code == 0
    assert (summary["series"], summary["nodules"], summary["failed"]) == (1, 1, [])
    crops = CropSet.open(tmp_path / "set")
    [record] = crops.records
    assert record.series_uid == "1.2.840.1"
    assert record.diameter_mm == 6.0
    assert record.xy_dir == (-1 if direction == "flipped" else 1)
    volume = crops.load(record).volume
    # the bright block's centre of mass is where the list puts the nodule
    bright = np.argwhere(volume.array_zyx > 0).mean(axis=0)
    np.testing.assert_allclose(
        volume.geometry.index_to_lps(bright), record.center_lps_mm or (), atol=1e-3
    )


def test_passes_over_a_scan_that_cannot_be_read(
    luna16: Callable[[str], Path], tmp_path: Path
) -> None:
    root = luna16("usual")
    (root / "subset0/1.9.mhd").write_text("no image")
    code, summary = run("luna16", root, "-o", tmp_path / "set")
    assert code == 3
    assert (summary["series"], summary["nodules"]) == (1, 1)
    failures = summary["failed"]
    assert isinstance(failures, list)
    [failure] = failures
    assert failure["file"].endswith("1.9.mhd")
    assert len(CropSet.open(tmp_path / "set").records) == 1


def test_cuts_the_nodules_of_lidc_as_their_readers_outlined_them(
    read_phantom: Any, phantom_crops: Path
) -> None:
    crops = CropSet.open(phantom_crops)
    assert len(crops.records) == 3
    planted = {nodule.diameter_mm: nodule for nodule in read_phantom.phantom.nodules}
    for record in crops.records:
        crop = crops.load(record)
        assert (record.patient_id, record.n_readers) == ("PHANTOM-11", 4)
        assert crop.reader_masks.shape == (4, *crop.volume.array_zyx.shape)
        nearest = min(
            planted.values(),
            key=lambda n: float(np.linalg.norm(np.subtract(n.center_lps_mm, record.center_lps_mm))),
        )
        assert record.center_lps_mm == pytest.approx(nearest.center_lps_mm, abs=1.5)
        assert record.diameter_mm == pytest.approx(nearest.diameter_mm, rel=0.15)
        whole, part = read_phantom.phantom.volume, crop.volume
        corner = np.rint(whole.geometry.lps_to_index(part.geometry.origin_lps_mm)).astype(int)
        box = tuple(slice(a, a + n) for a, n in zip(corner, part.array_zyx.shape, strict=True))
        assert np.abs(part.array_zyx - whole.array_zyx[box]).max() <= 0.5  # DICOM's whole HU


def test_says_that_there_is_nothing_to_read(tmp_path: Path) -> None:
    for command in ("lidc", "luna16"):
        result = CliRunner().invoke(
            dataset_app, [command, str(tmp_path), "-o", str(tmp_path / "s")]
        )
        assert result.exit_code == 1
        assert not (tmp_path / "s").exists()


def matches_the_shared_stack(shared: Path, folder: Path, patient: str) -> None:
    """Compare HU and every reader's mask with the shared set's stack, voxel by voxel."""
    ours, theirs = CropSet.open(folder), CropSet.open(shared / "data/nodules")
    [mine] = [r for r in ours.records if r.patient_id == patient]
    [known] = [r for r in theirs.records if r.kind == "stack" and r.patient_id == patient]
    assert dict(mine.ratings) == dict(known.ratings)
    assert mine.fold == known.fold
    found, reference = ours.load(mine), theirs.load(known)
    first, known_first = (
        np.argwhere(crop.reader_masks.any(axis=0)).min(axis=0) for crop in (found, reference)
    )
    start = first - known_first
    box = tuple(
        slice(low, low + size)
        for low, size in zip(start, reference.volume.array_zyx.shape, strict=True)
    )
    assert np.array_equal(found.reader_masks[(slice(None), *box)], reference.reader_masks)
    assert found.reader_masks.sum() == reference.reader_masks.sum()
    hu = np.clip(found.volume.array_zyx[box], -1000, 400)
    exact = reference.exact_slices
    # 8-bit codes: half a step of 5.49 HU and the source's own rounding
    error = np.abs(hu - reference.volume.array_zyx)[exact]
    assert error.mean() < 5
    if known.center_lps_mm:
        np.testing.assert_allclose(mine.center_lps_mm or (), known.center_lps_mm, atol=0.01)


def test_cuts_lidc_as_the_shared_stacks_were_cut(shared: Path, tmp_path: Path) -> None:
    source = shared / "data/ct/LIDC-IDRI-0001"
    code, summary = run("lidc", source, "-o", tmp_path / "set", *WIDE)
    assert code == 0
    assert (summary["series"], summary["nodules"]) == (1, 1)
    matches_the_shared_stack(shared, tmp_path / "set", "LIDC-IDRI-0001")


@pytest.mark.slow
def test_finds_the_images_of_readings_in_a_tree_of_their_own(shared: Path, tmp_path: Path) -> None:
    root = tmp_path / "tcia"
    for patient in ("LIDC-IDRI-0001", "LIDC-IDRI-0002"):
        shutil.copytree(shared / "data/ct" / patient, root / "images" / patient)
        images = root / "images" / patient
        images.chmod(0o755)
        (root / "xml").mkdir(exist_ok=True)
        (images / "annotations.xml").rename(root / "xml" / f"{patient}.xml")
    (root / "xml/radiograph.xml").write_text("<IdriReadMessage/>")
    code, summary = run("lidc", root, "-o", tmp_path / "set", *WIDE)
    assert code == 0, summary
    assert (summary["series"], summary["nodules"]) == (2, 2)
    matches_the_shared_stack(shared, tmp_path / "set", "LIDC-IDRI-0002")


LIDC = (
    "<LidcReadMessage><ResponseHeader><SeriesInstanceUID>1.2.3</SeriesInstanceUID>"
    "</ResponseHeader></LidcReadMessage>"
)


def test_ignores_xml_that_holds_no_readings_of_ct_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "readings.xml").write_text(LIDC)
    (tmp_path / "radiograph.xml").write_text("<IdriReadMessage/>")
    (tmp_path / "project.xml").write_text("<project/>")
    (tmp_path / "broken.xml").write_text("no XML")
    words = ["lidc", str(tmp_path), "-o", str(tmp_path / "set")]
    result = CliRunner().invoke(dataset_app, words)
    (failure,) = json.loads(result.stdout.splitlines()[-1])["failed"]
    assert failure["file"].endswith("readings.xml")
    assert failure["code"] == "NO_SERIES"
    assert (
        "ignored XML that holds no readings of CT: broken.xml, project.xml, radiograph.xml"
        in result.stderr
    )


def test_a_folder_of_foreign_xml_holds_no_series(tmp_path: Path) -> None:
    (tmp_path / "project.xml").write_text("<project/>")
    result = CliRunner().invoke(dataset_app, ["lidc", str(tmp_path), "-o", str(tmp_path / "set")])
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "NO_SERIES"


def test_refuses_readings_that_lie_there_twice_or_without_images(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.xml").write_text(LIDC)
    code, summary = run("lidc", tmp_path, "-o", tmp_path / "set")
    assert code == 1
    failures = summary["failed"]
    assert isinstance(failures, list)
    assert [failure["code"] for failure in failures] == ["NO_SERIES", "REPEATED_READINGS"]
    assert not (tmp_path / "set").exists()
