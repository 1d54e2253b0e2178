"""Scans are found as users have them; whose they are and what is held out is never guessed."""

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from nodule.errors import ConfigError, InputError
from nodule.lidc import find_scans, fold_of, training_scans
from nodule.lidc._whole_scans import luna16_files, patient_of
from nodule.training import CropSet

UID = "1.3.6.1.4.1.14519.5.2.1.6279.6001.{}"
APPLE_DOUBLE = b"\0\5\x16\7" + bytes(162)  # RFC 1740
SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.179049373636438705059720603192"
HEAD = (
    "<LidcReadMessage><ResponseHeader><SeriesInstanceUid>{}</SeriesInstanceUid>"
    "</ResponseHeader></LidcReadMessage>"
)


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def series(folder: Path, patient: str) -> Path:
    """Write one CT image without pixels: scans are found by what one header says."""
    folder.mkdir(parents=True)
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.{int(patient[-4:])}.1"
    ds.Modality, ds.StudyInstanceUID = "CT", f"1.2.{int(patient[-4:])}.2"
    ds.SeriesInstanceUID = series_of(patient)
    pydicom.dcmwrite(folder / "1-001.dcm", ds, enforce_file_format=True)
    return folder


def series_of(patient: str) -> str:
    return SERIES if patient == "LIDC-IDRI-0001" else f"1.2.840.{int(patient[-4:])}"


def readings(path: Path, patient: str) -> Path:
    return touch(path, HEAD.format(series_of(patient)))


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


def test_a_held_out_patient_stays_out_by_the_series_that_luna16_knows(
    luna16: Path, shared: Path
) -> None:
    touch(luna16 / "subset2" / f"{SERIES}.mhd")
    crops = CropSet.open(shared / "data/nodules")
    unseen = crops.names((4,))
    assert {"LIDC-IDRI-0001", SERIES} <= unseen
    scans = training_scans([luna16], unseen=unseen, held_out_folds=(4,))
    assert [scan.patient for scan in scans] == [UID.format(number) for number in range(6)]


def test_a_held_out_series_stays_out_by_whatever_its_folder_is_called(tmp_path: Path) -> None:
    for patient in ("0001", "0002"):
        series(tmp_path / f"P{patient}" / "ct", f"LIDC-IDRI-{patient}")
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


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """Lay two patients with readings and one file that nobody read."""
    root = tmp_path / "ct"
    for patient in ("LIDC-IDRI-0001", "LIDC-IDRI-0002"):
        readings(series(root / patient, patient) / "annotations.xml", patient)
    touch(root / "background-lungfcp.nii.gz")
    return root


def test_a_folder_of_studies_holds_each_of_them(studies: Path) -> None:
    scans = find_scans(studies)
    assert [(scan.patient, scan.readings is not None) for scan in scans] == [
        ("LIDC-IDRI-0001", True),
        ("LIDC-IDRI-0002", True),
        ("background-lungfcp", False),
    ]
    assert [scan.fold for scan in scans] == [fold_of(scan.patient) for scan in scans]


def test_the_real_studies_are_found_alike(shared: Path) -> None:
    scans = find_scans(shared / "data/ct")
    assert [(scan.patient, scan.readings is not None) for scan in scans] == [
        ("LIDC-IDRI-0001", True),
        ("LIDC-IDRI-0002", True),
        ("background-lungfcp", False),
    ]
    assert scans[0].series == (SERIES,)


def test_finds_readings_in_a_tree_of_their_own(tmp_path: Path) -> None:
    expected = {}
    for patient in ("LIDC-IDRI-0001", "LIDC-IDRI-0002"):
        series(tmp_path / "LIDC-IDRI" / patient / "study" / "series", patient)
        expected[patient] = readings(tmp_path / "xml/157" / f"{patient[-4:]}.xml", patient)
    touch(tmp_path / "xml/185/chest.xml", "<IdriReadMessage/>")
    found = {scan.patient: scan.readings for scan in find_scans(tmp_path)}
    assert found == expected


def test_a_patient_as_the_archive_lays_it_brings_its_readings(tmp_path: Path) -> None:
    patient = tmp_path / "LIDC-IDRI-0001"
    folder = series(patient / "01-01-2000-NA" / "3000566.000000-NA", "LIDC-IDRI-0001")
    drawn = readings(folder / "069.xml", "LIDC-IDRI-0001")
    (scan,) = find_scans(patient)
    assert (scan.path, scan.patient, scan.readings) == (folder, "LIDC-IDRI-0001", drawn)


def test_other_peoples_studies_are_named_after_the_folders_below(tmp_path: Path) -> None:
    for patient in ("0001", "0002"):
        series(tmp_path / f"P{patient}" / "ct" / "axial", f"LIDC-IDRI-{patient}")
    assert [scan.patient for scan in find_scans(tmp_path)] == ["P0001", "P0002"]
    assert [scan.patient for scan in find_scans(tmp_path / "P0001")] == ["P0001"]


def test_a_mask_beside_the_images_makes_no_second_scan(tmp_path: Path) -> None:
    folder = series(tmp_path / "P1", "LIDC-IDRI-0001")
    touch(folder / "lungs.nii.gz")
    assert [scan.path for scan in find_scans(folder)] == [folder]


def test_a_study_alone_is_one_scan(studies: Path) -> None:
    (scan,) = find_scans(studies / "LIDC-IDRI-0001")
    assert scan.path == studies / "LIDC-IDRI-0001"


def test_refuses_a_scan_with_two_readings(tmp_path: Path) -> None:
    for name in ("068.xml", "069.xml"):
        touch(tmp_path / "P1" / name, HEAD.format("1.2"))
    with pytest.raises(InputError, match="MANY_READINGS"):
        find_scans(tmp_path / "P1")


@pytest.mark.parametrize(
    ("patient", "fold"),
    [
        ("LIDC-IDRI-0002", 0),
        ("LIDC-IDRI-0006", 0),
        ("LIDC-IDRI-0018", 1),
        ("LIDC-IDRI-0024", 1),
        ("LIDC-IDRI-0013", 2),
        ("LIDC-IDRI-0014", 2),
        ("LIDC-IDRI-0016", 3),
        ("LIDC-IDRI-0023", 3),
        ("LIDC-IDRI-0001", 4),
        ("LIDC-IDRI-0004", 4),
    ],
)
def test_patients_stay_in_the_folds_in_which_networks_were_trained(patient: str, fold: int) -> None:
    assert fold_of(patient) == fold


@pytest.mark.parametrize("name", ["1-001.DCM", "IM0001", "1-001.dcm"])
def test_slices_are_known_by_their_bytes_and_hidden_twins_are_none(
    tmp_path: Path, name: str
) -> None:
    root = tmp_path / "download"
    folder = series(root / "imgs" / "LIDC-IDRI-0001" / "study" / "series", "LIDC-IDRI-0001")
    (folder / "1-001.dcm").rename(folder / name)
    (folder / "._1-001.dcm").write_bytes(APPLE_DOUBLE)
    drawn = readings(root / "xml" / "185" / "069.xml", "LIDC-IDRI-0001")
    (drawn.parent / "._069.xml").write_bytes(APPLE_DOUBLE)
    (scan,) = find_scans(root)
    assert (scan.patient, scan.path, scan.readings) == ("LIDC-IDRI-0001", folder, drawn)
    assert scan.series == (SERIES,)


def test_a_hidden_twin_of_an_image_file_is_no_scan(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        touch(tmp_path / name)
        (tmp_path / f"._{name}").write_bytes(APPLE_DOUBLE)
    assert [scan.patient for scan in find_scans(tmp_path)] == ["a", "b"]
