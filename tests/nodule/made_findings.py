"""Findings and masks for tests that need some."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from nodule.findings import AssessedNodule, Assessment, Finding, Malignancy
from nodule.geometry import Geometry, Vector, as_matrix, as_vector
from nodule.masks import NoduleMask, Texture
from nodule.nodules import Measurement, Nodule
from nodule.study import ImageReference, Study

Nodular = TypeVar("Nodular", bound=AssessedNodule)
EVEN = Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, 0.2))

TURN = as_matrix(
    ((0.0, -np.sin(0.2), np.cos(0.2)), (0.0, np.cos(0.2), np.sin(0.2)), (1.0, 0.0, 0.0))
)
GRID = Geometry(
    shape_zyx=(20, 24, 28),
    spacing_zyx_mm=(2.0, 0.9, 0.8),
    origin_lps_mm=(-31.7, 12.3, -140.9),
    direction=TURN,
)


def box(start: tuple[int, int, int], stop: tuple[int, int, int]) -> NoduleMask:
    """Return a block of voxels of an oblique grid with three spacings as a solid nodule."""
    array = np.zeros(GRID.shape_zyx, np.bool_)
    array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = True
    return NoduleMask.cropped(array, start_zyx=(0, 0, 0), source=GRID, texture="solid")


def voxel_mask(center_lps_mm: Vector, volume_mm3: float) -> NoduleMask:
    """Return a mask of one cubic voxel with that volume, on a grid of its own."""
    edge_mm = float(np.cbrt(volume_mm3))
    return NoduleMask(
        array_zyx=np.ones((1, 1, 1), np.bool_),
        start_zyx=(0, 0, 0),
        geometry=Geometry(
            shape_zyx=(1, 1, 1),
            spacing_zyx_mm=(edge_mm, edge_mm, edge_mm),
            origin_lps_mm=center_lps_mm,
        ),
        texture="solid",
    )


def ball_mask(
    grid: Geometry, center_lps_mm: Vector, *, radius_mm: float, texture: Texture | None = None
) -> NoduleMask:
    """Return the voxels of a grid whose centres lie within a ball."""
    index = np.moveaxis(np.indices(grid.shape_zyx), 0, -1)
    away_mm = np.linalg.norm(grid.index_to_lps(index) - np.asarray(center_lps_mm), axis=-1)
    return NoduleMask.cropped(
        away_mm < radius_mm, start_zyx=(0, 0, 0), source=grid, texture=texture
    )


def made_finding(
    id_: str,
    center_lps_mm: Vector,
    *,
    measurement: Measurement | None = None,
    mask: NoduleMask | None = None,
    probability: float = 0.9,
    malignancy: Malignancy = EVEN,
    study: Study | None = None,
    **nodule: Any,
) -> Finding:
    """Return an assessed finding; a measured one without a mask gets one of a single voxel.

    Its image is that of the study, or the only one there is.
    """
    if measurement is not None and mask is None:
        mask = voxel_mask(center_lps_mm, measurement.volume_mm3 or 1.0)
    made = Nodule(
        id=id_,
        center_lps_mm=as_vector(center_lps_mm),
        image=ImageReference(number=1, count=1),
        measurement=measurement,
        **{"lung": "right", **nodule},
    )
    return Finding(
        nodule=made
        if study is None
        else replace(made, image=study.image_at(made.key_point_lps_mm)),
        assessment=Assessment(probability=probability, malignancy=malignancy),
        mask=mask,
    )


def with_nodule(finding: Finding, **changes: Any) -> Finding:
    """Return a finding with another nodule; without a measurement it has no mask either."""
    nodule = replace(finding.nodule, **changes)
    mask = None if nodule.measurement is None else finding.mask
    return replace(finding, nodule=nodule, mask=mask)


def seen_in(study: Study, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return findings that name the images of another study."""
    return tuple(
        with_nodule(each, image=study.image_at(each.nodule.key_point_lps_mm)) for each in findings
    )


def with_malignancy(finding: Finding, malignancy: Malignancy) -> Finding:
    """Return a finding that is rated otherwise."""
    assert finding.assessment is not None
    return replace(finding, assessment=replace(finding.assessment, malignancy=malignancy))


def remeasured(finding: Nodular, **changes: Any) -> Nodular:
    """Return a finding, or a report's nodule, that was measured otherwise."""
    assert finding.nodule.measurement is not None
    measurement = replace(finding.nodule.measurement, **changes)
    return replace(finding, nodule=replace(finding.nodule, measurement=measurement))


def renamed(finding: Nodular, id_: str) -> Nodular:
    """Return a finding, or a report's nodule, under another name."""
    return replace(finding, nodule=replace(finding.nodule, id=id_))
