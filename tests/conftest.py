"""Fixtures that every test may use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))  # for mutants, fault_layer, damage, orthanc_archive
os.environ["SOURCE_DATE_EPOCH"] = "1772600767"  # 2026-03-04 05:06:07 UTC, for all that is dated
os.environ["TZ"] = "UTC"
_SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rounds",
        type=int,
        default=2,
        help="how often tests/reliability tries what chance decides, such as a kill or a race",
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    from damage.summary import table

    reports = (report for each in terminalreporter.stats.values() for report in each)
    calls = (report for report in reports if getattr(report, "when", None) == "call")
    found = (pair for call in calls for pair in call.user_properties)
    for line in table(found):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep converted networks away from the user's, in one folder for all processes of a run."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    os.environ["NODULE_CACHE"] = str(root / "nodule-cache")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real data beside the checkout; the test skips where there is none."""
    if not _SHARED.is_dir():
        pytest.skip("the shared real data are not beside this checkout")
    return _SHARED


@pytest.fixture(scope="session")
def dciodvfy() -> Callable[..., list[str]]:
    """Return a function that lists what dciodvfy calls an error, and, where asked, a warning."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")

    def faults(path: Path, *, warnings: bool = False) -> list[str]:
        done = subprocess.run([program, "-new", path], capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).splitlines()
        assert said, "it names at least the kind of object"
        kinds = ("Error", "Abort", "Warning") if warnings else ("Error", "Abort")
        return [line for line in said if line.startswith(kinds)]

    return faults
