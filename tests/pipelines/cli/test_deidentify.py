"""``--deidentify``: nothing that a header, a file or a reader says of a person gets out."""

import base64
import gzip
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from light_command import Light
from test_review import apply, save_review

KEYWORDS = (  # of PS3.15 table E.1-1, what CT images hold of it
    *("PatientName", "PatientID", "IssuerOfPatientID", "OtherPatientIDs", "OtherPatientNames"),
    *("PatientBirthName", "PatientMotherBirthName", "PatientAddress", "PatientComments"),
    *("PatientTelephoneNumbers", "MedicalRecordLocator", "EthnicGroup", "Occupation"),
    *("AdditionalPatientHistory", "MilitaryRank", "BranchOfService", "CountryOfResidence"),
    *("AccessionNumber", "StudyID", "StudyDescription", "SeriesDescription", "ProtocolName"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "RequestingPhysician"),
    *("NameOfPhysiciansReadingStudy", "InstitutionName", "InstitutionAddress", "StationName"),
    *("InstitutionalDepartmentName", "DeviceSerialNumber", "ImageComments", "RequestingService"),
    *("ContrastBolusAgent", "PositionReferenceIndicator", "DeidentificationMethod"),
    *("AdmittingDiagnosesDescription", "RequestedProcedureDescription"),
)
DATES = ("PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID")
DATED = {"PatientBirthDate": "19310523"}
CANARY = re.compile(rb"CANARY", re.IGNORECASE)


def mark(study: Path, *, day: str) -> None:
    """Put a canary into each identifying attribute."""
    for path in study.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        for keyword in KEYWORDS:
            setattr(dataset, keyword, f"CANARY{KEYWORDS.index(keyword)}")
        for keyword in DATES:
            setattr(dataset, keyword, DATED.get(keyword, day))
        dataset.save_as(path)


