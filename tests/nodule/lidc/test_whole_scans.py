"""Scans are found as users have them; whose they are and what is held out is never guessed."""

from pathlib import Path

import pytest

from nodule.errors import ConfigError, InputError
from nodule.lidc.whole_scans import find_scans, fold_of, luna16_files, patient_of, training_scans
from nodule.training.crop_set import CropSet

UID = "1.3.6.1.4.1.14519.5.2.1.6279.6001.{}"
HEAD = (
    "<LidcReadMessage><ResponseHeader><SeriesInstanceUid>{}</SeriesInstanceUid>"
    "</ResponseHeader></LidcReadMessage>"
)


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def luna16(tmp_path: Path) -> Path:
    """Lay three subsets of two scans and the masks that LUNA16 brings beside them."""
    root = tmp_path / "LUNA16"
    for number in range(6):
        touch(root / f"subset{number // 2}" / f"{UID.format(number)}.mhd")
        touch(root / "seg-lungs-LUNA16" / f"{UID.format(number)}.mhd")
    touch(root / "annotations.csv")
    touch(root / "evaluationScript/annotations/annotations.csv")
    touch(root / "evaluationScript/annotations/annotations_excluded.csv")
    return root


@pytest.mark.parametrize(
    ("path", "patient"),
    [
        ("LIDC-IDRI-0001", "LIDC-IDRI-0001"),
        ("deep/LIDC-IDRI-0001", "LIDC-IDRI-0001"),
        ("LIDC-IDRI-0001.nii.gz", "LIDC-IDRI-0001"),
        ("LIDC-IDRI-0001.zip", "LIDC-IDRI-0001"),
        ("LIDC-IDRI-0001/01-01-2000-NA/3000566.000000-03192", "LIDC-IDRI-0001"),
        ("subset3/1.3.6.1.mhd", "1.3.6.1"),
    ],
)
def test_a_scan_belongs_to_the_patient_it_is_named_after(path: str, patient: str) -> None:
    assert patient_of(Path(path)) == patient


def test_finds_the_scans_of_luna16_with_their_subset_and_tables(luna16: Path) -> None:
    scans = find_scans(luna16)
    assert [scan.patient for scan in scans] == [UID.format(number) for number in range(6)]
    assert [scan.fold for scan in scans] == [0, 0, 1, 1, 2, 2]
    assert {scan.readings for scan in scans} == {luna16 / "annotations.csv"}
    excluded = luna16 / "evaluationScript/annotations/annotations_excluded.csv"
    assert {scan.excluded for scan in scans} == {excluded}


def test_the_masks_of_luna16_are_no_scans(luna16: Path) -> None:
    assert len(luna16_files(luna16)) == 6


def test_luna16_without_its_table_is_refused(luna16: Path) -> None:
    (luna16 / "annotations.csv").unlink()
    (luna16 / "evaluationScript/annotations/annotations.csv").unlink()
    with pytest.raises(InputError, match="NO_TABLE"):
        find_scans(luna16)


def test_the_held_out_subset_stays_out_and_all_else_comes_in(luna16: Path) -> None:
    scans = training_scans([luna16], unseen=(), held_out_folds=(1,))
    assert [scan.fold for scan in scans] == [0, 0, 2, 2]


def test_an_unseen_patient_of_a_folder_stays_out(luna16: Path) -> None:
    scans = training_scans([luna16], unseen={UID.format(5)})
    assert [scan.patient for scan in scans] == [UID.format(number) for number in range(5)]


SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.179049373636438705059720603192"


def test_a_held_out_patient_stays_out_by_the_series_that_luna16_knows(
    luna16: Path, shared: Path
) -> None:
    touch(luna16 / "subset2" / f"{SERIES}.mhd")
    crops = CropSet.open(shared / "data/nodules")
    unseen = crops.names((4,))
    assert {"LIDC-IDRI-0001", SERIES} <= unseen
    scans = training_scans([luna16], unseen=unseen, held_out_folds=(4,))
    assert [scan.patient for scan in scans] == [UID.format(number) for number in range(6)]


def test_a_held_out_series_stays_out_by_whatever_its_folder_is_called(
    shared: Path, tmp_path: Path
) -> None:
    for patient in ("0001", "0002"):
        series(tmp_path / f"P{patient}" / "ct", shared / f"data/ct/LIDC-IDRI-{patient}")
    assert [scan.patient for scan in training_scans([tmp_path], unseen={SERIES})] == ["P0002"]
    with pytest.raises(ConfigError, match="HELD_OUT_SCAN"):
        training_scans([tmp_path / "P0001" / "ct"], unseen={SERIES})


