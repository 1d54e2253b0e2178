"""Whole scans and what their readers marked, in each layout that users have."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nodule.errors import InputError
from nodule.evaluate.nodule_detection._read_scans import (
    find_read_scans,
    load_read_scan,
    must_be_found,
)
from nodule.phantom import NodulePlan, PhantomSpec, make_phantom, write_study
from nodule.training import Annotation

HEADING = "seriesuid,coordX,coordY,coordZ,diameter_mm"


@pytest.mark.parametrize(("files", "code"), [((), "NO_READINGS"), (("a", "b"), "MANY_READINGS")])
def test_refuses_a_scan_whose_readings_are_unknown(
    tmp_path: Path, files: tuple[str, ...], code: str
) -> None:
    for name in files:
        (tmp_path / f"{name}.xml").write_text("<LidcReadMessage/>")
    with pytest.raises(InputError) as refused:
        find_read_scans([tmp_path])
    assert refused.value.code == code


def test_reads_a_study_as_the_archive_lays_it(tmp_path: Path) -> None:
    plan = NodulePlan(diameter_mm=12.0)
    phantom = make_phantom(
        PhantomSpec(
            seed=1, shape_zyx=(60, 120, 150), spacing_zyx_mm=(4.0, 2.4, 2.4), nodules=(plan,)
        )
    )
    folder = tmp_path / "LIDC-IDRI-0009/01-01-2000-NA/3000566.000000-NA"
    write_study(phantom, folder)
    (scan,) = find_read_scans([tmp_path / "LIDC-IDRI-0009", tmp_path / "LIDC-IDRI-0009"])
    read, study = load_read_scan(scan)
    (nodule,) = read.nodules
    gap_mm = np.linalg.norm(np.subtract(nodule.center_lps_mm, phantom.nodules[0].center_lps_mm))
    assert gap_mm < 2.4
    assert nodule.readers == 4
    assert read.name == "LIDC-IDRI-0009"
    assert read.series_uid == study.series.series_instance_uid == scan.series[0]


def test_reads_luna16_with_its_nodules_and_what_it_excludes(tmp_path: Path) -> None:
    subset = tmp_path / "subset9"
    subset.mkdir()
    for uid in ("1.2.1", "1.2.2"):
        # lung with noise: a region of one value would be padding
        array = np.random.default_rng(0).integers(-900, -800, (8, 8, 8)).astype(np.int16)
        array[:, 0] = 40
        image = sitk.GetImageFromArray(array)
        sitk.WriteImage(image, str(subset / f"{uid}.mhd"))
    (tmp_path / "annotations.csv").write_text(f"{HEADING}\n1.2.1,3,4,5,6.5\n")
    (tmp_path / "annotations_excluded.csv").write_text(
        f"{HEADING}\n1.2.1,1,1,1,-1\n1.2.1,2,2,2,4.2\n1.2.9,0,0,0,5\n"
    )
    scans = find_read_scans([subset])
    (first, _), (second, _) = map(load_read_scan, scans)
    (nodule,) = first.nodules
    assert (nodule.center_lps_mm, nodule.diameter_mm) == ((3.0, 4.0, 5.0), 6.5)
    assert [(each.center_lps_mm[0], each.diameter_mm) for each in first.ignored] == [
        (1.0, 10.0),  # LUNA16's diameter where it gives none
        (2.0, 4.2),
    ]
    assert (first.name, first.series_uid) == ("1.2.1", "1.2.1")
    assert (second.nodules, second.ignored) == ((), ())
    (alone,) = find_read_scans([subset / "1.2.1.mhd"])
    assert load_read_scan(alone)[0] == first


def test_finds_in_a_real_scan_what_luna16_lists(shared: Path) -> None:
    (scan,) = find_read_scans([shared / "data/ct/LIDC-IDRI-0001"])
    read, _ = load_read_scan(scan)
    (nodule,) = read.nodules
    # annotations.csv, LIDC-IDRI-0001
    assert nodule.center_lps_mm == pytest.approx((56.208, 86.343, -115.868), abs=0.5)
    assert nodule.diameter_mm == pytest.approx(23.35, abs=0.5)


@pytest.mark.parametrize(
    ("readers", "diameter_mm", "certain"),
    [(2, 8.0, False), (3, 8.0, True), (4, 8.0, True), (3, 2.99, False), (3, 3.0, True)],
)
def test_a_nodule_to_be_found_has_three_readers_and_3_mm(
    readers: int, diameter_mm: float, certain: bool
) -> None:
    """LUNA16: outlined by three of four readers, and at least 3 mm."""
    marked = Annotation(
        kind="outlined", center_lps_mm=(0.0, 0.0, 0.0), measured_mm=diameter_mm, readers=readers
    )
    assert must_be_found(marked) == certain
