import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt
from typer.testing import CliRunner

from nodule.errors import UsageError
from pipelines.cli.main import app


@pytest.fixture
def reached() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a node that takes CT images, and what has reached it."""
    uids: list[str] = []

    def store(event: evt.Event) -> int:
        uids.append(str(event.dataset.SOPInstanceUID))
        return 0

    entity = AE(ae_title="PEER")
    entity.add_supported_context(CTImageStorage)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    assert server is not None
    yield f"dicom://PEER@127.0.0.1:{server.server_address[1]}", uids
    server.shutdown()


def test_files_are_stored_and_named(
    reached: tuple[str, list[str]], phantom_study: Path, tmp_path: Path
) -> None:
    address, uids = reached
    (tmp_path / "empty").mkdir()
    words = ["push", str(phantom_study), str(tmp_path / "empty"), "--to", address]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 3  # one of two
    said = json.loads(done.stdout.splitlines()[-1])
    files = sorted(map(str, phantom_study.glob("*.dcm")))
    assert said["stored"] == files
    assert len(uids) == len(files)
    assert [each["code"] for each in said["failed"]] == ["NO_DICOM_RESULTS"]


def test_an_address_of_nothing_is_wrong_usage(phantom_study: Path) -> None:
    done = CliRunner().invoke(app, ["push", str(phantom_study), "--to", "PACS"])
    assert isinstance(done.exception, UsageError)
    assert done.exception.code == "BAD_ADDRESS"
