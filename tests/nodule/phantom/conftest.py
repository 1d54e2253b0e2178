"""One small phantom for all tests of this folder: built once, in about two seconds."""

from pathlib import Path

import pytest

from nodule.phantom import (
    NodulePlan,
    Phantom,
    PhantomSpec,
    WrittenStudy,
    make_phantom,
    write_study,
)

SPEC = PhantomSpec(
    seed=4,
    shape_zyx=(112, 160, 180),  # three different spacings, so that an axis swap fails
    spacing_zyx_mm=(2.5, 2.2, 2.0),
    vessels_per_ml=1.2,
    circle_padding=True,
    nodules=(
        NodulePlan(diameter_mm=20.0, lung="right"),
        NodulePlan(diameter_mm=16.0, texture="ground-glass", lung="left"),
        NodulePlan(diameter_mm=18.0, texture="part-solid", lobulation=3, spiculation=3),
        NodulePlan(diameter_mm=14.0, texture="calcified", lung="left"),
        NodulePlan(diameter_mm=12.0, location="juxtapleural", lung="right"),
        NodulePlan(diameter_mm=9.0, location="juxtavascular"),
        NodulePlan(diameter_mm=2.5),
    ),
)


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    return make_phantom(SPEC)


@pytest.fixture(scope="session")
def written(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    folder: Path = tmp_path_factory.mktemp("phantom")
    return write_study(phantom, folder)
