"""Measured findings become facts; what was not measured stays unknown."""

from dataclasses import replace
from typing import Any

import pytest

from nodule.advice._measured_nodule import measured_nodule
from nodule.guidelines.facts import NoduleFacts
from nodule.guidelines.lung_rads import ScreenedNodule, classify_lesion
from nodule.nodules import Measurement, Nodule
from nodule.study import ImageReference


def _measurement(texture: str | None, *, measured: bool = True, **rest: Any) -> Measurement | None:
    measurement = Measurement(
        center_lps_mm=(0.0, 0.0, 0.0),
        long_axis_mm=8.04,
        short_axis_mm=6.0,
        texture=texture,  # type: ignore[arg-type]
    )
    return replace(measurement, **rest) if measured else None


def measured(measurement: Measurement | None) -> NoduleFacts:
    return measured_nodule(
        Nodule(
            id="N1",
            center_lps_mm=(0.0, 0.0, 0.0),
            image=ImageReference(number=1, count=1),
            lung="right",
            measurement=measurement,
        )
    )


@pytest.mark.parametrize(
    ("texture", "composition"),
    [
        ("solid", "solid"),
        ("part-solid", "part-solid"),
        ("ground-glass", "ground-glass"),
        ("calcified", "solid"),
        (None, None),
    ],
)
def test_a_texture_is_a_composition(texture: str | None, composition: str | None) -> None:
    nodule = measured(_measurement(texture))
    assert (nodule.id, nodule.composition) == ("N1", composition)
    assert nodule.benign_feature is None
    assert nodule.calcified == (texture == "calcified")
    if texture != "part-solid":
        assert nodule.solid_component is None


def test_a_core_of_which_nothing_was_measured_has_the_size_0() -> None:
    component = measured(_measurement("part-solid")).solid_component
    assert component is not None
    assert component.measures_nothing


def test_sizes_are_handed_on_in_mm() -> None:
    size = measured(_measurement("solid", volume_mm3=172.0)).size
    assert size is not None
    assert size.axes_mm == (8.04, 6.0)
    assert size.volume_mm3 == 172.0


def test_a_volume_that_cannot_be_stated_is_not_handed_on() -> None:
    size = measured(_measurement("solid")).size
    assert size is not None
    assert size.axes_mm == (8.04, 6.0)
    assert size.volume_mm3 is None


@pytest.mark.parametrize(
    ("core_mm", "category"),
    # Lung-RADS v2022, baseline: part-solid of 6 mm or more by its solid component
    [((5.0, 4.0), "3"), ((6.4, 6.0), "4A"), ((8.0, 8.0), "4B"), (None, "3")],
)
def test_a_part_solid_nodule_gets_a_category_by_its_core(
    core_mm: tuple[float, float] | None, category: str | None
) -> None:
    finding = _measurement(
        "part-solid", long_axis_mm=14.0, short_axis_mm=12.0, solid_axes_mm=core_mm
    )
    nodule = measured(finding)
    assert nodule.size is not None
    lesion = ScreenedNodule(nodule=nodule, temporal_status="baseline")
    assert classify_lesion(lesion, version="v2022").answer == category


def test_a_core_of_another_texture_is_no_solid_component() -> None:
    assert measured(_measurement("solid", solid_axes_mm=(4.0, 3.0))).solid_component is None


def test_what_was_not_measured_stays_unknown() -> None:
    nodule = measured(_measurement("solid", measured=False))
    assert (nodule.composition, nodule.size) == (None, None)
