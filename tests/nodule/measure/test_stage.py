import math
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.findings import Candidate, Malignancy, ScoredCandidate
from nodule.geometry import Geometry, Vector, as_vector
from nodule.masks import NoduleMask
from nodule.measure.stage import Measure, measure_mask
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume

Draw = Callable[..., Volume]
MALIGNANCY = Malignancy(distribution=(0.1, 0.2, 0.4, 0.2, 0.1))
GRID = Geometry(
    shape_zyx=(40, 60, 90), spacing_zyx_mm=(1.0, 0.8, 0.7), origin_lps_mm=(-31.5, 10.0, 5.0)
)
RIGHT_NODULE: Vector = (-15.0, 34.0, 25.0)
LEFT_NODULE: Vector = (16.0, 30.0, 20.0)


def scored(point: Vector, probability: float, diameter_mm: float = 8.0) -> ScoredCandidate:
    return ScoredCandidate(
        candidate=Candidate(center_lps_mm=point, score=0.9, diameter_mm=diameter_mm),
        probability=probability,
        malignancy=MALIGNANCY,
    )


@pytest.fixture(scope="module")
def study(draw_ellipsoid: Draw) -> Study:
    right = draw_ellipsoid(GRID, center_lps_mm=RIGHT_NODULE, semi_axes_mm=(4, 4, 4), core_hu=40.0)
    left = draw_ellipsoid(GRID, center_lps_mm=LEFT_NODULE, semi_axes_mm=(6, 4, 4), core_hu=40.0)
    both = np.maximum(right.array_zyx, left.array_zyx)
    return Study(
        volume=Volume(array_zyx=both, geometry=GRID), series=SeriesHeader(source_format="nifti")
    )


@pytest.fixture(scope="module")
def lungs() -> LungMask:
    geometry = Geometry(
        shape_zyx=(40, 48, 64), spacing_zyx_mm=(1, 1, 1), origin_lps_mm=(-31.5, 10.0, 5.0)
    )
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    labels[:, :, :28] = LungMask.RIGHT  # -x is the patient's right
    labels[:, :, 36:] = LungMask.LEFT
    return LungMask(labels_zyx=labels, geometry=geometry)


def test_numbers_findings_by_falling_probability(study: Study, lungs: LungMask) -> None:
    findings = Measure().run(
        study=study, lungs=lungs, scored=(scored(RIGHT_NODULE, 0.6), scored(LEFT_NODULE, 0.9))
    )
    assert [
        (f.nodule.id, f.assessment and f.assessment.probability, f.nodule.lung) for f in findings
    ] == [
        ("N1", 0.9, "left"),
        ("N2", 0.6, "right"),
    ]


def test_measures_on_the_source_grid(study: Study, lungs: LungMask) -> None:
    (finding,) = Measure().run(study=study, lungs=lungs, scored=(scored(LEFT_NODULE, 0.9),))
    measured = finding.nodule.measurement
    assert measured is not None
    assert finding.nodule.center_lps_mm == measured.center_lps_mm
    assert math.dist(finding.nodule.center_lps_mm, LEFT_NODULE) < 0.3
    assert measured.volume_mm3 == pytest.approx(4 / 3 * math.pi * 6 * 4 * 4, rel=0.05)
    assert measured.long_axis_mm == pytest.approx(12.0, abs=0.9)
    assert measured.short_axis_mm == pytest.approx(8.0, abs=0.9)
    assert finding.mask is not None
    assert measured.volume_mm3 == finding.mask.volume_mm3
    assert measured.center_lps_mm == finding.mask.center_lps_mm


def test_drops_what_is_improbable(study: Study, lungs: LungMask) -> None:
    candidates = (scored(RIGHT_NODULE, 0.44), scored(LEFT_NODULE, 0.45))
    assert [f.nodule.lung for f in Measure().run(study=study, lungs=lungs, scored=candidates)] == [
        "left"
    ]
    assert not Measure(probability_threshold=0.46).run(study=study, lungs=lungs, scored=candidates)


