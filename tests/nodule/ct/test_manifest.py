"""Every row of the collection of difficult real files, each with what a correct reader does."""

import csv
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from nodule.ct import Inventory, inventory, read_ct
from nodule.ct._containers import Member
from nodule.ct.dicom._decode import decode_images, to_hounsfield
from nodule.ct.dicom._headers import ImageHeader, read_dicom_file
from nodule.ct.dicom._patient import read_patient
from nodule.errors import NoduleError
from nodule.study import Study


def codes_of(found: Inventory) -> set[str]:
    return {p.code for s in found.series for p in s.problems} | {i.code for i in found.ignored}


def refusal(path: Path) -> str:
    with pytest.raises(NoduleError) as caught:
        read_ct(path)
    return caught.value.code


def image_of(path: Path) -> ImageHeader:
    (image,) = read_dicom_file(Member(name=path.name, path=path)).images
    return image


def stored(*images: ImageHeader) -> np.ndarray:
    """Decode without rescale and padding; lifted meanwhile above what is too low for CT."""
    lift = 2.0**17
    plain = [replace(image, slope=1.0, intercept=lift, padding=None) for image in images]
    return decode_images(plain) - lift


def hounsfield(path: Path) -> np.ndarray:
    """Decode one image without padding being mapped: value by value as rescaled."""
    image = image_of(path)
    return stored(image)[0].astype(float) * image.slope + image.intercept


# one function per row, in the manifest's order; each gets the row's path


def refuses_with(*codes: str) -> Callable[[Path], None]:
    def row(path: Path) -> None:
        assert refusal(path) in codes

    return row


def names_tilt_and_uneven_spacing(path: Path) -> None:
    assert refusal(path) == "GANTRY_TILT"
    assert {"GANTRY_TILT", "NON_UNIFORM_SPACING"} <= codes_of(inventory(path))
    # pad -> air: the declared padding is -1500
    members = (Member(name=p.name, path=p) for p in sorted(path.glob("*.dcm")))
    images = [image for m in members for image in read_dicom_file(m).images]
    assert len(images) == 28
    (raw,) = stored(images[0])
    assert (raw == -1500).any()
    assert set(np.unique(to_hounsfield(raw, images[0])[raw == -1500])) == {-1000.0}


def is_an_index_not_an_image(path: Path) -> None:
    assert refusal(path) == "NO_SERIES"
    assert {i.code for i in inventory(path).ignored} <= {"DICOMDIR", "MISSING_FILE"}


def applies_each_slices_own_rescale(path: Path) -> None:
    assert refusal(path) == "NOT_CT"
    for file in sorted(path.glob("*.dcm")):
        ds = pydicom.dcmread(file)
        expected = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
        np.testing.assert_allclose(hounsfield(file), expected, rtol=0, atol=1e-9)


def decodes_like_the_other_encodings(path: Path) -> None:
    files = sorted(path.glob("*.dcm"))
    others = [path.parents[1] / "compressed_rle" / "001" / file.name for file in files]
    mine, theirs = (stored(*map(image_of, paths)) for paths in (files, others))
    assert len(mine) == 4
    np.testing.assert_array_equal(mine, theirs)
    # the run-length coded set is what the reference library makes of it
    np.testing.assert_array_equal(theirs, [pydicom.dcmread(p).pixel_array for p in others])


def reads_without_identity(path: Path) -> None:
    study = read_ct(path)
    assert study.volume.geometry.shape_zyx == (20, 512, 512)
    np.testing.assert_allclose(
        study.volume.geometry.spacing_zyx_mm, (2.0, 0.9765625, 0.9765625), atol=1e-9
    )
    assert "NO_SERIES_UID" in {w.code for w in study.warnings}
    assert inventory(path).choose().patient.patient_id is None
    assert_positions_are_the_headers(study, path)


def assert_positions_are_the_headers(study: Study, folder: Path) -> None:
    stated = sorted(
        (
            pydicom.dcmread(p, stop_before_pixels=True).ImagePositionPatient
            for p in folder.iterdir()
        ),
        key=lambda p: p[2],
    )
    zyx = [(z, 0, 0) for z in range(len(stated))]
    error_mm = study.volume.geometry.index_to_lps(zyx) - np.asarray(stated, float)
    assert np.abs(error_mm).max() < 0.01


def equals_the_classic_series(path: Path) -> None:
    enhanced, classic = read_ct(path), read_ct(path.parents[1] / "image")
    assert enhanced.volume.geometry.is_close(classic.volume.geometry, tolerance_mm=1e-6)
    np.testing.assert_array_equal(enhanced.volume.array_zyx, classic.volume.array_zyx)
    assert "NO_AIR" in {w.code for w in enhanced.warnings}  # its values are 0 and 1
    assert_positions_are_the_headers(classic, path.parents[1] / "image")


LOSSY_BOUNDS_HU = {
    "4.81.dcm": 1,
    "4.91.dcm": 5,
    "4.51.dcm": 36,
    "4.53.dcm": 36,
    "4.55.dcm": 36,
    "4.50.dcm": 65,
}


