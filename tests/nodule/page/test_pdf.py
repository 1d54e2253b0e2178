import os
import re
from pathlib import Path

import pytest

from nodule.errors import InputError, ReportError
from nodule.page.pdf import write_pdf


def test_prints_the_page_beside_it(written: Path, chromium: str, tmp_path: Path) -> None:
    target = tmp_path / "printed.pdf"
    assert write_pdf(written / "report.html", pdf_path=target) == target
    content = target.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    # three findings with pictures, two to a page at most, and the rest of the report
    assert 2 <= len(re.findall(rb"/Type /Page\b", content)) <= 6
    assert list(tmp_path.iterdir()) == [target]


def test_says_what_is_missing_where_there_is_no_browser(
    written: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReportError, match=r"NO_CHROMIUM.*Install Chromium"):
        write_pdf(written / "report.html")


def test_a_browser_that_prints_nothing_is_an_error(written: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="PDF_FAILED"):
        write_pdf(written / "report.html", pdf_path=tmp_path / "a.pdf", chromium="/bin/true")
    assert list(tmp_path.iterdir()) == []


def test_prints_where_there_is_no_root_user(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has no ``geteuid``."""
    monkeypatch.delattr(os, "geteuid")
    with pytest.raises(ReportError, match="PDF_FAILED"):
        write_pdf(written / "report.html", pdf_path=tmp_path / "a.pdf", chromium="/bin/true")


def test_a_page_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NO_SUCH_FILE"):
        write_pdf(tmp_path / "report.html", chromium="/bin/true")