def test_merges_candidates_with_one_mask(study: Study, lungs: LungMask) -> None:
    beside = as_vector(np.add(LEFT_NODULE, (2.0, 1.0, 0.0)))
    (finding,) = Measure().run(
        study=study, lungs=lungs, scored=(scored(beside, 0.7), scored(LEFT_NODULE, 0.8))
    )
    assert finding.assessment is not None
    assert finding.assessment.probability == 0.8


def test_keeps_a_finding_that_cannot_be_measured(study: Study, lungs: LungMask) -> None:
    bare: Vector = (-20.0, 16.0, 12.0)
    (finding,) = Measure().run(study=study, lungs=lungs, scored=(scored(bare, 0.9, 4.0),))
    assert finding.nodule.measurement is None
    assert finding.mask is None
    assert finding.nodule.center_lps_mm == bare


def test_an_empty_study_has_no_findings(study: Study, lungs: LungMask) -> None:
    shares: list[float] = []
    assert Measure().run(study=study, lungs=lungs, scored=(), progress=shares.append) == ()
    assert shares == [1.0]


def test_what_lies_far_from_both_lungs_is_no_finding(study: Study, lungs: LungMask) -> None:
    only_left = np.where(lungs.labels_zyx == LungMask.LEFT, lungs.labels_zyx, 0).astype(np.uint8)
    findings = Measure().run(
        study=study,
        lungs=replace(lungs, labels_zyx=only_left),
        scored=(scored(RIGHT_NODULE, 0.9),),
    )
    assert findings == ()


def test_says_what_a_nodule_is_made_of_and_where_it_lies(study: Study, lungs: LungMask) -> None:
    (finding,) = Measure().run(study=study, lungs=lungs, scored=(scored(LEFT_NODULE, 0.9),))
    measured = finding.nodule.measurement
    assert measured is not None
    assert measured.texture == "solid"
    assert measured.mean_hu is not None
    assert -250 < measured.mean_hu < 40  # 40 HU, less at the blurred rim
    # an ellipsoid of 12 x 8 x 8 mm: 0.97 by the formula of Knud Thomsen, and a tenth lost to steps
    assert measured.sphericity == pytest.approx(0.87, abs=0.04)
    # the lungs reach from z = 5 to 44
    assert finding.nodule.lung_zone == "middle"
    # the left lung's surface lies at x = 4, the nodule's tip at 10
    assert finding.nodule.pleura_distance_mm == pytest.approx(6.0, abs=0.8)


def test_states_limits_of_the_volume_unless_slices_are_too_thick(
    study: Study, lungs: LungMask
) -> None:
    (finding,) = Measure().run(study=study, lungs=lungs, scored=(scored(LEFT_NODULE, 0.9),))
    thick = replace(study, series=replace(study.series, slice_thickness_mm=5.0))
    (coarse,) = Measure().run(study=thick, lungs=lungs, scored=(scored(LEFT_NODULE, 0.9),))
    assert finding.nodule.measurement is not None
    assert coarse.nodule.measurement is not None
    limits = finding.nodule.measurement.volume_ci95_mm3
    assert limits is not None
    assert limits[0] < 4 / 3 * math.pi * 6 * 4 * 4 < limits[1]
    # 9.2 mm across, less than two slices of 5 mm
    assert coarse.nodule.measurement.volume_ci95_mm3 is None
    assert coarse.nodule.measurement.volume_mm3 is None
    assert coarse.mask == finding.mask


def _masked(core: NDArray[np.bool_] | None) -> tuple[NoduleMask, Volume]:
    """Return a plate of 20 x 4 mm in a slice, and what it lies in."""
    geometry = Geometry(shape_zyx=(9, 20, 40), spacing_zyx_mm=(1, 1, 1))
    array = np.zeros((3, 14, 20), np.bool_)
    array[0, 5:9] = True
    array[2, :14, 5:15] = True
    array[1, 5:9, 5:15] = True
    part = replace(geometry, shape_zyx=array.shape, origin_lps_mm=(3.0, 3.0, 3.0))
    mask = NoduleMask(
        array_zyx=array, start_zyx=(3, 3, 3), geometry=part, texture="part-solid", core_zyx=core
    )
    hu = np.full(geometry.shape_zyx, -300.0, np.float32)
    return mask, Volume(array_zyx=hu, geometry=geometry)


