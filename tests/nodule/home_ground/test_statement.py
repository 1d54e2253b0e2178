"""Whether figures hold: by images whose noise, blur, field and density are made."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from nodule.geometry import Geometry, as_matrix, as_vector
from nodule.home_ground import measure_image, noise_and_grain, noise_excess, state_home_ground
from nodule.lung_disease import DiseasedLung, LungDisease
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume

GRID = Geometry(
    shape_zyx=(30, 120, 130), spacing_zyx_mm=(2.0, 0.7, 0.7), origin_lps_mm=(-45.0, 12.0, 40.0)
)


def chest(
    *,
    noise_hu: float = 45.0,
    grain_pixels: float = 0.6,
    gravity_hu: float = 30.0,
    grid: Geometry = GRID,
    bone_hu: float = 1300.0,
    seed: int = 0,
) -> tuple[Study, LungMask]:
    """Return two lungs denser at the back in soft tissue, blurred and noisy as a scanner's."""
    _, height, width = grid.shape_zyx
    labels = np.zeros(grid.shape_zyx, np.uint8)
    labels[3:-3, 15 : height - 15, 12:55] = LungMask.RIGHT
    labels[3:-3, 15 : height - 15, width - 55 : width - 12] = LungMask.LEFT
    slope = gravity_hu * (np.arange(height) / height - 0.5)[None, :, None] * 2
    hu = np.where(labels > 0, -860.0 + slope, 45.0).astype(np.float32)
    hu[:, :6] = bone_hu
    hu = ndimage.gaussian_filter(hu, (0, 0.7, 0.7))
    noise = np.random.default_rng(seed).standard_normal(hu.shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, (0, grain_pixels, grain_pixels))
    hu += np.float32(noise_hu) * noise / noise.std()
    study = Study(
        volume=Volume(array_zyx=hu.astype(np.float32), geometry=grid),
        series=SeriesHeader(source_format="nifti"),
    )
    return study, LungMask(labels_zyx=labels, geometry=grid)


@pytest.mark.parametrize("sd", [5.0, 30.0])
def test_white_noise_has_its_own_standard_deviation_and_a_grain_of_1(sd: float) -> None:
    hu = np.random.default_rng(1).normal(-850, sd, (6, 80, 80)).astype(np.float32)
    found = noise_and_grain(hu)
    assert found is not None
    assert found == (pytest.approx(sd, rel=0.05), pytest.approx(1.0, rel=0.05))


def test_a_softer_kernel_leaves_less_grain() -> None:
    hu = np.random.default_rng(1).normal(0, 40, (6, 80, 80))
    grains = []
    for sigma in (0.3, 0.6, 1.0):
        soft = ndimage.gaussian_filter(hu, (0, sigma, sigma)).astype(np.float32) - 850
        found = noise_and_grain(soft)
        assert found is not None
        grains.append(found[1])
    assert grains == sorted(grains, reverse=True)


def test_too_little_lung_has_no_noise() -> None:
    assert noise_and_grain(np.zeros((3, 30, 30), np.float32)) is None


def test_what_is_measured_of_an_image() -> None:
    seen = measure_image(*chest())
    assert (seen.slice_mm, seen.pixel_mm) == (2.0, 0.7)
    assert seen.noise_hu is not None
    assert 20 < seen.noise_hu < 45  # what is smooth in it is not against its neighbours
    assert seen.gravity_hu == pytest.approx(22.5, abs=3)  # halves of a slope of 60 HU over 120 rows
    assert seen.cut_share == 0
    assert seen.highest_hu > 1200
    assert seen.block_edges == pytest.approx(1.0, abs=0.02)


def test_a_turned_patient_s_lungs_are_denser_in_front() -> None:
    study, lungs = chest(gravity_hu=-30.0)
    seen = measure_image(study, lungs).gravity_hu
    assert seen == pytest.approx(-22.5, abs=3)
    # the same image stored with rows that run to the front
    flipped = replace(
        GRID,
        origin_lps_mm=as_vector(GRID.index_to_lps((0, 119, 129))),
        direction=as_matrix(np.asarray(GRID.direction) * [[1.0, -1.0, -1.0]]),
    )
    again = replace(
        study,
        volume=Volume(
            array_zyx=np.ascontiguousarray(study.volume.array_zyx[:, ::-1, ::-1]), geometry=flipped
        ),
    )
    assert measure_image(again, lungs).gravity_hu == pytest.approx(seen, abs=0.5)


def stated(study: Study, lungs: LungMask, **changed: object) -> list[str]:
    known: dict[str, object] = {"whole": True, "finding_count": 3, "disease": None}
    found = state_home_ground(study, lungs, **(known | changed))  # type: ignore[arg-type]
    return [each.name for each in found.unmet]


def test_a_study_like_those_of_the_figures_is_on_home_ground() -> None:
    found = state_home_ground(*chest(), whole=True, finding_count=3, disease=None)
    assert found.is_home
    assert found.distance < 1
    assert "like those of LIDC-IDRI" in found.statement


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"noise_hu": 2.0}, "noise (HU)"),
        ({"grain_pixels": 1.2}, "grain, the kernel’s sharpness"),
        ({"gravity_hu": -30.0}, "back of the lungs denser than the front (HU)"),
        ({"bone_hu": 300.0}, "highest density (HU)"),
        ({"grid": replace(GRID, spacing_zyx_mm=(5.0, 0.7, 0.7))}, "slice thickness (mm)"),
        ({"grid": replace(GRID, spacing_zyx_mm=(2.0, 1.2, 1.2))}, "pixels (mm)"),
    ],
)
def test_an_image_that_was_made_otherwise_is_off_it_for_that_reason(
    change: dict[str, object], reason: str
) -> None:
    made = chest(**change)  # type: ignore[arg-type]
    assert reason in stated(*made)
    found = state_home_ground(*made, whole=True, finding_count=3, disease=None)
    assert found.distance > 1
    assert reason in found.statement


@pytest.mark.parametrize(("count", "met"), [(20, True), (21, False)])
def test_what_lungs_and_findings_say_counts_too(count: int, met: bool) -> None:
    study, lungs = chest()
    assert ("findings" not in stated(study, lungs, finding_count=count)) == met
    assert "lungs cut by the ends of the scan" in stated(study, lungs, whole=False)
    ill = [
        DiseasedLung(
            lung=side,
            aerated_ml=900.0,
            ground_glass_ml=100.0,
            consolidation_ml=0.0,
            left_out_ml=0.0,
        )
        for side in ("right", "left")
    ]
    disease = LungDisease(right=ill[0], left=ill[1])
    assert "diffuse disease" in stated(study, lungs, disease=disease)


def test_noise_is_compared_with_what_goes_with_its_kernel() -> None:
    """Of grain 0.5 the line of home goes through exp(4.437 + 2.441 ln 0.5) = 15.6 HU."""
    seen = replace(measure_image(*chest()), noise_hu=15.57, grain=0.5)
    assert noise_excess(seen) == pytest.approx(0.0, abs=2e-3)
    assert noise_excess(replace(seen, noise_hu=None)) is None