def fifteen_encodings_agree(pattern: Path) -> None:
    files = sorted(pattern.parent.glob(pattern.name))
    assert len(files) == 16
    reference = np.maximum(hounsfield(pattern.parent / "CTImage.dcm"), -1024)
    for file in files:
        bound = next((b for end, b in LOSSY_BOUNDS_HU.items() if file.name.endswith(end)), 0)
        difference = np.abs(np.maximum(hounsfield(file), -1024) - reference).max()
        assert difference <= bound, file.name
        header = read_dicom_file(Member(name=file.name, path=file)).header
        assert header.lossy is (bound > 0), file.name


def ranges(low: float, high: float) -> Callable[[Path], None]:
    def row(path: Path) -> None:
        values = stored(image_of(path))
        assert (values.min(), values.max()) == (low, high)
        assert refusal(path) == "TOO_FEW_SLICES"

    return row


def ranges_hounsfield(low: float, high: float) -> Callable[[Path], None]:
    def row(path: Path) -> None:
        values = to_hounsfield(stored(image_of(path))[0], image_of(path))
        assert (values.min(), values.max()) == (low, high)
        assert refusal(path) == "TOO_FEW_SLICES"

    return row


def indexes_or_ignores(pattern: Path) -> None:
    files = sorted(pattern.parent.glob(pattern.name))
    assert len(files) == 7
    for file in files:
        assert refusal(file) in {"LOCALIZER", "NO_SERIES"}


GLYPHS = {
    "chrArab.dcm": "قباني^لنزار",
    "chrFren.dcm": "Buc^Jérôme",
    "chrFrenMulti.dcm": "Buc^Jérôme",
    "chrGerm.dcm": "Äneas^Rüdiger",
    "chrGreek.dcm": "Διονυσιος",
    "chrH31.dcm": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32.dcm": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrHbrw.dcm": "שרון^דבורה",
    "chrI2.dcm": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrJapMulti.dcm": "やまだ^たろう",
    "chrJapMultiExplicitIR6.dcm": "やまだ^たろう",
    "chrKoreanMulti.dcm": "김희중",
    "chrRuss.dcm": "Люкceмбypг",
    "chrX1.dcm": "Wang^XiaoDong=王^小東",
    "chrX2.dcm": "Wang^XiaoDong=王^小东",
}


def decodes_names_in_every_alphabet(pattern: Path) -> None:
    files = sorted(pattern.parent.glob(pattern.name))
    assert len(files) == 17
    for file in files:
        name = read_patient(Member(name=file.name, path=file)).patient_name
        if file.name in GLYPHS:
            assert name == GLYPHS[file.name], file.name
            assert name not in str(codes_of(inventory(file)))
        else:  # chrSQEncoding*: the names are inside sequences only
            assert name is None
        refusal(file)