def test_a_core_is_measured_and_never_wider_than_its_nodule() -> None:
    core = np.zeros((3, 14, 20), np.bool_)
    core[2, :14, 5:15] = True
    measured = measure_mask(*_masked(core))
    assert measured.solid_volume_mm3 == pytest.approx(140.0)
    assert measured.solid_axes_mm is not None
    long_mm, short_mm = measured.solid_axes_mm
    # the core's own: the diagonal of 14 x 10 voxels, some 16.5 mm, and more than 4 across it
    assert long_mm == pytest.approx(math.hypot(13.5, 9.5), abs=0.6)
    assert short_mm == measured.short_axis_mm


@pytest.mark.parametrize(("voxel_mm", "measured"), [(2.04, False), (2.05, True)])
def test_a_core_is_one_from_the_size_of_a_ball_of_2_mm(voxel_mm: float, measured: bool) -> None:
    """Of 4.19 mm3: one voxel of 1.0 x 2.04 x 2.04 mm has 4.16 mm3, of 2.05 mm 4.20 mm3."""
    geometry = Geometry(shape_zyx=(3, 5, 5), spacing_zyx_mm=(1.0, voxel_mm, voxel_mm))
    core = np.zeros(geometry.shape_zyx, np.bool_)
    core[1, 2, 2] = True
    mask = NoduleMask(
        array_zyx=np.ones(geometry.shape_zyx, np.bool_),
        start_zyx=(0, 0, 0),
        geometry=geometry,
        texture="part-solid",
        core_zyx=core,
    )
    hu = np.full(geometry.shape_zyx, -300.0, np.float32)
    found = measure_mask(mask, Volume(array_zyx=hu, geometry=geometry))
    assert (found.solid_axes_mm is not None) == measured


def test_parts_of_one_lesion_are_one_finding_with_both_masks(
    study: Study, lungs: LungMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two candidates, of 12 and of 10 voxels in a row that share 4."""
    rows = {RIGHT_NODULE: (20, 12), LEFT_NODULE: (28, 10)}

    def grow(volume: Volume, *, center_lps_mm: Vector, **_: object) -> NoduleMask:
        start, length = rows[center_lps_mm]
        origin = as_vector(GRID.index_to_lps((20, 30, start)))
        return NoduleMask(
            array_zyx=np.ones((1, 1, length), np.bool_),
            start_zyx=(20, 30, start),
            geometry=replace(GRID, shape_zyx=(1, 1, length), origin_lps_mm=origin),
            texture="solid",
        )

    monkeypatch.setattr(sys.modules[Measure.__module__], "segment_nodule", grow)
    (found,) = Measure().run(
        study=study, lungs=lungs, scored=(scored(RIGHT_NODULE, 0.8), scored(LEFT_NODULE, 0.9))
    )
    assert found.mask is not None
    assert found.mask.start_zyx == (20, 30, 20)
    assert found.mask.array_zyx.sum() == 18
    assert found.assessment is not None
    assert found.assessment.probability == 0.9
    assert found.nodule.lung == "left"
    assert found.nodule.seed is not None
    assert found.nodule.seed.center_lps_mm == LEFT_NODULE


def test_a_speck_is_no_core() -> None:
    core = np.zeros((3, 14, 20), np.bool_)
    core[2, 6, 6:8] = True  # 2 mm³ make a ball of 1.6 mm
    measured = measure_mask(*_masked(core))
    assert measured.solid_axes_mm is None
    assert measured.solid_volume_mm3 is None


def test_a_mask_at_the_end_of_the_scan_has_no_stated_volume() -> None:
    mask, volume = _masked(None)
    assert measure_mask(mask, volume).volume_ci95_mm3 is not None
    at_end = replace(mask, start_zyx=(6, 3, 3))
    assert measure_mask(at_end, volume).volume_ci95_mm3 is None