def secrets(*studies: Path) -> set[bytes]:
    """Return what identifies besides the canaries: UIDs and dates."""
    found = set()
    for path in (path for study in studies for path in study.rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        found |= {str(dataset[keyword].value).encode() for keyword in (*UIDS, *DATES)}
    days = {f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in map(bytes.decode, found) if len(d) == 8}
    return found | {day.encode() for day in days}


def inside(path: Path) -> Iterator[bytes]:
    """Yield what a file holds, and what is packed in it."""
    content = path.read_bytes()
    yield content
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    for packed in re.findall(rb"[A-Za-z0-9+/]{64,}={0,2}", content):
        data = base64.b64decode(packed[: len(packed) // 4 * 4])
        yield gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    for stream in re.findall(rb"stream\r?\n(\x78.*?)endstream", content, re.DOTALL):  # of a PDF
        yield zlib.decompressobj().decompress(stream)


def assert_silent(folder: Path, known: set[bytes]) -> None:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    assert paths
    assert not CANARY.search(str([path.relative_to(folder) for path in paths]).encode())
    for path in paths:
        for content in inside(path):
            assert not CANARY.search(content), path.name
            assert [secret for secret in known if secret in content] == [], path.name


@pytest.fixture(scope="module")
def study(phantom_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(phantom_study, tmp_path_factory.mktemp("in") / "CANARY-Jane")
    mark(folder, day="20260713")
    return folder


@pytest.fixture(scope="module")
def prior(phantom_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(phantom_study, tmp_path_factory.mktemp("in") / "CANARY-before")
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        for keyword in UIDS:
            setattr(dataset, keyword, f"{dataset[keyword].value}.7")
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z - 10]
        dataset.save_as(path)
    mark(folder, day="20250713")
    return folder


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Light:
    return Light.in_folder(tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("key") / "key"
    path.write_bytes(b"an example, known to all")
    return ["--pseudonym-key", str(path)]


@pytest.fixture(scope="module")
def silent(
    light: Light,
    study: Path,
    prior: Path,
    key: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return the folder of a report of all that can be told; not to be changed."""
    out = tmp_path_factory.mktemp("out")
    person = out.with_name("person.toml")
    person.write_text('age_years = 97\nrisk_factors = ["CANARY asbestos"]\nsmoking = "former"\n')
    light.run(
        *([study], out, "--prior", str(prior), "--dicom", "--fhir", "--deidentify", *key),
        *("--dicom-with", "lungs", "--dicom-with", "key-objects"),
        *(["--pdf"] if shutil.which("chromium") else []),
        *("--context", "incidental", "--indication", "CANARY cough", "--person", str(person)),
    )
    (folder,) = out.iterdir()
    return folder


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the user's own key, where one is drawn, in a folder of the test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def test_no_byte_of_the_results_tells_who_it_is(
    silent: Path, study: Path, prior: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    assert re.fullmatch("study-[0-9a-f]{16}", silent.name)
    assert_silent(silent, secrets(study, prior))
    report = json.loads((silent / "report.json").read_bytes())
    assert report["deidentification"]["profile"] == "Basic Application Confidentiality Profile"
    assert report["comparison"]["days"] == 365
    assert report["study"]["patient"]["age"] == "090Y"
    assert report["context"]["age_years"] == 90
    assert report["context"]["smoking"] == "former"
    objects = [pydicom.dcmread(path) for path in silent.glob("*.dcm")]
    assert {path.name for path in silent.glob("*.dcm")} >= {"sr.dcm", "seg.dcm", "key.dcm"}
    assert (silent / "fhir.json").is_file()
    assert {each.PatientID for each in objects} == {report["study"]["patient"]["patient_id"]}
    uid = report["study"]["series"]["study_instance_uid"]
    assert {each.StudyInstanceUID for each in objects} == {uid}
    for path in silent.glob("*.dcm"):
        assert dciodvfy(path) == [], path.name
    page = (silent / "report.html").read_text(encoding="utf-8")
    assert report["study"]["patient"]["patient_id"] in page
    assert "Basic Application Confidentiality Profile" in page


def test_logs_cache_and_refusals_tell_nothing_either(
    study: Path, key: list[str], tmp_path: Path
) -> None:
    """R19: DEBUG logs on, one good, one incomplete and one damaged study."""
    inputs = [shutil.copytree(study, tmp_path / n) for n in ("good", "incomplete", "damaged")]
    for path in sorted(inputs[1].rglob("*.dcm"))[5:8]:
        path.unlink()
    for path in inputs[2].rglob("*.dcm"):
        path.write_bytes(path.read_bytes()[:2000])
    loud = "import logging, runpy, sys; logging.basicConfig(level=logging.DEBUG, force=True); "
    loud += "script = sys.argv[1]; del sys.argv[0]; runpy.run_path(script, run_name='__main__')"
    python, *rest = Light.in_folder(tmp_path).words
    out = ["-o", str(tmp_path / "out"), "--deidentify", *key]
    done = subprocess.run(
        [python, "-c", loud, *rest, *map(str, inputs), *out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "DEBUG" in done.stderr
    assert not CANARY.search((done.stdout + done.stderr).encode())
    assert_silent(tmp_path / "out", secrets(study))
    assert_silent(tmp_path / "cache", set())


def test_a_review_of_it_stays_without_identifiers(
    silent: Path, study: Path, key: list[str], tmp_path: Path
) -> None:
    first = shutil.copytree(silent, tmp_path / "first")
    report = json.loads((first / "report.json").read_bytes())
    at = report["findings"][0]["nodule"]["center_lps_mm"]
    said: dict[str, Any] = {
        "reader": "CANARY Reader",
        "attested_for": "CANARY Hospital",
        "context": {"indication": "CANARY cough", "risk_factors": ["CANARY asbestos"]},
        "saved_at": "2026-03-04T05:06:07.089Z",
        "decisions": [{"id": "N2", "verdict": "rejected", "comment": "CANARY comment"}],
        "additions": [{"center_lps_mm": at, "long_axis_mm": 5.0, "comment": "CANARY addition"}],
    }
    review = save_review(first, **said)
    words = ("--study", study, "-o", tmp_path / "reviewed", "--dicom")
    refused = apply(first / "report.json", review, *words)
    assert "OTHER_IMAGES" in str(refused.exception)  # the user's own key is another
    done = apply(first / "report.json", review, *words, *key)
    assert done.exit_code == 0, done.output
    assert_silent(tmp_path / "reviewed", {*secrets(study), b"2026-03-04"})
    after = json.loads((tmp_path / "reviewed" / "report.json").read_bytes())
    assert [each["nodule"]["id"] for each in after["rejected"]] == ["N2"]
    assert after["study"] == report["study"]
    assert after["added"][0]["nodule"]["image"] == report["findings"][0]["nodule"]["image"]


def test_a_report_with_identifiers_is_reviewed_without(
    light: Light, study: Path, key: list[str], tmp_path: Path
) -> None:
    light.run([study], tmp_path / "out")
    (first,) = (tmp_path / "out").iterdir()
    with pytest.raises(AssertionError, match=r"report\.(json|html)"):
        assert_silent(first, secrets(study))
    review = save_review(first, reader="CANARY Reader")
    words = ("--study", study, "-o", tmp_path / "reviewed", "--deidentify", *key)
    done = apply(first / "report.json", review, *words)
    assert done.exit_code == 0, done.output
    assert_silent(tmp_path / "reviewed", secrets(study))


def test_it_is_verified_with_its_key_alone(
    light: Light, silent: Path, study: Path, key: list[str]
) -> None:
    python, script, _, option, config, *_ = light.words
    words = [python, script, "verify", str(silent), option, config, "--study", str(study)]
    for more, codes in ((key, []), ([], ["OTHER_IMAGES"])):
        done = subprocess.run([*words, *more], capture_output=True, text=True, check=False)
        told = json.loads(done.stdout.splitlines()[-1])
        assert [each["code"] for each in told["differ"]] == codes


def test_another_key_gives_another_person(
    light: Light, silent: Path, study: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"another example of a key")
    light.run([study], tmp_path / "out", "--deidentify", "--pseudonym-key", str(other))
    (folder,) = (tmp_path / "out").iterdir()
    people = [
        json.loads((each / "report.json").read_bytes())["study"]["patient"]["patient_id"]
        for each in (silent, folder)
    ]
    assert people[0] != people[1]
    assert folder.name != silent.name