def test_refuses_a_held_out_scan_that_is_named() -> None:
    scans = [Path("a/P1"), Path("b/P2.nii.gz")]
    assert [scan.patient for scan in training_scans(scans, unseen={"P3"})] == ["P1", "P2"]
    with pytest.raises(ConfigError, match=r"HELD_OUT_SCAN.*P2"):
        training_scans(scans, unseen={"P2", "P3"})


def test_refuses_a_named_scan_of_a_held_out_subset(luna16: Path) -> None:
    scan = luna16 / "subset1" / f"{UID.format(2)}.mhd"
    assert training_scans([scan], unseen=(), held_out_folds=(0,))[0].fold == 1
    with pytest.raises(ConfigError, match="HELD_OUT_SCAN"):
        training_scans([scan], unseen=(), held_out_folds=(1,))


def test_a_folder_of_studies_holds_each_of_them(shared: Path) -> None:
    scans = find_scans(shared / "data/ct")
    assert [(scan.patient, scan.readings is not None) for scan in scans] == [
        ("LIDC-IDRI-0001", True),
        ("LIDC-IDRI-0002", True),
        ("background-lungfcp", False),
    ]
    assert [scan.fold for scan in scans] == [fold_of(scan.patient) for scan in scans]


def test_finds_readings_in_a_tree_of_their_own(shared: Path, tmp_path: Path) -> None:
    uids = {}
    for patient in ("LIDC-IDRI-0001", "LIDC-IDRI-0002"):
        source = shared / "data/ct" / patient
        series = tmp_path / "LIDC-IDRI" / patient / "study" / "series"
        series.mkdir(parents=True)
        (series / "1-001.dcm").symlink_to(min(source.glob("*.dcm")))
        text = (source / "annotations.xml").read_text()
        uids[patient] = touch(tmp_path / "xml/157" / f"{patient[-4:]}.xml", text)
    touch(tmp_path / "xml/185/chest.xml", "<IdriReadMessage/>")
    found = {scan.patient: scan.readings for scan in find_scans(tmp_path)}
    assert found == uids


def series(folder: Path, source: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "1-001.dcm").symlink_to(min(source.glob("*.dcm")))
    return folder


def test_a_patient_as_the_archive_lays_it_brings_its_readings(shared: Path, tmp_path: Path) -> None:
    source = shared / "data/ct/LIDC-IDRI-0001"
    patient = tmp_path / "LIDC-IDRI-0001"
    folder = series(patient / "01-01-2000-NA" / "3000566.000000-NA", source)
    readings = touch(folder / "069.xml", (source / "annotations.xml").read_text())
    (scan,) = find_scans(patient)
    assert (scan.path, scan.patient, scan.readings) == (folder, "LIDC-IDRI-0001", readings)


def test_other_peoples_studies_are_named_after_the_folders_below(
    shared: Path, tmp_path: Path
) -> None:
    for patient in ("0001", "0002"):
        series(tmp_path / f"P{patient}" / "ct" / "axial", shared / f"data/ct/LIDC-IDRI-{patient}")
    assert [scan.patient for scan in find_scans(tmp_path)] == ["P0001", "P0002"]
    assert [scan.patient for scan in find_scans(tmp_path / "P0001")] == ["P0001"]


def test_a_mask_beside_the_images_makes_no_second_scan(shared: Path, tmp_path: Path) -> None:
    folder = series(tmp_path / "P1", shared / "data/ct/LIDC-IDRI-0001")
    touch(folder / "lungs.nii.gz")
    assert [scan.path for scan in find_scans(folder)] == [folder]


def test_a_study_alone_is_one_scan(shared: Path) -> None:
    (scan,) = find_scans(shared / "data/ct/LIDC-IDRI-0001")
    assert scan.path == shared / "data/ct/LIDC-IDRI-0001"


def test_refuses_a_scan_with_two_readings(tmp_path: Path) -> None:
    for name in ("068.xml", "069.xml"):
        touch(tmp_path / "P1" / name, HEAD.format("1.2"))
    with pytest.raises(InputError, match="MANY_READINGS"):
        find_scans(tmp_path / "P1")
