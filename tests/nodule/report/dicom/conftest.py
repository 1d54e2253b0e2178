import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dicom_case import Case, read_case, write_series


@pytest.fixture(scope="session")
def make_case(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Case]:
    """Return a function that makes a case; its arguments are attributes of the series."""

    def make(**attributes: object) -> Case:
        folder = tmp_path_factory.mktemp("series")
        write_series(folder, attributes)
        return read_case(folder)

    return make


@pytest.fixture(scope="session")
def case(make_case: Callable[..., Case]) -> Case:
    return make_case()


@pytest.fixture(scope="session")
def dciodvfy() -> Callable[[Path], list[str]]:
    """Return a function that lists what dciodvfy calls an error."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")

    def errors(path: Path) -> list[str]:
        done = subprocess.run([program, "-new", path], capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).splitlines()
        return [line for line in said if line.startswith(("Error", "Abort"))]

    return errors
