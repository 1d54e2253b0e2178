"""A small file is read, and nothing endless is waited for."""

import os
from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.input_files import read_given_file


def test_reads_a_file_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_given_file(path, max_bytes=5) == b"12345"
    with pytest.raises(InputError) as refused:
        read_given_file(path, max_bytes=4)
    assert refused.value.code == "TOO_LARGE"


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero")
    if kind == "pipe":
        path = tmp_path / "pipe"
        os.mkfifo(path)
    with pytest.raises(InputError) as refused:
        read_given_file(path)
    assert refused.value.code == "CANNOT_READ"


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_given_file(tmp_path / "nowhere")