def survives_the_fuzzing_corpus(pattern: Path) -> None:
    """Run the command itself, in one process of limited memory for all files."""
    root = pattern.parents[1]
    files = sorted(root.glob("*/*.dcm"))
    assert len(files) == 76
    script = (
        "import sys, json, resource, time\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "from typer.testing import CliRunner\n"
        "import typer\n"
        "from pipelines.cli._check import check\n"
        "app = typer.Typer(); app.command()(check)\n"
        "for path in sys.argv[1:]:\n"
        "    start = time.monotonic()\n"
        "    result = CliRunner().invoke(app, ['--json', path])\n"
        "    ok = type(result.exception).__name__ in ('SystemExit', 'NoneType')\n"
        "    print(json.dumps([ok, result.exit_code, time.monotonic() - start, result.stdout]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "Traceback" not in done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(files)
    for file, (ended_well, status, seconds, stdout) in zip(files, answers, strict=True):
        assert ended_well, file.name
        assert status == 1, file.name
        assert json.loads(stdout)["error"]["code"].isupper(), file.name
        assert seconds < 10, file.name


ROWS: dict[str, Callable[[Path], None]] = {
    "dcm_qa_ct/In/GE": names_tilt_and_uneven_spacing,
    "dcm_qa_ct/In/Philips/S21570/S1000": refuses_with("LOCALIZER"),
    "dcm_qa_ct/In/Philips/S21570/S4010": refuses_with("NOT_AXIAL_VOLUME"),
    "dcm_qa_ct/In/Philips/DICOMDIR": is_an_index_not_an_image,
    "dicom2nifti/tests/data/failing/gantrytilting/001": refuses_with("GANTRY_TILT"),
    "dicom2nifti/tests/data/failing/notavolume/001": refuses_with("DUPLICATE_POSITIONS"),
    "dicom2nifti/tests/data/failing/sliceincrement/001": refuses_with("MISSING_SLICES"),
    "dicom2nifti/tests/data/failing/slicecount/001": refuses_with("TOO_FEW_SLICES", "NOT_CT"),
    "dicom2nifti/tests/data/failing/sliceorientation/001": refuses_with("INCONSISTENT_ORIENTATION"),
    "dicom2nifti/tests/data/generic/anatomical/002_non_isotropic": (
        applies_each_slices_own_rescale
    ),
    "dicom2nifti/tests/data/generic/compressed/001": decodes_like_the_other_encodings,
    "dicom2nifti/tests/data/generic/compressed_j2k/001": decodes_like_the_other_encodings,
    "dicom2nifti/tests/data/generic/compressed_jpeg/001": decodes_like_the_other_encodings,
    "dicom2nifti/tests/data/generic/compressed_jpegls/001": decodes_like_the_other_encodings,
    "dicom2nifti/tests/data/generic/compressed_rle/001": decodes_like_the_other_encodings,
    "TotalSegmentator/tests/reference_files/example_ct_dicom": reads_without_identity,
    "dcmqi/data/segmentations/23x38x3/multiframe/mf.dcm": equals_the_classic_series,
    "pydicom-data/data_store/data/eCT_Supplemental.dcm": refuses_with("NOT_HU"),
    "cornerstoneWADO/testImages/CTImage.dcm*": fifteen_encodings_agree,
    "pydicom/src/pydicom/data/test_files/J2K_pixelrep_mismatch.dcm": ranges(-2000, 1896),
    "pydicom-data/data_store/data/explicit_VR-UN.dcm": ranges_hounsfield(-1024, 1186),
    "pydicom/src/pydicom/data/test_files/CT_small.dcm": refuses_with("TOO_FEW_SLICES"),
    "pydicom/src/pydicom/data/test_files/MR_truncated.dcm": refuses_with("TRUNCATED"),
    "pydicom/src/pydicom/data/test_files/no_meta.dcm": refuses_with("NOT_DICOM"),
    "pydicom/src/pydicom/data/test_files/meta_missing_tsyntax.dcm": refuses_with(
        "NO_TRANSFER_SYNTAX"
    ),
    "pydicom/src/pydicom/data/test_files/badVR.dcm": refuses_with("BAD_VALUE"),
    "pydicom/src/pydicom/data/test_files/zipMR.gz": refuses_with("NOT_DICOM"),
    "pydicom/src/pydicom/data/test_files/dicomdirtests/DICOMDIR*": indexes_or_ignores,
    "pydicom/src/pydicom/data/test_files/dicomdirtests/98892001/CT2N": refuses_with("LOCALIZER"),
    "pydicom/src/pydicom/data/charset_files/*.dcm": decodes_names_in_every_alphabet,
    "fo-dicom/Tests/FO-DICOM.Tests/Test Data/GH1376.dcm": refuses_with("TRUNCATED"),
    "fo-dicom/Tests/FO-DICOM.Tests/Test Data/FreezePattern.dcm": refuses_with(
        "NOT_AXIAL_VOLUME", "NO_PIXEL_DATA"
    ),
    "fo-dicom/Tests/FO-DICOM.Tests/Test Data/"
    "GH177_D_CLUNIE_CT1_IVRLE_BigEndian_undefined_length.dcm": refuses_with("UNREADABLE"),
    "fo-dicom/Tests/FO-DICOM.Tests/Test Data/"
    "GH177_D_CLUNIE_CT1_IVRLE_BigEndian_ELE_undefinded_length.dcm": ranges(-2000, 2278),
    "fo-dicom/Tests/FO-DICOM.Tests/Test Data/CT-MONO2-16-ankle": refuses_with("NOT_AXIAL_VOLUME"),
    "dcm4che/dcm4che-test-data/src/main/resources/no_preamble_dicm_in_data": refuses_with(
        "NOT_DICOM"
    ),
    "dicom-fuzzing-corpus/fuzz_corpus_v3/*/*.dcm": survives_the_fuzzing_corpus,
}


@pytest.mark.parametrize("row", ROWS)
def test_row_is_as_expected(shared: Path, row: str) -> None:
    ROWS[row](shared / "hard" / row)


def test_no_row_is_left_out(shared: Path) -> None:
    with (shared / "hard" / "MANIFEST.tsv").open(encoding="utf-8") as stream:
        listed = [row["path"] for row in csv.DictReader(stream, delimiter="\t")]
    assert listed == list(ROWS)


def test_malformed_pixels_are_refused_in_time(shared: Path) -> None:
    """Decode every image of the corpus whose header passes, which the command never reaches."""
    root = shared / "hard/dicom-fuzzing-corpus"
    start = time.monotonic()
    images = [i for p in sorted(root.rglob("*.dcm")) for i in images_of(p)]
    outcomes = Counter(code_of_decoding(image) for image in images)
    assert outcomes["OK"] > 20
    assert all(code.isupper() for code in outcomes)
    assert time.monotonic() - start < 60


def images_of(path: Path) -> tuple[ImageHeader, ...]:
    try:
        return read_dicom_file(Member(name=path.name, path=path)).images
    except NoduleError:
        return ()


def code_of_decoding(image: ImageHeader) -> str:
    try:
        decode_images([image])
    except NoduleError as error:
        return error.code
    return "OK"
