"""SR and SEG without identifiers: valid, in step with each other, and silent."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from dicom_case import Case
from pydicom.dataset import Dataset

from nodule.dicom._instance import device_uid
from nodule.dicom.objects import write_dicom
from nodule.pseudonyms import Pseudonyms
from nodule.report.deidentified import deidentified_report

HIGHDICOM = "1.2.826.0.1.3680043.9.7433.1.1"  # the library that writes
PSEUDONYMS = Pseudonyms(key=b"an example, known to all")
TYPED = {
    "PatientName": "CANARY^NAME",
    "PatientID": "CANARY-ID",
    "IssuerOfPatientID": "CANARY-ISSUER",
    "PatientBirthDate": "19410523",
    "PatientAge": "099Y",
    "AccessionNumber": "CANARY-ACC",
    "StudyID": "CANARY-STUDY",
    "StudyDescription": "CANARY-DESCRIBED",
    "SeriesDescription": "CANARY-SERIES",
    "ReferringPhysicianName": "CANARY^PHYSICIAN",
    "InstitutionName": "CANARY-HOSPITAL",
    "PositionReferenceIndicator": "CANARY-POSITION",
    "DeidentificationMethod": "CANARY-METHOD",
    "ContrastBolusAgent": "CANARY-AGENT",
    "StudyDate": "20260713",
    "SeriesDate": "20260713",
    "ContentDate": "20260713",
}
SECRET = (b"CANARY", b"19410523", b"20260713", b"099Y", b"1.2.826.0.1.3680043.10.1.")


@pytest.fixture(scope="module")
def case(make_case: Callable[..., Case]) -> Case:
    return make_case(**TYPED)


@pytest.fixture(scope="module")
def written(case: Case, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    report = deidentified_report(case.report, PSEUDONYMS)
    seg, sr = write_dicom(
        report,
        masks=case.masks,
        lungs=case.lungs,
        source=case.source,
        folder=tmp_path_factory.mktemp("objects"),
        pseudonyms=PSEUDONYMS,
    )
    return seg, sr


def uids(dataset: Dataset) -> Iterator[str]:
    yield from (str(each.value) for each in dataset.iterall() if each.VR == "UI")


def test_no_byte_tells_who_it_is(written: tuple[Path, Path]) -> None:
    for path in written:
        content = path.read_bytes()
        assert [secret for secret in SECRET if secret in content] == []


def test_they_are_valid(written: tuple[Path, Path], dciodvfy: Callable[[Path], list[str]]) -> None:
    for path in written:
        assert dciodvfy(path) == []


def test_they_state_the_method_and_one_person(written: tuple[Path, Path]) -> None:
    """PS3.15 E.1.1, codes of CID 7050."""
    for path in written:
        said = pydicom.dcmread(path)
        assert said.PatientIdentityRemoved == "YES"
        assert list(said.DeidentificationMethod) == [
            "PS3.15 Basic Application Confidentiality Profile",
            "PS3.15 Retain Patient Characteristics Option",
        ]
        codes = [
            (c.CodeValue, c.CodingSchemeDesignator) for c in said.DeidentificationMethodCodeSequence
        ]
        assert codes == [("113100", "DCM"), ("113108", "DCM")]
        assert said.LongitudinalTemporalInformationModified == "REMOVED"
        assert said.PatientID == said.PatientName == PSEUDONYMS.person("CANARY-ID")
        assert (said.PatientSex, said.PatientAge) == ("F", "090Y")
        for keyword in ("PatientBirthDate", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"):
            assert not said[keyword].value
        assert said.ContentDate == "19000101"


def test_they_refer_to_the_pseudonyms_of_the_images_and_to_each_other(
    case: Case, written: tuple[Path, Path]
) -> None:
    seg, sr = map(pydicom.dcmread, written)
    first = case.images[0]
    for said in (seg, sr):
        assert said.StudyInstanceUID == PSEUDONYMS.uid(first.StudyInstanceUID)
    assert seg.FrameOfReferenceUID == PSEUDONYMS.uid(first.FrameOfReferenceUID)
    images = {PSEUDONYMS.uid(image.SOPInstanceUID) for image in case.images}
    assert images <= set(uids(seg))
    assert seg.SOPInstanceUID in set(uids(sr))
    referred = {
        str(item.ReferencedSOPInstanceUID)
        for study in sr.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert referred == images | {seg.SOPInstanceUID}


def test_no_uid_is_that_of_the_report_with_identifiers(case: Case, tmp_path: Path) -> None:
    plain = write_dicom(
        case.report, masks=case.masks, lungs=case.lungs, source=case.source, folder=tmp_path
    )
    report = deidentified_report(case.report, PSEUDONYMS)
    silent = write_dicom(
        report,
        masks=case.masks,
        lungs=case.lungs,
        source=case.source,
        folder=tmp_path / "silent",
        pseudonyms=PSEUDONYMS,
    )
    for one, other in zip(plain, silent, strict=True):
        shared = set(uids(pydicom.dcmread(one))) & set(uids(pydicom.dcmread(other)))
        of_standard = {uid for uid in shared if uid.startswith("1.2.840.10008.")}
        assert shared - of_standard <= {device_uid(report.provenance), HIGHDICOM}
