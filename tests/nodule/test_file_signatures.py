"""What files are, by the bytes that their formats demand at the start."""

import io
import tarfile
import zipfile
from pathlib import Path

import PIL.Image
import pytest

from nodule.ct import inventory
from nodule.errors import NoduleError
from nodule.file_signatures import known_stranger


def test_archives_and_pictures_are_known_as_their_libraries_write_them(tmp_path: Path) -> None:
    stream = io.BytesIO()
    for kind, what in (("PNG", "a PNG picture"), ("JPEG", "a JPEG picture"), ("PDF", "a PDF")):
        PIL.Image.new("L", (8, 8)).save(stream := io.BytesIO(), kind)
        found = known_stranger(io.BytesIO(stream.getvalue()))
        assert found is not None
        assert found[0] == what
        assert "picture" in found[1]
    for mode, what in (
        ("w", "a tar archive"),
        ("w:gz", "a gzip file"),
        ("w:bz2", "a bzip2 file"),
        ("w:xz", "an xz file"),
    ):
        path = tmp_path / "a"
        with tarfile.open(path, mode) as archive:
            archive.add(__file__, "a.txt")
        assert known_stranger(io.BytesIO(path.read_bytes())) == (what, UNPACK)
    with zipfile.ZipFile(stream := io.BytesIO(), "w") as archive:
        archive.writestr("a", "b")
    assert known_stranger(io.BytesIO(stream.getvalue())) == ("a zip archive", UNPACK)
    assert known_stranger(io.BytesIO(b"7z\xbc\xaf\x27\x1c")) == ("a 7z archive", UNPACK)
    assert known_stranger(io.BytesIO(b"Rar!\x1a\x07")) == ("a rar archive", UNPACK)
    assert known_stranger(io.BytesIO(b"text")) is None


UNPACK = "Unpack it and give the folder."


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "Copy or export it again."),
        (b"%PDF-1.7", "not a picture of it"),
        (b"Rar!\x1a\x07", "Unpack it"),
        (b"hello", "dcmconv"),
    ],
)
def test_the_hint_fits_what_was_given(tmp_path: Path, content: bytes, hint: str) -> None:
    (tmp_path / "given").write_bytes(content)
    with pytest.raises(NoduleError, match=hint) as caught:
        inventory(tmp_path / "given").choose()
    assert caught.value.code == "NOT_DICOM"
