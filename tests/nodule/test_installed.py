"""The versions that a report and a cache entry name."""

import importlib.metadata
from collections.abc import Iterator

import numpy as np
import pytest

import nodule
from nodule.installed import installed_packages


@pytest.fixture(autouse=True)
def asked_again() -> Iterator[None]:
    """Let each test ask the system, and leave nothing of it behind."""
    installed_packages.cache_clear()
    yield
    installed_packages.cache_clear()


def test_names_the_package_and_all_that_it_requires() -> None:
    versions = installed_packages()
    assert versions["nodule"] == nodule.__version__
    assert versions["numpy"] == np.__version__
    assert {"torch", "monai", "pydicom"} <= versions.keys()


def test_packages_for_training_and_tests_are_left_out() -> None:
    assert {"pytest", "lightning", "pandas"}.isdisjoint(installed_packages())


def test_a_package_that_is_missing_is_called_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["no-such-package>=2"])
    assert installed_packages() == {"nodule": nodule.__version__, "no-such-package": "absent"}
