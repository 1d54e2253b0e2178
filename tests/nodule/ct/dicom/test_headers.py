"""What files say of themselves, in the ways that writers have of saying it."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from nodule.ct import inventory, read_ct
from nodule.errors import NoduleError

PREAMBLE = 132


def refusal(path: Path) -> str:
    with pytest.raises(NoduleError) as caught:
        read_ct(path)
    return caught.value.code


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_every_plain_encoding_gives_the_same_volume(
    synthetic: Any, clean_series: Path, tmp_path: Path, syntax: pydicom.uid.UID
) -> None:
    slices = synthetic.make_slices()
    for z, ds in enumerate(slices):
        ds.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = np.frombuffer(ds.PixelData, "<i2").astype(">i2").tobytes()
        pydicom.dcmwrite(
            tmp_path / f"{z}.dcm",
            ds,
            implicit_vr=syntax.is_implicit_VR,
            little_endian=syntax.is_little_endian,
            enforce_file_format=True,
        )
    found, plain = read_ct(tmp_path), read_ct(clean_series)
    np.testing.assert_array_equal(found.volume.array_zyx, plain.volume.array_zyx)
    assert found.volume.geometry == plain.volume.geometry


@pytest.fixture
def broken(synthetic: Any, tmp_path: Path) -> Callable[[Callable[[bytes], bytes]], Path]:
    """Return a function that writes one image after its bytes were changed."""

    def write(change: Callable[[bytes], bytes]) -> Path:
        (path,) = synthetic.save(synthetic.make_slices()[:1], tmp_path / "one").iterdir()
        path.write_bytes(change(path.read_bytes()))
        return path

    return write


def test_a_file_without_its_preamble_is_no_dicom(broken: Any) -> None:
    assert refusal(broken(lambda content: content[PREAMBLE:])) == "NOT_DICOM"


def test_a_file_whose_pixels_end_early_is_cut_short(broken: Any) -> None:
    assert refusal(broken(lambda content: content[:-1])) == "TRUNCATED"


def test_a_file_that_breaks_off_before_its_pixels_has_none(broken: Any) -> None:
    found = inventory(broken(lambda content: content[: content.index(b"\xe0\x7f\x10\x00")]))
    assert "NO_PIXEL_DATA" in {p.code for s in found.series for p in s.problems}


def test_a_file_that_does_not_say_how_it_is_encoded_is_refused(
    synthetic: Any, tmp_path: Path
) -> None:
    ds = synthetic.make_slices()[0]
    ds.preamble = bytes(128)
    del ds.file_meta.TransferSyntaxUID
    path = tmp_path / "a.dcm"
    pydicom.dcmwrite(path, ds, implicit_vr=False, little_endian=True, enforce_file_format=False)
    assert refusal(path) == "NO_TRANSFER_SYNTAX"


def test_an_encoding_that_nobody_knows_is_refused(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    folder = synthetic.save(slices, tmp_path)
    for path in folder.iterdir():
        content = path.read_bytes()
        known = ExplicitVRLittleEndian.encode()
        path.write_bytes(content.replace(known, b"1.2.840.10008.1.9.9"[: len(known)], 1))
    assert refusal(folder) == "UNSUPPORTED_SYNTAX"


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Äneas^Rüdiger"),
        ("ISO_IR 126", "Διονυσιος"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 127", "قباني^لنزار"),
        ("ISO_IR 138", "שרון^דבורה"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小東"),
    ],
)
def test_names_are_read_in_their_own_alphabet_for_the_report_alone(
    synthetic: Any, tmp_path: Path, charset: str | list[str], name: str
) -> None:
    slices: list[Dataset] = synthetic.make_slices()
    for ds in slices:
        ds.SpecificCharacterSet = charset
        ds.PatientName = name
    found = inventory(synthetic.save(deepcopy(slices), tmp_path))
    assert found.choose().patient.patient_name == name
    assert name not in repr(found)
