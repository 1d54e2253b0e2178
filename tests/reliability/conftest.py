"""Two studies of one name, and how often to try what chance decides."""

import shutil
from pathlib import Path

import pydicom
import pytest
from light_command import Light

from nodule.phantom import make_phantom, random_spec, write_study


@pytest.fixture
def light(tmp_path: Path) -> Light:
    return Light.in_folder(tmp_path)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one") / "CT"
    write_study(make_phantom(random_spec(3, size="small")), folder)
    return folder


@pytest.fixture(scope="session")
def namesake(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another study of the same folder name: all lies 10 mm higher."""
    folder = shutil.copytree(study, tmp_path_factory.mktemp("other") / "CT")
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z + 10]
        dataset.save_as(path)
    return folder


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """Return how often to try what chance decides."""
    return int(request.config.getoption("--rounds"))
