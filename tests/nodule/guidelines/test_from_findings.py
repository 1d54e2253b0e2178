"""Measured findings become facts; what was not measured stays unknown."""

import pytest

from nodule.findings import Finding, Malignancy, Measurement
from nodule.guidelines.from_findings import nodule_of


def _finding(texture: str | None, *, measured: bool = True) -> Finding:
    measurement = Measurement(
        center_lps_mm=(0.0, 0.0, 0.0),
        long_axis_mm=8.04,
        short_axis_mm=6.0,
        effective_diameter_mm=6.9,
        volume_mm3=172.0,
        texture=texture,  # type: ignore[arg-type]
    )
    return Finding(
        id="N1",
        center_lps_mm=(0.0, 0.0, 0.0),
        probability=0.9,
        malignancy=Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, 0.2)),
        measurement=measurement if measured else None,
        lung="right",
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
    nodule = nodule_of(_finding(texture))
    assert (nodule.id, nodule.composition) == ("N1", composition)
    assert nodule.benign_feature is None
    assert nodule.solid_component is None


def test_sizes_are_handed_on_in_mm() -> None:
    size = nodule_of(_finding("solid")).size
    assert size is not None
    assert size.axes_mm == (8.04, 6.0)
    assert size.volume_mm3 == 172.0


def test_what_was_not_measured_stays_unknown() -> None:
    nodule = nodule_of(_finding("solid", measured=False))
    assert (nodule.composition, nodule.size) == (None, None)
