"""A small synthetic CT series whose every voxel and position follows from arithmetic."""

from pathlib import Path

import pytest
from damage.made_series import RAMP, make_slices, save


class Synthetic:
    """Nine oblique slices, and how they are made."""

    make_slices = staticmethod(make_slices)
    save = staticmethod(save)
    corner_lps_mm = staticmethod(RAMP.corner_lps_mm)
    hounsfield_zyx = staticmethod(RAMP.hounsfield_zyx.copy)
    shape_zyx = RAMP.hounsfield_zyx.shape


@pytest.fixture(scope="session")
def synthetic() -> type[Synthetic]:
    return Synthetic


@pytest.fixture(scope="session")
def clean_series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(make_slices(), tmp_path_factory.mktemp("clean"))
