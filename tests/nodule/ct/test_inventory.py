"""What is in a folder, which series is chosen, and that nobody is named on the way."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset

from nodule.ct import inventory, read_ct
from nodule.errors import NoduleError


def second_series(synthetic: Any, **changes: Any) -> list[Any]:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.SeriesInstanceUID = "1.2.3.4"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID + ".7"
        for keyword, value in changes.items():
            setattr(ds, keyword, value)
    return slices


def test_junk_is_listed_and_does_no_harm(synthetic: Any, tmp_path: Path) -> None:
    synthetic.save(synthetic.make_slices(), tmp_path / "ct")
    (tmp_path / "notes.txt").write_text("read me")
    (tmp_path / "empty").touch()
    found = inventory(tmp_path)
    assert [(i.name, i.code) for i in found.ignored] == [
        ("empty", "NOT_DICOM"),
        ("notes.txt", "NOT_DICOM"),
    ]
    assert [s.verdict for s in found.series] == ["OK"]
    assert read_ct(tmp_path).volume.geometry.shape_zyx == synthetic.shape_zyx


def test_a_record_tells_what_was_found(clean_series: Path) -> None:
    (record,) = inventory(clean_series).series
    assert record.uid == "1.2.826.0.1.3680043.8.498.2"
    assert (record.modality, record.description, record.image_count) == ("CT", "Chest", 9)
    assert record.geometry is not None
    np.testing.assert_allclose(record.geometry.spacing_zyx_mm, (2.5, 0.7, 0.9), atol=1e-6)


def test_a_series_can_be_picked_by_its_uid(synthetic: Any, tmp_path: Path) -> None:
    synthetic.save(synthetic.make_slices(), tmp_path / "a")
    synthetic.save(second_series(synthetic), tmp_path / "b")
    assert inventory(tmp_path).choose("1.2.3.4").series_uid == "1.2.3.4"
    assert len(inventory(tmp_path).series) == 2


def test_the_smoother_kernel_is_chosen_and_named(synthetic: Any, tmp_path: Path) -> None:
    synthetic.save(second_series(synthetic, ConvolutionKernel="LUNG"), tmp_path / "a")
    synthetic.save(synthetic.make_slices(), tmp_path / "b")
    source = inventory(tmp_path).choose()
    assert source.series_uid == "1.2.826.0.1.3680043.8.498.2"
    assert source.reason.startswith("the best of 2 usable series, before 1 by kernel: ")
    assert source.reason.endswith(" mm in slices 2.50 mm apart, kernel STANDARD (standard)")


def test_a_tie_is_stated_and_does_not_hang_on_uids(synthetic: Any, tmp_path: Path) -> None:
    """Two phases that no attribute tells apart: renamed, the same voxels are read."""

    def voxels(folder: Path, first_uid: str, second_uid: str) -> np.ndarray:
        for uid, shift in ((first_uid, 0), (second_uid, 8)):
            slices = second_series(synthetic, SeriesInstanceUID=uid)
            for ds in slices:
                ds.RescaleIntercept += shift
                ds.PixelData = (np.frombuffer(ds.PixelData, "<i2") - shift // 2).tobytes()
            synthetic.save(slices, folder / uid)
        source = inventory(folder).choose()
        assert source.reason.startswith("the best of 2 usable series, tied with 1 by every step")
        study = read_ct(folder)
        assert "TIED_SERIES" in [w.code for w in study.warnings]
        asked = read_ct(folder, series_uid=source.series_uid)
        assert "TIED_SERIES" not in [w.code for w in asked.warnings]
        return study.volume.array_zyx

    one, other = voxels(tmp_path / "a", "1.2", "1.3"), voxels(tmp_path / "b", "1.3", "1.2")
    np.testing.assert_array_equal(one, other)


def test_a_refused_series_does_not_hide_a_usable_one(synthetic: Any, tmp_path: Path) -> None:
    gapped = second_series(synthetic)
    del gapped[4]
    synthetic.save(gapped, tmp_path / "a")
    synthetic.save(synthetic.make_slices(), tmp_path / "b")
    found = inventory(tmp_path)
    assert {s.uid: s.verdict for s in found.series}["1.2.3.4"] == "MISSING_SLICES"
    assert found.choose().series_uid != "1.2.3.4"
    with pytest.raises(NoduleError, match="MISSING_SLICES"):
        found.choose("1.2.3.4")


def write_index(folder: Path, names: list[str]) -> Path:
    index = Dataset()
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    index.DirectoryRecordSequence = [Dataset() for _ in names]
    for record, name in zip(index.DirectoryRecordSequence, names, strict=True):
        record["ReferencedFileID"] = DataElement(
            "ReferencedFileID", "CS", name.split("/"), validation_mode=pydicom.config.IGNORE
        )
    pydicom.dcmwrite(folder / "DICOMDIR", index, enforce_file_format=True)
    return folder / "DICOMDIR"


def test_a_dicomdir_reads_what_it_lists(synthetic: Any, tmp_path: Path) -> None:
    synthetic.save(synthetic.make_slices(), tmp_path / "medium" / "IMAGES")
    synthetic.save(second_series(synthetic), tmp_path / "medium" / "OTHERS")
    listed = sorted(f"IMAGES/{p.name}" for p in (tmp_path / "medium" / "IMAGES").iterdir())
    index = write_index(tmp_path / "medium", listed)
    assert [s.uid for s in inventory(index).series] == ["1.2.826.0.1.3680043.8.498.2"]
    np.testing.assert_array_equal(read_ct(index).volume.array_zyx, synthetic.hounsfield_zyx())


def test_a_dicomdir_cannot_name_files_outside(synthetic: Any, tmp_path: Path) -> None:
    synthetic.save(synthetic.make_slices(), tmp_path / "secret")
    (tmp_path / "medium").mkdir()
    outside = sorted(f"../secret/{p.name}" for p in (tmp_path / "secret").iterdir())
    found = inventory(write_index(tmp_path / "medium", outside))
    assert found.series == ()
    assert {i.code for i in found.ignored} == {"MISSING_FILE"}


def test_a_dicomdir_in_a_folder_is_no_image(synthetic: Any, tmp_path: Path, shared: Path) -> None:
    synthetic.save(synthetic.make_slices(), tmp_path)
    index = shared / "hard/pydicom/src/pydicom/data/test_files/dicomdirtests/DICOMDIR"
    (tmp_path / "DICOMDIR").write_bytes(index.read_bytes())
    assert [i.code for i in inventory(tmp_path).ignored] == ["DICOMDIR"]


CANARIES = {
    "PatientName": "Canary^Name",
    "PatientID": "canary-id",
    "PatientBirthDate": "19010203",
    "PatientSex": "O",
    "PatientAge": "099Y",
    "AccessionNumber": "canary-accession",
    "StudyDate": "19990909",
    "StudyDescription": "canary study",
    "InstitutionName": "canary clinic",
    "ReferringPhysicianName": "Canary^Physician",
    "PatientAddress": "canary street",
    "PatientComments": "canary comment",
}


def with_canaries(synthetic: Any) -> list[Any]:
    slices = synthetic.make_slices()
    for ds in slices:
        for keyword, value in CANARIES.items():
            setattr(ds, keyword, value)
    return slices


def test_identity_is_read_for_the_report_alone(synthetic: Any, tmp_path: Path) -> None:
    patient = inventory(synthetic.save(with_canaries(synthetic), tmp_path)).choose().patient
    assert patient.patient_name == "Canary^Name"
    assert patient.patient_id == "canary-id"
    assert patient.birth_date == "19010203"
    assert patient.age == "099Y"
    assert patient.institution == "canary clinic"


@pytest.mark.parametrize("damage", ["none", "value", "pixels", "missing"])
def test_no_identity_reaches_logs_messages_or_objects(
    synthetic: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
    damage: str,
) -> None:
    slices = with_canaries(synthetic)
    if damage == "missing":
        del slices[4]
    if damage == "pixels":
        slices[4].PixelData = slices[4].PixelData[:100]
    folder = synthetic.save(slices, tmp_path)
    if damage == "value":
        for path in folder.iterdir():  # names in a character set that they break
            content = path.read_bytes().replace(b"Canary^Name", b"Canary^\xff\xfe\x1b$")
            path.write_bytes(content.replace(b"099Y", b"canY"))
    caplog.set_level(logging.DEBUG)
    said = ""
    try:
        source = inventory(folder).choose()
        study = read_ct(folder)
        said += repr(source) + repr(study.series) + repr(study.slices) + repr(study.warnings)
    except NoduleError as error:
        chain = [error, error.__cause__]
        said += "".join(map(repr, chain)) + str(error)
    said += caplog.text + "".join(str(w.message) for w in recwarn)
    for value in (*CANARIES.values(), "Canary", "canary"):
        assert len(value) < 4 or value not in said


def test_warnings_of_pydicom_are_not_shown(synthetic: Any, tmp_path: Path) -> None:
    """Any warning is an error in these tests."""
    slices = synthetic.make_slices()
    folder = synthetic.save(slices, tmp_path)
    for path in folder.iterdir():
        content = path.read_bytes().replace(b"STANDARD", b"STAND\xe4RD")
        path.write_bytes(content.replace(b"Doe^Jane", b"Doe\\\xe4\\\xf6a"))
    assert read_ct(folder).volume.geometry.shape_zyx == synthetic.shape_zyx
    assert pydicom.config.logger.level != logging.CRITICAL + 1


@pytest.mark.parametrize(("name", "suspects"), [("IM0003", 1), ("README", 0), ("IM0003.txt", 0)])
def test_what_is_named_like_the_slices_and_is_none_is_suspect(
    synthetic: Any, tmp_path: Path, name: str, suspects: int
) -> None:
    for z, ds in enumerate(synthetic.make_slices()[1:], start=4):
        pydicom.dcmwrite(tmp_path / f"IM{z:04d}", ds, enforce_file_format=True)
    (tmp_path / name).write_bytes(bytes(1000))
    assert len(inventory(tmp_path).suspects) == suspects


@pytest.mark.parametrize("places", [(8,), (0, 8), (0, 1)])
def test_slices_of_another_uid_that_go_on_beyond_an_end_are_told(
    synthetic: Any, tmp_path: Path, places: tuple[int, ...]
) -> None:
    slices = synthetic.make_slices()
    for z in places:
        slices[z].SeriesInstanceUID = "1.2.3"
    study = read_ct(synthetic.save(slices, tmp_path))
    assert "STRAY_SLICES" in {w.code for w in study.warnings}


def test_a_monitor_image_within_the_series_is_no_stray(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    monitor = synthetic.make_slices()[4]
    monitor.SeriesInstanceUID, monitor.SOPInstanceUID = "1.2.3", "1.2.3.4"
    monitor.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    study = read_ct(synthetic.save([*slices, monitor], tmp_path))
    assert "STRAY_SLICES" not in {w.code for w in study.warnings}
