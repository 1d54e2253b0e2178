"""Fixtures that every test may use."""

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real data beside the checkout; the test skips where there is none."""
    if not _SHARED.is_dir():
        pytest.skip("the shared real data are not beside this checkout")
    return _SHARED
