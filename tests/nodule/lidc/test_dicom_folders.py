"""Every header of a folder counts, and nothing is left out in silence."""

import logging
import os
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from nodule.errors import InputError
from nodule.lidc import find_scans, read_findings, read_lidc_xml, read_series_uids
from nodule.lidc._dicom_folders import dicom_folders, holds_dicom

HEAD = (
    "<LidcReadMessage><ResponseHeader><SeriesInstanceUid>{}</SeriesInstanceUid>"
    "</ResponseHeader></LidcReadMessage>"
)


def image(path: Path, *, series: str, patient: str = "A", study: str = "1.2.3") -> Path:
    """Write a CT image without pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.Modality, ds.StudyInstanceUID, ds.SeriesInstanceUID = "CT", study, series
    ds.PatientID = patient
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


def test_all_series_of_a_folder_are_found(tmp_path: Path) -> None:
    for number, series in enumerate(["1.5", "1.4", "1.5"]):
        image(tmp_path / "a" / f"{number}.dcm", series=series)
    ((folder, found),) = dicom_folders(tmp_path)
    assert (folder, [each.uid for each in found]) == (tmp_path / "a", ["1.5", "1.4"])


def test_readings_are_matched_with_any_series_of_a_folder(tmp_path: Path) -> None:
    root = tmp_path / "LIDC-IDRI"
    image(root / "LIDC-IDRI-0001/study/images/1.dcm", series="1.4")
    image(root / "LIDC-IDRI-0001/study/images/2.dcm", series="1.5")
    image(root / "LIDC-IDRI-0002/study/images/1.dcm", series="1.6", patient="B", study="1.2.4")
    (root / "xml").mkdir()
    (root / "xml/069.xml").write_text(HEAD.format("1.5"))
    first, second = find_scans(root)
    assert (first.patient, set(first.series)) == ("LIDC-IDRI-0001", {"1.4", "1.5"})
    assert first.readings == root / "xml/069.xml"
    assert second.readings is None


@pytest.mark.parametrize("deep", ["", "b/"])
def test_two_patients_in_one_folder_are_refused(tmp_path: Path, deep: str) -> None:
    image(tmp_path / "a/1.dcm", series="1.4", patient="A")
    image(tmp_path / "a" / f"{deep}2.dcm", series="1.5", patient="B")
    with pytest.raises(InputError, match="SEVERAL_PATIENTS"):
        find_scans(tmp_path / "a")


def test_two_different_readings_of_one_series_are_refused(tmp_path: Path) -> None:
    image(tmp_path / "LIDC-IDRI-0001/a/1.dcm", series="1.4")
    image(tmp_path / "LIDC-IDRI-0002/a/1.dcm", series="1.5", patient="B", study="1.2.4")
    for name, text in (("a.xml", HEAD), ("b.XML", HEAD), ("c.xml", HEAD + " ")):
        (tmp_path / name).write_text(text.format("1.4"))
    with pytest.raises(InputError, match=r"MANY_READINGS.*different readings"):
        find_scans(tmp_path)
    (tmp_path / "c.xml").unlink()  # the other two are copies
    assert find_scans(tmp_path)[0].readings == tmp_path / "a.xml"


def test_links_out_of_a_folder_are_named_and_not_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outside = image(tmp_path / "annex/1.dcm", series="1.4")
    (tmp_path / "study").mkdir()
    (tmp_path / "study/1.dcm").symlink_to(outside)
    with caplog.at_level(logging.WARNING):
        assert not holds_dicom(tmp_path / "study")
    assert "LINK_OUTSIDE" in caplog.text


def test_damaged_headers_are_named_and_end_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image(tmp_path / "1.dcm", series="1.4")
    whole = image(tmp_path / "2.dcm", series="1.5").read_bytes()
    (tmp_path / "2.dcm").write_bytes(whole[:140] + b"\xff" * 40)
    with caplog.at_level(logging.WARNING):
        ((_, found),) = dicom_folders(tmp_path)
    assert [each.uid for each in found] == ["1.4"]
    assert "2.dcm is malformed DICOM" in caplog.text


@pytest.mark.parametrize("read", [read_lidc_xml, read_findings, read_series_uids])
def test_pipes_devices_and_what_is_not_there_are_refused_by_code(
    read: object, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path, tmp_path / "gone"):
        with pytest.raises(InputError, match="CANNOT_READ"):
            read(path)  # type: ignore[operator]


def test_pipes_in_a_collection_are_not_waited_for(tmp_path: Path) -> None:
    image(tmp_path / "LIDC-IDRI-0001/1.dcm", series="1.4")
    for name in ("a.xml", "LIDC-IDRI-0001/b.xml", "c.nii", "LIDC-IDRI-0001/d.dcm"):
        os.mkfifo(tmp_path / name)
    (scan,) = find_scans(tmp_path)
    assert scan.readings is None


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\0\0", b'seriesuid,coordX\n"' + b"x" * 200_000], ids=["bytes", "cell"]
)
def test_what_is_no_table_is_refused_by_code(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    for read in (read_findings, read_series_uids):
        with pytest.raises(InputError, match=r"BAD_ROW|MISSING_COLUMNS"):
            read(tmp_path / "a.csv")
