"""A headless Chromium: what turns the page into paper or into a picture."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from nodule.errors import ReportError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-extensions",
    "--no-first-run",
)


def find_chromium() -> str:
    """Return the path of the first Chromium or Chrome on the PATH.

    Raises
    ------
    ReportError : ``NO_CHROMIUM``.
    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise ReportError(
            "there is no browser to print with",
            code="NO_CHROMIUM",
            expected=f"one of {', '.join(_NAMES)} on the PATH",
            hint="Install Chromium, or print report.html from any browser.",
        )
    return found


def browse(
    page: Path,
    *,
    output: str,
    suffix: str,
    flags: tuple[str, ...],
    program: str,
    code: str,
    timeout_s: float,
) -> bytes:
    """Show a page to a browser of its own profile and return the file that it makes of it.

    Parameters
    ----------
    page : what to show.
    output : the browser's flag that takes the file's path, such as ``--print-to-pdf``.
    suffix : of that file; without it the browser may refuse.
    flags : further ones.
    program : the browser.
    code : of the error when it fails.
    timeout_s : how long to wait for it.

    Raises
    ------
    ReportError : with the code given.
    """
    # the browser may write its profile a moment longer than it runs
    with tempfile.TemporaryDirectory(prefix="nodule-", ignore_cleanup_errors=True) as scratch:
        target = Path(scratch) / f"made{suffix}"
        command = [
            program,
            *_FLAGS,
            *flags,
            *(["--no-sandbox"] if _is_root() else []),  # it refuses to run as root otherwise
            f"--user-data-dir={Path(scratch) / 'profile'}",
            f"{output}={target}",
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise ReportError(
                "the browser did not finish", code=code, expected=f"an end within {timeout_s:g} s"
            ) from error
        if done.returncode != 0 or not target.is_file():
            raise ReportError(
                "the browser wrote no file", code=code, got=f"exit status {done.returncode}"
            )
        return target.read_bytes()


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0  # Windows has no such user
