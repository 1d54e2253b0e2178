"""The manifest tells what of a report was changed, lost or added."""

import hashlib
import json
from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.manifest import differences, manifest_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "saliency").mkdir()
    for name in ("report.json", "report.html", "saliency/N1-nodule.json"):
        (tmp_path / name).write_text(name)
    names = ("report.json", "report.html", "saliency/N1-nodule.json")
    (tmp_path / "manifest.json").write_bytes(manifest_of(tmp_path, names))
    return tmp_path


def codes(folder: Path) -> list[tuple[str, str]]:
    return [(each.code, str(each.got)) for each in differences(folder)]


def test_it_holds_the_digest_of_each_file(folder: Path) -> None:
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    assert files.keys() == {"report.json", "report.html", "saliency/N1-nodule.json"}
    assert files["report.html"] == hashlib.sha256(b"report.html").hexdigest()
    assert codes(folder) == []


def test_every_kind_of_difference_is_named(folder: Path) -> None:
    (folder / "report.html").write_text("report.htmm")
    (folder / "saliency" / "N1-nodule.json").unlink()
    (folder / "sr.dcm").touch()
    changed = hashlib.sha256(b"report.htmm").hexdigest()
    assert codes(folder) == [
        ("FILE_CHANGED", changed),
        ("FILE_MISSING", "saliency/N1-nodule.json"),
        ("FILE_ADDED", "sr.dcm"),
    ]


def test_what_is_not_a_reports_may_come_and_go(folder: Path) -> None:
    (folder / "review.json").touch()
    (folder / "saliency" / "notes.txt").touch()
    assert codes(folder) == []


@pytest.mark.parametrize(
    "content",
    [
        *(None, b"", b"{}", b'{"format": "nodule-manifest-2", "files": {}}'),
        b'{"format": "nodule-manifest-1", "files": {"../../etc/passwd": "00"}}',
        b'{"format": "nodule-manifest-1", "files": {"/etc/passwd": "00"}}',
    ],
)
def test_without_a_whole_manifest_nothing_is_verified(folder: Path, content: bytes | None) -> None:
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_bytes(content)
    with pytest.raises(InputError) as refused:
        list(differences(folder))
    assert refused.value.code == "NO_MANIFEST"
