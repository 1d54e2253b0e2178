"""Locations by lungs that are boxes, and sides by the patient's own axes."""

import numpy as np
import pytest

from nodule.evaluate.nodule_detection._nodule_location import Location, locate, side_of
from nodule.geometry import Geometry
from nodule.training import Annotation, NoduleRecord
from nodule.volume import LungMask


@pytest.fixture(scope="module")
def lungs() -> LungMask:
    """Right from x = -100 to -41, left from 40 to 99; y 0 to 59, z -30 to 59."""
    geometry = Geometry(
        shape_zyx=(110, 80, 220),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        origin_lps_mm=(-110.0, -10.0, -40.0),
    )
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    labels[10:100, 10:70, 10:70] = LungMask.RIGHT
    labels[10:100, 10:70, 150:210] = LungMask.LEFT
    return LungMask(labels_zyx=labels, geometry=geometry)


def nodule(x: float, y: float, z: float) -> Annotation:
    return Annotation(kind="outlined", center_lps_mm=(x, y, z), measured_mm=8.0, readers=4)


def test_a_nodule_deep_in_the_left_lung(lungs: LungMask) -> None:
    found = locate(nodule(70.0, 20.0, 35.0), lungs)
    assert (found.side, found.lung_zone) == ("left", "upper")
    # the surface runs at y = -0.5: 20.5 mm from the centre, 16.5 from the sphere of 4 mm
    assert found.pleura_mm == pytest.approx(16.5, abs=0.6)
    assert found.names == ("left", "upper", "off the pleura")


def test_a_nodule_that_touches_the_chest_wall(lungs: LungMask) -> None:
    found = locate(nodule(-70.0, 3.0, -20.0), lungs)
    assert found.names == ("right", "lower", "at the pleura")
    assert found.pleura_mm == 0.0


def test_what_lies_far_from_any_lung_has_no_place_in_one(lungs: LungMask) -> None:
    assert locate(nodule(0.0, 30.0, 10.0), lungs) == Location()
    assert Location().names == ("outside",)


@pytest.mark.parametrize(
    ("x_mm", "side"),
    [(-20.0, "right"), (-19.9, "midline"), (19.9, "midline"), (20.0, "left"), (None, "unknown")],
)
def test_a_crops_side_is_told_by_x_away_from_the_middle(x_mm: float | None, side: str) -> None:
    record = NoduleRecord(
        kind="stack", file="P1.npz", patient_id="P1", fold=0,
        center_lps_mm=None if x_mm is None else (x_mm, 0.0, 0.0),
        spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=None, diameter_mm=8.0, n_readers=3,
        readers=(), ratings={}, voi_file=None,
    )  # fmt: skip
    assert side_of(record) == side
