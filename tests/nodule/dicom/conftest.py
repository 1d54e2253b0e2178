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
