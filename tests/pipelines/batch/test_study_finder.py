from pathlib import Path

import pydicom
import pytest
from fsspec.implementations.local import LocalFileSystem
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from nodule.errors import InputError, UsageError
from pipelines.batch import find_studies


def slice_of(study_uid: str, file: Path) -> None:
    """Write a DICOM file that says which study it belongs to and little else."""
    data = Dataset()
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = "1.2.3"
    if study_uid:
        data.StudyInstanceUID = study_uid
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(file, data, enforce_file_format=True)


def found(*inputs: object, out: Path = Path("out")) -> list[str]:
    return [each.location for each in find_studies(map(str, inputs), left_out=out)]


def test_a_study_is_the_highest_folder_of_one_study(tmp_path: Path) -> None:
    """As TCIA lays it: patient, study, series; a patient of two studies, one of one."""
    slice_of("1.1", tmp_path / "P1" / "S1" / "ct" / "1.dcm")
    slice_of("1.1", tmp_path / "P1" / "S1" / "scout" / "1.dcm")
    slice_of("1.2", tmp_path / "P1" / "S2" / "ct" / "1")
    slice_of("2.1", tmp_path / "P2" / "S1" / "ct" / "a.IMA")
    (tmp_path / "P2" / "readme.txt").write_text("notes")
    assert found(tmp_path) == [
        str(tmp_path / "P1" / "S1"),
        str(tmp_path / "P1" / "S2"),
        str(tmp_path / "P2"),
    ]


def test_one_study_alone_is_found_as_it_was_given(tmp_path: Path) -> None:
    slice_of("1.1", tmp_path / "a" / "1.dcm")
    slice_of("1.1", tmp_path / "b" / "1.dcm")
    assert found(tmp_path) == [str(tmp_path)]
    assert found(tmp_path / "a") == [str(tmp_path / "a")]


def test_images_and_archives_are_studies_each(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.MHD", "b.raw", "c.nrrd", "d.zip", "notes.txt", ".hidden.nii"):
        (tmp_path / name).write_bytes(b"x" * 200)
    slice_of("1.1", tmp_path / "dicom" / "1.dcm")
    names = [Path(each).name for each in found(tmp_path)]
    assert sorted(names) == ["a.nii.gz", "b.MHD", "c.nrrd", "d.zip", "dicom"]


def test_a_damaged_or_nameless_study_is_found_so_that_reading_it_can_say_why(
    tmp_path: Path,
) -> None:
    slice_of("1.1", tmp_path / "good" / "1.dcm")
    slice_of("", tmp_path / "nameless" / "1.dcm")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "1.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02")
    assert [Path(each).name for each in found(tmp_path)] == ["cut", "good", "nameless"]


def test_results_and_links_to_folders_are_not_looked_into(tmp_path: Path) -> None:
    slice_of("1.1", tmp_path / "in" / "1.dcm")
    slice_of("1.2", tmp_path / "elsewhere" / "1.dcm")
    (tmp_path / "in2").mkdir()
    (tmp_path / "in2" / "loop").symlink_to(tmp_path)
    (tmp_path / "in2" / "1.dcm").symlink_to(tmp_path / "elsewhere" / "1.dcm")
    out = tmp_path / "out"
    out.mkdir()
    (out / "nodules.nii.gz").write_bytes(b"x")
    names = [Path(each).name for each in found(tmp_path, out=out)]
    assert names == ["elsewhere", "in", "in2"]


def test_a_folder_that_may_not_be_read_is_a_study_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slice_of("1.1", tmp_path / "a" / "1.dcm")
    slice_of("1.2", tmp_path / "b" / "1.dcm")
    as_it_is = LocalFileSystem.ls

    def refusing(self: LocalFileSystem, path: str, detail: bool = False) -> object:
        if path.endswith("b"):
            raise PermissionError(13, "Permission denied")
        return as_it_is(self, path, detail=detail)

    monkeypatch.setattr(LocalFileSystem, "ls", refusing)
    assert [Path(each).name for each in found(tmp_path)] == ["a", "b"]


def test_a_table_names_places_beside_it_and_series(tmp_path: Path) -> None:
    slice_of("1.1", tmp_path / "data" / "a" / "1.dcm")
    slice_of("1.2", tmp_path / "data" / "b" / "1.dcm")
    table = tmp_path / "studies.csv"
    table.write_text("\ufeffstudy,series,note\ndata/b,,x\ndata/a,1.2.3.4,\n", encoding="utf-8")
    first, second = find_studies([str(table)], left_out=tmp_path / "out")
    assert (first.location, first.series_uid) == (str(tmp_path / "data" / "b"), None)
    assert (second.location, second.series_uid) == (str(tmp_path / "data" / "a"), "1.2.3.4")


def test_a_pattern_and_its_matches_are_each_found_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        slice_of(f"1.{ord(name)}", tmp_path / name / "CT" / "1.dcm")
    pattern = tmp_path / "*" / "CT"
    assert found(pattern, tmp_path / "a" / "CT") == [
        str(tmp_path / "a" / "CT"),
        str(tmp_path / "b" / "CT"),
    ]


def test_object_storage_is_looked_through_like_a_disk(tmp_path: Path) -> None:
    import fsspec

    slice_of("1.1", tmp_path / "1.dcm")
    memory = fsspec.filesystem("memory")
    for name, uid in (("a", "1.1"), ("b", "1.2")):
        slice_of(uid, tmp_path / f"{name}.dcm")
        memory.pipe(f"/bucket/{name}/ct/1.dcm", (tmp_path / f"{name}.dcm").read_bytes())
    try:
        assert found("memory://bucket") == ["memory:///bucket/a", "memory:///bucket/b"]
    finally:
        memory.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("nowhere", "NOT_FOUND"),
        ("no/*/match", "NOT_FOUND"),
        ("foo://x/y", "NOT_FOUND"),
        ("no.csv", "NOT_FOUND"),
    ],
)
def test_what_does_not_exist_is_refused_at_once(given: str, code: str) -> None:
    with pytest.raises(UsageError, match=code):
        found(given)


@pytest.mark.parametrize("content", [b"place\nx\n", b"", b"\xff\xfe\x00", b"study,series\n,1.2\n"])
def test_a_table_without_studies_is_refused(content: bytes, tmp_path: Path) -> None:
    table = tmp_path / "studies.csv"
    table.write_bytes(content)
    with pytest.raises(InputError, match="BAD_LIST"):
        found(table)


def test_a_folder_without_studies_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(UsageError, match="NOT_FOUND"):
        found(tmp_path)


def test_the_key_of_a_place_tells_nothing_of_its_name(tmp_path: Path) -> None:
    slice_of("1.1", tmp_path / "DOE^JANE" / "1.dcm")
    (place,) = find_studies([str(tmp_path / "DOE^JANE")], left_out=tmp_path / "out")
    assert "DOE" not in place.key
    assert len(place.key) == 64
