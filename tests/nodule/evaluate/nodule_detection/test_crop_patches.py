"""Crops lie unchanged in the lung of a scan, where it fits them best."""

from dataclasses import replace

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.evaluate.nodule_detection._crop_patches import PATCH_MM, HostScan, insert_crop
from nodule.geometry import Geometry
from nodule.training import NoduleRecord, PackedCrop
from nodule.volume import LungMask, Volume


def host(*, depth: int = 80, tissue_hu: float = -850.0) -> HostScan:
    """Lung on the left half of a scan, and soft tissue on the right."""
    geometry = Geometry(shape_zyx=(depth, 90, 160), spacing_zyx_mm=(1.0, 1.0, 1.0))
    hu = np.full(geometry.shape_zyx, tissue_hu, np.float32)
    hu[:, :, 80:] = 0.0
    labels = np.ones(geometry.shape_zyx, np.uint8)
    return HostScan.of(
        Volume(array_zyx=hu, geometry=geometry), LungMask(labels_zyx=labels, geometry=geometry)
    )


def crop(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> PackedCrop:
    record = NoduleRecord(
        kind="stack", file="P1.npz", key="n0", patient_id="P1", fold=0, center_lps_mm=None,
        spacing_zyx_mm=spacing, origin_lps_mm=None, diameter_mm=8.0, n_readers=3,
        readers=(0, 1, 2), ratings={}, voi_file=None,
    )  # fmt: skip
    bits = np.zeros(shape, np.uint8)
    bits[:, 15:25, 15:25] = 7
    return PackedCrop(
        record=record,
        stored=np.where(bits > 0, 40, -850).astype(np.int16),
        reader_bits=bits,
        exact_slices=np.ones(shape[0], np.bool_),
        geometry=Geometry(shape_zyx=shape, spacing_zyx_mm=spacing),
    )


def test_a_single_slice_shows_its_thickness_and_the_scan_beyond() -> None:
    patch, center = insert_crop(
        crop((1, 40, 40), (6.0, 1.0, 1.0)), host(), rng=np.random.default_rng(0)
    )
    assert patch.shape == (PATCH_MM,) * 3
    assert np.abs(center - 31.5).max() <= 2.0
    z, y, x = np.rint(center).astype(int)
    # 6 mm of slice about the centre, then 2 mm of seam, then lung
    assert patch[z - 1 : z + 2, y, x] == pytest.approx(40.0)
    assert patch[z + 6, y, x] == pytest.approx(-850.0)
    assert patch[z - 6, y, x] == pytest.approx(-850.0)


def test_a_nodule_without_masks_lies_where_its_list_says() -> None:
    masked = crop((24, 40, 40), (2.0, 1.0, 1.0))
    stored = np.full((24, 40, 40), -850, np.int16)
    stored[3:6, 9:12, 27:30] = 40  # off the middle, as where a scan ends near a nodule
    place = masked.geometry.index_to_lps((4, 10, 28)).tolist()
    record = replace(masked.record, n_readers=0, readers=(), center_lps_mm=tuple(place))
    listed = replace(masked, record=record, stored=stored, reader_bits=np.zeros_like(stored, "u1"))
    patch, center = insert_crop(listed, host(), rng=np.random.default_rng(0))
    assert patch[tuple(np.rint(center).astype(int))] == pytest.approx(40.0)
    assert np.argwhere(patch > 0).mean(axis=0) == pytest.approx(center, abs=0.6)


def test_the_place_whose_tissue_fits_is_chosen() -> None:
    patch, _ = insert_crop(crop((4, 40, 40), (2.0, 1.0, 1.0)), host(), rng=np.random.default_rng(1))
    # an aerated crop is inserted into lung: places amid the tissue were there to be drawn
    assert float((patch < -800).mean()) > 0.85


def test_the_same_seed_lays_alike() -> None:
    one, two = (
        insert_crop(crop((4, 40, 40), (2.0, 1.0, 1.0)), host(), rng=np.random.default_rng(3))[0]
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)


def test_a_scan_thinner_than_a_patch_lends_nothing() -> None:
    with pytest.raises(InputError, match="NO_ROOM"):
        host(depth=40)
