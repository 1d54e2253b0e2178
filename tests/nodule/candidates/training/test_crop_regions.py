"""Crops become regions whose nodules are certain, ignored, or known to be elsewhere."""

from pathlib import Path

import numpy as np
import pytest

from nodule.candidates.training._crop_regions import (
    nodule_sources,
    rejected_regions,
    slab_regions,
)
from nodule.geometry import Geometry
from nodule.study import SeriesHeader, Study
from nodule.training import CropSet, NoduleStack, write_table
from nodule.training._crop_set_writing import write_stacks
from nodule.volume import Volume

GEOMETRY = Geometry(
    shape_zyx=(30, 60, 60), spacing_zyx_mm=(2.0, 1.0, 1.0), origin_lps_mm=(5.0, 6.0, 7.0)
)
LUNG_HU, NODULE_HU = -850.0, 40.0
FIRST, SECOND = (10, 20, 20), (10, 20, 40)  # 20 mm from each other along x
CUBE = np.ones((4, 8, 8), np.bool_)  # 8 mm along every axis: 512 mm³


def study() -> Study:
    hu = np.full(GEOMETRY.shape_zyx, LUNG_HU, np.float32)
    for z, y, x in (FIRST, SECOND):
        hu[z : z + 4, y : y + 8, x : x + 8] = NODULE_HU
    volume = Volume(array_zyx=hu, geometry=GEOMETRY)
    return Study(
        volume=volume, series=SeriesHeader(source_format="dicom", series_instance_uid="1.2.3")
    )


def crops(folder: Path, *readers: int) -> CropSet:
    """Write the two nodules by so many readers each, and a place that readers rejected."""
    stacks = [
        NoduleStack.of_masks([(start, CUBE)] * count, study=study(), margin_mm=30.0)
        for start, count in zip((FIRST, SECOND), readers, strict=True)
    ]
    nowhere = NoduleStack.of_place((30.0, 50.0, 20.0), diameter_mm=0.0, study=study())
    more = {"study": study(), "patient_id": "MADE-UP", "fold": 1}
    write_table(
        folder, write_stacks(folder, stacks=[nowhere], kind="negative", **more), kind="negative"
    )
    write_table(folder, write_stacks(folder, stacks=stacks, **more))
    return CropSet.open(folder)


def test_only_nodules_of_three_readers_are_inserted_elsewhere(tmp_path: Path) -> None:
    (source,) = nodule_sources(crops(tmp_path, 3, 2), folds=(1,))
    # the sphere of 512 mm³
    assert source.lesion.diameter_mm == pytest.approx((6 * 512 / np.pi) ** (1 / 3), rel=1e-6)
    inside = source.distance.stored == 0
    assert inside.sum() == CUBE.size
    assert (source.array_hu[inside] == NODULE_HU).all()


def test_a_crop_knows_the_nodules_that_reach_into_it(tmp_path: Path) -> None:
    first, second = slab_regions(crops(tmp_path, 3, 2), folds=(1,))
    (sure,), (unsure,) = first.lesions, first.ignored
    np.testing.assert_allclose(np.subtract(unsure.center_mm, sure.center_mm), (0.0, 0.0, 20.0))
    # 4 mm of doubt around what too few readers outlined
    assert unsure.diameter_mm == pytest.approx(sure.diameter_mm + 8.0)
    assert first.focus_mm[0] == pytest.approx(sure.center_mm)
    assert second.focus_mm[0] == pytest.approx(second.ignored[0].center_mm)


def test_a_rejected_place_is_lung_with_the_nodules_near_it(tmp_path: Path) -> None:
    (region,) = rejected_regions(crops(tmp_path, 3, 3), folds=(1,))
    assert len(region.lesions) == 2
    assert region.ignored == ()
    assert region.off_annotations(region.focus_mm).all()


def test_held_out_folds_give_nothing(tmp_path: Path) -> None:
    everything = crops(tmp_path, 3, 3)
    assert nodule_sources(everything, folds=(0,)) == ()
    assert slab_regions(everything, folds=()) == ()
    assert rejected_regions(everything, folds=(2,)) == ()
