"""Lets the tests beside it import ``toy_flows``."""

import sys
from pathlib import Path

import pytest

from pipelines.cache import Cache

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")
