"""Crop sets written from studies read back as what they were."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nodule.errors import GeometryError
from nodule.geometry import Geometry
from nodule.lidc import CHARACTERISTICS, LidcNodule, fold_of
from nodule.lidc._xml import NoduleReading
from nodule.study import SeriesHeader, Study
from nodule.training import CropSet, NoduleCrop, NoduleStack, write_table
from nodule.training._crop_set_writing import write_stacks
from nodule.volume import Volume

PRONE = ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0))
SUPINE = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
SPACING = (2.0, 0.5, 0.5)


def study_of(direction: tuple[tuple[float, float, float], ...]) -> Study:
    a, b, c = direction
    geometry = Geometry(
        shape_zyx=(10, 40, 50),
        spacing_zyx_mm=SPACING,
        origin_lps_mm=(12.0, -7.0, -90.0),
        direction=(a, b, c),
    )
    z, y, x = np.indices(geometry.shape_zyx)
    hu = (1000 * (z - 5) + 10 * y + x).astype(np.float32)
    return Study(
        volume=Volume(array_zyx=hu, geometry=geometry),
        series=SeriesHeader(source_format="dicom", series_instance_uid="1.2.3"),
    )


def reading(reader: int, malignancy: int | None) -> NoduleReading:
    ratings = dict.fromkeys(CHARACTERISTICS, 1) | {"malignancy": malignancy} if malignancy else {}
    return NoduleReading(reader=reader, nodule_id=f"r{reader}", ratings=ratings, contours=())


def nodule_in(study: Study) -> LidcNodule:
    """Two readers rated it, a third left an outline only."""
    start = (4, 20, 30)
    masks = np.zeros((3, 2, 3, 4), bool)
    masks[0, :, 1, 1:3] = masks[1, :, 1, 1:3] = True
    masks[2, 0, 1, 1] = True
    geometry = study.volume.geometry
    x, y, z = geometry.index_to_lps(start).tolist()
    return LidcNodule(
        readings=(reading(0, 4), reading(1, None), reading(2, 2)),
        start_zyx=start,
        reader_masks=masks,
        geometry=replace(geometry, shape_zyx=(2, 3, 4), origin_lps_mm=(x, y, z)),
    )


def written(folder: Path, study: Study, stack: NoduleStack) -> NoduleCrop:
    rows = write_stacks(folder, study=study, patient_id="P1", stacks=[stack])
    write_table(folder, rows)
    crops = CropSet.open(folder)
    [record] = crops.records
    return crops.load(record)


@pytest.mark.parametrize("direction", [SUPINE, PRONE])
def test_hu_masks_ratings_and_place_survive(
    tmp_path: Path, direction: tuple[tuple[float, float, float], ...]
) -> None:
    study = study_of(direction)
    nodule = nodule_in(study)
    crop = written(tmp_path, study, NoduleStack.of_lidc(nodule, study=study, margin_mm=3.0))
    # 2 slices and 6 pixels of margin on each side
    assert crop.volume.geometry.shape_zyx == (6, 15, 16)
    assert np.array_equal(crop.volume.array_zyx, study.volume.array_zyx[2:8, 14:29, 24:40])
    center = crop.volume.geometry.index_to_lps(np.argwhere(crop.consensus()).mean(axis=0))
    np.testing.assert_allclose(center, nodule.center_lps_mm)
    np.testing.assert_allclose(crop.record.center_lps_mm or (), nodule.center_lps_mm)
    assert crop.record.malignancy == (4, 2)
    assert crop.record.readers == (0, 2)
    assert crop.record.n_readers == 3
    # rated readers first, the reader without ratings last
    assert [int(mask.sum()) for mask in crop.reader_masks] == [4, 1, 4]
    assert crop.record.diameter_mm == pytest.approx((6 * 4 * 0.5 / np.pi) ** (1 / 3))
    assert crop.record.fold == fold_of("P1")
    assert crop.exact_slices.all()


def test_a_crop_ends_where_the_study_ends(tmp_path: Path) -> None:
    study = study_of(SUPINE)
    stack = NoduleStack.of_lidc(nodule_in(study), study=study, margin_mm=1000.0)
    assert written(tmp_path, study, stack).volume.geometry.is_close(study.volume.geometry)


def test_what_is_known_by_its_place_alone_has_a_place_and_a_size_but_no_mask(
    tmp_path: Path,
) -> None:
    study = study_of(PRONE)
    x, y, z = study.volume.geometry.index_to_lps((5, 20, 30)).tolist()
    stack = NoduleStack.of_place((x, y, z), diameter_mm=4.0, study=study, margin_mm=2.0)
    crop = written(tmp_path, study, stack)
    assert crop.volume.geometry.shape_zyx == (5, 17, 17)  # +-1 and 1 slices, +-4 and 4 pixels
    np.testing.assert_allclose(crop.record.center_lps_mm or (), (x, y, z))
    assert crop.record.diameter_mm == 4.0
    assert crop.record.n_readers == 0
    assert crop.record.malignancy == ()
    assert crop.reader_masks.shape == (0, 5, 17, 17)
    assert not crop.consensus().any()


def test_refuses_a_tilted_grid(tmp_path: Path) -> None:
    tilted = study_of(((0.0, 0.0, 1.0), (-0.6, 0.8, 0.0), (0.8, 0.6, 0.0)))
    with pytest.raises(GeometryError) as tilt:
        write_stacks(tmp_path, study=tilted, patient_id="P1", stacks=[])
    assert tilt.value.code == "NOT_AXIAL"


def test_folds_are_those_of_the_shared_set(shared: Path) -> None:
    records = CropSet.open(shared / "data/nodules").records
    assert all(record.fold == fold_of(record.patient_id) for record in records)
