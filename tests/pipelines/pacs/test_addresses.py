import pytest

from nodule.errors import UsageError
from pipelines.pacs import DicomNode, DicomWeb, parse_address, parse_study_address


def test_a_node_is_named_by_title_host_and_port() -> None:
    assert parse_address("dicom://PACS_1@10.0.0.7:104") == DicomNode(
        ae_title="PACS_1", host="10.0.0.7", port=104
    )
    node = parse_address("dicom://PACS@[::1]:11112?calling=RESEARCH")
    assert node == DicomNode(ae_title="PACS", host="::1", port=11112, own_ae_title="RESEARCH")


def test_a_service_is_named_by_its_root() -> None:
    assert parse_address("https://host/dicom-web/") == DicomWeb(root="https://host/dicom-web")


@pytest.mark.parametrize(
    "text",
    [
        *("PACS@host:104", "dicom://host:104", "dicom://PACS@host", "dicom://PACS@host:port"),
        *("dicom://A_TITLE_THAT_IS_TOO_LONG@host:104", "dicom://A B@host:104", "ftp://host/x", ""),
        *("https://", "dicom://PACS@host:70000", "dicom://PACS@host:104?calling=A\\B"),
    ],
)
def test_what_names_no_archive_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="BAD_ADDRESS"):
        parse_address(text)


def test_a_study_of_a_service_is_told_from_other_addresses() -> None:
    address = parse_study_address("http://127.0.0.1:8042/dicom-web/studies/1.2.840.1")
    assert address is not None
    assert (address.service.root, address.study_uid) == (
        "http://127.0.0.1:8042/dicom-web",
        "1.2.840.1",
    )
    for other in ("s3://bucket/studies/1.2", "studies/1.2", "https://host/dicom-web/studies/../x"):
        assert parse_study_address(other) is None
