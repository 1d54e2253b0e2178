"""The page as PDF, printed by a headless Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from nodule.errors import InputError, ReportError
from nodule.files import write_whole

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-extensions",
    "--no-first-run",
    "--no-pdf-header-footer",
)


def write_pdf(
    html_path: Path,
    *,
    pdf_path: Path | None = None,
    chromium: str | None = None,
    timeout_s: float = 120.0,
) -> Path:
    """Print a report's page.

    The viewer and all that is for a screen alone is left out. The file appears whole or not at
    all; it carries the time of printing, so that its bytes differ from run to run.

    Parameters
    ----------
    html_path : the page.
    pdf_path : by default beside the page, with the suffix ``.pdf``.
    chromium : the browser's program; None for the first that is found on the PATH.
    timeout_s : how long to wait for it.

    Returns
    -------
    Where the PDF is.

    Raises
    ------
    ReportError : ``NO_CHROMIUM`` or ``PDF_FAILED``.
    InputError : ``NO_SUCH_FILE``.
    """
    program = chromium or find_chromium()
    target = pdf_path or html_path.with_suffix(".pdf")
    # the browser shows a page of its own for a file that is missing, and prints that
    if not html_path.is_file():
        raise InputError("there is no page to print", code="NO_SUCH_FILE", got=html_path.name)
    # the browser may write its profile a moment longer than it runs
    with tempfile.TemporaryDirectory(prefix="nodule-", ignore_cleanup_errors=True) as scratch:
        printed = Path(scratch) / "report.pdf"
        _print(program, html_path, printed, profile=Path(scratch) / "profile", timeout_s=timeout_s)
        return write_whole(target, printed.read_bytes())


def find_chromium() -> str:
    """Return the path of the first Chromium or Chrome on the PATH.

    Raises
    ------
    ReportError : ``NO_CHROMIUM``.
    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise ReportError(
            "no browser to print with",
            code="NO_CHROMIUM",
            expected=f"one of {', '.join(_NAMES)} on the PATH",
            hint="Install Chromium, or print report.html from any browser.",
        )
    return found


def _print(program: str, page: Path, target: Path, *, profile: Path, timeout_s: float) -> None:
    command = [
        program,
        *_FLAGS,
        *(["--no-sandbox"] if os.geteuid() == 0 else []),  # it refuses to run as root otherwise
        f"--user-data-dir={profile}",
        f"--print-to-pdf={target}",
        page.resolve().as_uri(),
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise ReportError(
            "the browser did not finish printing",
            code="PDF_FAILED",
            expected=f"a PDF within {timeout_s:g} s",
        ) from error
    if done.returncode != 0 or not target.is_file():
        raise ReportError(
            "the browser printed no PDF", code="PDF_FAILED", got=f"exit status {done.returncode}"
        )
