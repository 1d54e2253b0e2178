"""A scan becomes a training region with its readers' nodules where they drew them."""

from pathlib import Path

import numpy as np
import pytest

from nodule.lidc import WholeScan, find_scans, findings_by_series
from nodule.phantom import NodulePlan, Phantom, PhantomSpec, make_phantom, write_nifti, write_study
from nodule.training import read_annotated_scan
from nodule.training._scan_store import read_region

HEADING = "seriesuid,coordX,coordY,coordZ,diameter_mm"


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    """Return a chest with a nodule of 14 mm."""
    return make_phantom(
        PhantomSpec(
            seed=3,
            shape_zyx=(90, 130, 160),
            spacing_zyx_mm=(2.5, 2.2, 2.2),
            nodules=(NodulePlan(diameter_mm=14.0),),
        )
    )


@pytest.fixture(scope="module")
def folder(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write it as the archive would send it, with the readings of four readers."""
    return write_study(phantom, tmp_path_factory.mktemp("archive") / "LIDC-IDRI-9001").folder


def luna16_table(path: Path, phantom: Phantom, *, uid: str) -> Path:
    (nodule,) = phantom.nodules
    place = ",".join(map(str, nodule.center_lps_mm))
    path.write_text(f"{HEADING}\n{uid},{place},{nodule.diameter_mm}\n")
    return path


def test_four_readers_give_the_nodule_that_was_planted(phantom: Phantom, folder: Path) -> None:
    (scan,) = find_scans(folder)
    read = read_annotated_scan(scan)
    (planted,) = phantom.nodules
    outlined = [each for each in read.annotations if each.kind == "outlined"]
    (drawn,) = outlined
    assert (drawn.readers, drawn.agreed) == (4, True)
    assert np.linalg.norm(np.subtract(drawn.center_lps_mm, planted.center_lps_mm)) < 1.5
    assert drawn.diameter_mm == pytest.approx(planted.diameter_mm, rel=0.15)
    assert {each.kind for each in read.annotations} == {"outlined", "small", "rejected"}
    points = [each for each in read.annotations if each.kind != "outlined"]
    assert {(each.diameter_mm, each.readers) for each in points} == {(10.0, 0)}  # LUNA16's
    assert read.study.volume.geometry.is_close(phantom.volume.geometry)


def test_readings_and_a_table_of_luna16_give_one_nodule_in_one_place(
    phantom: Phantom, folder: Path, tmp_path: Path
) -> None:
    (scan,) = find_scans(folder)
    table = luna16_table(tmp_path / "annotations.csv", phantom, uid="1.2.3")
    as_luna16 = WholeScan(path=scan.path, patient="1.2.3", fold=0, readings=table)
    (drawn,), (listed,) = read_region(scan).lesions, read_region(as_luna16).lesions
    assert np.linalg.norm(np.subtract(drawn.center_mm, listed.center_mm)) < 1.5


def test_a_scan_that_nobody_read_has_nothing_marked(folder: Path) -> None:
    unread = WholeScan(path=folder, patient="P1", fold=0)
    read = read_annotated_scan(unread)
    assert (read.annotations, read.negatives_lps_mm.shape) == ((), (0, 3))


@pytest.mark.slow
def test_a_table_of_excluded_findings_beside_a_lone_scan_is_read_under_the_scans_name(
    phantom: Phantom, tmp_path: Path
) -> None:
    image = tmp_path / "P7.nii.gz"
    write_nifti(phantom.volume, image)
    (tmp_path / "annotations_excluded.csv").write_text(
        "seriesuid,coordX,coordY,coordZ,diameter_mm\nP7,1.5,2.5,-3.5,12\nP8,0,0,0,9\n"
    )
    (scan,) = find_scans(image)
    (excluded,) = read_annotated_scan(scan).annotations
    assert excluded.kind == "excluded"
    assert excluded.center_lps_mm == (1.5, 2.5, -3.5)
    assert excluded.diameter_mm == 12.0
    assert not excluded.agreed


def test_the_real_readings_and_luna16s_table_give_one_nodule_in_one_place(shared: Path) -> None:
    (scan,) = find_scans(shared / "data/ct/LIDC-IDRI-0001")
    by_readers = read_region(scan)
    table = shared / "data/annotations/luna16_annotations.csv"
    uid = "1.3.6.1.4.1.14519.5.2.1.6279.6001.179049373636438705059720603192"
    assert len(findings_by_series(table)[uid]) == 1
    as_luna16 = WholeScan(path=scan.path, patient=uid, fold=0, readings=table)
    by_table = read_region(as_luna16)
    (drawn,), (listed,) = by_readers.lesions, by_table.lesions
    # LUNA16 took the mean of the readers' centres, ours is the consensus' centroid
    assert np.linalg.norm(np.subtract(drawn.center_mm, listed.center_mm)) < 2.0
    assert by_readers.ignored  # marks by fewer readers
    assert by_table.ignored == ()
    assert by_readers.array_hu.dtype == np.int16
    assert len(by_readers.focus_mm) > 1000
