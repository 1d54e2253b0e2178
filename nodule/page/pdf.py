"""The page as PDF, printed by a headless Chromium."""

from __future__ import annotations

from pathlib import Path

from nodule.errors import InputError
from nodule.page.browser import browse, find_chromium
from nodule.whole_files import write_whole


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
    # the browser shows a page of its own for a file that is missing, and prints that
    if not html_path.is_file():
        raise InputError("there is no page to print", code="NO_SUCH_FILE", got=html_path.name)
    printed = browse(
        html_path,
        output="--print-to-pdf",
        suffix=".pdf",
        flags=("--no-pdf-header-footer",),
        program=program,
        code="PDF_FAILED",
        timeout_s=timeout_s,
    )
    return write_whole(pdf_path or html_path.with_suffix(".pdf"), printed)
