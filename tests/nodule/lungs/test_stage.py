import csv
import logging
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nodule.chain import Chain
from nodule.ct import read_ct
from nodule.errors import InputError, NoduleError, StageError, WeightsError
from nodule.evaluate._overlap import LUNG_TOLERANCE_MM, compare_masks
from nodule.geometry import Geometry, as_matrix, as_vector
from nodule.lungs import SegmentLungs
from nodule.lungs.network import build_network
from nodule.lungs.training import label_lungs
from nodule.phantom import Phantom
from nodule.resample import resample_mask
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume
from nodule.weights import Weights, save_state

logger = logging.getLogger(__name__)

SIDES = (LungMask.RIGHT, LungMask.LEFT)


def _dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def _segment(volume: Volume) -> LungMask:
    return Chain().on(Study(volume=volume, series=SeriesHeader(source_format="nifti"))).lungs


@pytest.fixture(scope="module")
def found(phantom: Phantom) -> LungMask:
    return _segment(phantom.volume)


def _cut(volume: Volume, box: tuple[slice, slice, slice]) -> Volume:
    array = np.ascontiguousarray(volume.array_zyx[box])
    origin = volume.geometry.index_to_lps([s.start or 0 for s in box])
    return Volume(
        array_zyx=array,
        geometry=Geometry(
            shape_zyx=array.shape,
            spacing_zyx_mm=volume.geometry.spacing_zyx_mm,
            origin_lps_mm=as_vector(origin),
        ),
    )


def test_finds_the_phantoms_lungs_each_on_its_side(phantom, found):
    truth = resample_mask(phantom.lungs, geometry=found.geometry).labels_zyx
    for side in SIDES:
        assert _dice(found.labels_zyx == side, truth == side) > 0.93


def test_keeps_the_phantoms_nodules_inside(phantom, found):
    for nodule in phantom.nodules:
        z, y, x = np.rint(found.geometry.lps_to_index(nodule.center_lps_mm)).astype(int)
        assert found.labels_zyx[z, y, x] == (1 if nodule.lung == "right" else 2)


def test_a_scan_stored_prone_gives_the_same_lungs(phantom, found):
    g = phantom.volume.geometry
    corner = g.index_to_lps([0, g.shape_zyx[1] - 1, g.shape_zyx[2] - 1])
    stored = Volume(
        array_zyx=np.ascontiguousarray(phantom.volume.array_zyx[:, ::-1, ::-1]),
        geometry=Geometry(
            shape_zyx=g.shape_zyx,
            spacing_zyx_mm=g.spacing_zyx_mm,
            origin_lps_mm=as_vector(corner),
            direction=as_matrix(np.asarray(g.direction) @ np.diag([1.0, -1.0, -1.0])),
        ),
    )
    mask = _segment(stored)
    assert mask.geometry.is_close(found.geometry)
    assert (mask.labels_zyx != found.labels_zyx).mean() < 1e-4


def test_half_a_lung_field_is_enough(phantom, found):
    upper = _segment(_cut(phantom.volume, (slice(60, None), slice(None), slice(None))))
    truth = resample_mask(phantom.lungs, geometry=upper.geometry).labels_zyx
    for side in SIDES:
        assert _dice(upper.labels_zyx == side, truth == side) > 0.88


def test_a_view_of_one_side_keeps_its_side(phantom):
    width = phantom.volume.geometry.shape_zyx[2]
    left = _segment(_cut(phantom.volume, (slice(None), slice(None), slice(width // 2, None))))
    truth = resample_mask(phantom.lungs, geometry=left.geometry).labels_zyx
    assert _dice(left.labels_zyx == LungMask.LEFT, truth == LungMask.LEFT) > 0.9


def test_one_aerated_lung_keeps_its_side(phantom):
    airless = phantom.lungs.labels_zyx == LungMask.RIGHT
    hu = np.where(airless, np.float32(40.0), phantom.volume.array_zyx)
    mask = _segment(Volume(array_zyx=hu, geometry=phantom.volume.geometry))
    truth = resample_mask(phantom.lungs, geometry=mask.geometry).labels_zyx
    assert _dice(mask.labels_zyx == LungMask.LEFT, truth == LungMask.LEFT) > 0.93


def _on_a_table(volume: Volume) -> Volume:
    """Lay the patient on foam of 45 mm between two shells, 4 mm below the back."""
    hu = np.pad(volume.array_zyx, ((0, 0), (0, 80), (0, 0)), constant_values=-1000.0)
    back = int(np.flatnonzero((hu > -500).any((0, 2)))[-1])
    spacing_mm = volume.geometry.spacing_zyx_mm[1]
    top, shell, foam = back + round(4 / spacing_mm), round(4 / spacing_mm), round(45 / spacing_mm)
    noise = np.random.default_rng(0).normal(-890.0, 15.0, (hu.shape[0], foam, hu.shape[2]))
    hu[:, top : top + 2 * shell + foam] = 0.0
    hu[:, top + shell : top + shell + foam] = noise
    geometry = Geometry(
        shape_zyx=hu.shape,
        spacing_zyx_mm=volume.geometry.spacing_zyx_mm,
        origin_lps_mm=volume.geometry.origin_lps_mm,
    )
    return Volume(array_zyx=np.ascontiguousarray(hu), geometry=geometry)


def test_the_foam_of_a_table_is_no_lung(phantom, found):
    lain = _segment(_on_a_table(phantom.volume)).labels_zyx
    rows = found.labels_zyx.shape[1]
    assert not lain[:, rows:].any()
    assert _dice(lain[:, :rows] > 0, found.labels_zyx > 0) > 0.97


def test_a_table_without_a_patient_is_no_chest(phantom):
    table = _on_a_table(phantom.volume)
    rows = int(np.flatnonzero((phantom.volume.array_zyx > -500).any((0, 2)))[-1]) + 1
    hu = table.array_zyx.copy()
    hu[:, :rows] = -1000.0
    with pytest.raises(StageError, match=r"NO_LUNGS|NOT_A_CHEST"):
        _segment(Volume(array_zyx=hu, geometry=table.geometry))


def test_gas_in_soft_tissue_is_no_lung(phantom):
    hu = np.where(phantom.lungs.labels_zyx > 0, np.float32(40.0), phantom.volume.array_zyx)
    spacing_mm = np.array(phantom.volume.geometry.spacing_zyx_mm)
    places_mm = np.moveaxis(np.indices(hu.shape), 0, -1) * spacing_mm
    for center in ((0.3, 0.4, 0.35), (0.4, 0.45, 0.65), (0.6, 0.4, 0.4), (0.7, 0.5, 0.6)):
        loop_mm = np.array(center) * hu.shape * spacing_mm
        hu[np.linalg.norm(places_mm - loop_mm, axis=-1) < 25.0] = -990.0  # 65 ml
    with pytest.raises(StageError, match=r"NO_LUNGS|NOT_A_CHEST"):
        _segment(Volume(array_zyx=hu, geometry=phantom.volume.geometry))


def test_a_childs_lungs_are_lungs(phantom):
    g = phantom.volume.geometry
    small = Geometry(
        shape_zyx=g.shape_zyx,
        spacing_zyx_mm=tuple(0.6 * mm for mm in g.spacing_zyx_mm),
        origin_lps_mm=tuple(0.6 * mm for mm in g.origin_lps_mm),
    )
    child = _segment(Volume(array_zyx=phantom.volume.array_zyx, geometry=small))
    expected_ml = 0.6**3 * sum(phantom.lungs.volume_ml)
    assert sum(child.volume_ml) == pytest.approx(expected_ml, rel=0.1)


@pytest.mark.parametrize("hu", [-1000.0, 0.0])
def test_air_and_water_hold_no_lungs(hu):
    grid = Geometry(shape_zyx=(90, 90, 90), spacing_zyx_mm=(1.0, 1.0, 1.0))
    empty = Volume(array_zyx=np.full(grid.shape_zyx, hu, np.float32), geometry=grid)
    with pytest.raises(StageError, match="NO_LUNGS"):
        SegmentLungs().run(volume=empty)


@pytest.mark.parametrize(
    ("stated", "code"),
    [(None, "NO_LUNGS"), ("CHEST", "NO_LUNGS"), ("HEAD", "NOT_A_CHEST.*a header that states HEAD")],
)
def test_a_water_phantom_holds_no_lungs(stated, code):
    grid = Geometry(shape_zyx=(90, 200, 200), spacing_zyx_mm=(1.0, 1.0, 1.0))
    _, y, x = np.indices(grid.shape_zyx)
    cylinder = np.where((y - 100) ** 2 + (x - 100) ** 2 < 80**2, 0.0, -1000.0).astype(np.float32)
    series = SeriesHeader(source_format="dicom", body_part=stated)
    with pytest.raises(StageError, match=code):
        SegmentLungs().run(volume=Volume(array_zyx=cylinder, geometry=grid), series=series)


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry(shape_zyx=(9, 9, 9), spacing_zyx_mm=(2.5, 1.0, 1.0)),
        Geometry(
            shape_zyx=(9, 9, 9),
            spacing_zyx_mm=(1.0, 1.0, 1.0),
            direction=((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0)),
        ),
    ],
)
def test_refuses_a_grid_that_is_not_canonical(geometry):
    volume = Volume(array_zyx=np.zeros((9, 9, 9), np.float32), geometry=geometry)
    with pytest.raises(InputError, match="NOT_CANONICAL"):
        SegmentLungs().run(volume=volume)


def test_refuses_the_weights_of_another_stage(tmp_path):
    network = build_network(channels=(4, 8), residual_units=1)
    save_state(
        tmp_path / "w.safetensors",
        network.state_dict(),
        stage="candidates",
        architecture={"channels": [4, 8], "residual_units": 1},
        training_patients=(),
    )
    grid = Geometry(shape_zyx=(9, 9, 9), spacing_zyx_mm=(1.0, 1.0, 1.0))
    stage = SegmentLungs(weights=Weights.open(tmp_path / "w.safetensors"))
    with pytest.raises(WeightsError, match="WRONG_STAGE"):
        stage.run(volume=Volume(array_zyx=np.zeros((9, 9, 9), np.float32), geometry=grid))


def test_shipped_weights_name_their_patients_and_not_the_test_patient():
    weights = Weights.shipped("lungs")
    assert "LIDC-IDRI-0002" in weights.training_patients
    assert "LIDC-IDRI-0001" not in weights.training_patients
    assert weights.path.stat().st_size < 5_000_000
    card = weights.path.with_suffix(".md").read_text()
    assert weights.sha256 in card


def _nodules(shared: Path, patient: str) -> list[tuple[float, float, float]]:
    with (shared / "data/annotations/luna16_annotations.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["patient_id"] == patient]
    return [(float(r["coordX"]), float(r["coordY"]), float(r["coordZ"])) for r in rows]


@pytest.mark.slow
def test_an_unseen_patients_lungs_agree_with_the_reviewed_labels(shared):
    seen = Chain().on(read_ct(shared / "data/ct/LIDC-IDRI-0001"))
    volume, found = seen.volume, seen.lungs.labels_zyx
    reference = label_lungs(volume).labels_zyx
    parts = {
        "right": (found == LungMask.RIGHT, reference == LungMask.RIGHT),
        "left": (found == LungMask.LEFT, reference == LungMask.LEFT),
        "both": (found > 0, reference > 0),
    }
    for name, (ours, theirs) in parts.items():
        overlap = compare_masks(
            ours, theirs, spacing_zyx_mm=(1.0, 1.0, 1.0), tolerance_mm=LUNG_TOLERANCE_MM
        )
        logger.info("%s: %s", name, overlap)  # the model card's figures
        assert overlap.dice > 0.96
    nodules = _nodules(shared, "LIDC-IDRI-0001")
    assert nodules
    for center_lps_mm in nodules:
        z, y, x = np.rint(volume.geometry.lps_to_index(center_lps_mm)).astype(int)
        assert found[z, y, x] == LungMask.LEFT


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "tilt", "code"),
    [
        ((9, 9, 9), 1.0009, 0.0, "NO_LUNGS"),
        ((9, 9, 9), 1.0011, 0.0, "NOT_CANONICAL"),
        ((9, 9, 9), 1.0, 0.0009, "NO_LUNGS"),
        ((9, 9, 9), 1.0, 0.0011, "NOT_CANONICAL"),
        ((3, 9, 9), 1.0, 0.0, "NO_LUNGS"),
        ((2, 9, 9), 1.0, 0.0, "NOT_CANONICAL"),
    ],
)
def test_the_grid_is_canonical_to_a_thousandth_and_three_voxels_deep(shape, spacing_mm, tilt, code):
    c, s = np.cos(tilt), np.sin(tilt)
    geometry = Geometry(
        shape_zyx=shape,
        spacing_zyx_mm=(spacing_mm, 1.0, 1.0),
        direction=((0.0, 0.0, 1.0), (-s, c, 0.0), (c, s, 0.0)),
    )
    volume = Volume(array_zyx=np.full(shape, -1000.0, np.float32), geometry=geometry)
    with pytest.raises(NoduleError, match=code):
        SegmentLungs().run(volume=volume)


@pytest.mark.slow
@pytest.mark.parametrize("patient", ["LCTSC-Test-S1-101", "LCTSC-Test-S1-203"])
def test_lungs_agree_with_clinicians_outlines_and_a_table_is_none(shared, patient):
    folder = shared / "data/scans/lungs-lctsc"
    seen = Chain().on(read_ct(folder / f"{patient}-image.nii.gz"))
    drawn = sitk.ReadImage(str(folder / f"{patient}-lungs.nii.gz"))
    grid = seen.volume.geometry
    like = sitk.Image([int(n) for n in grid.shape_zyx[::-1]], sitk.sitkUInt8)
    like.SetOrigin(grid.origin_lps_mm)
    truth = sitk.GetArrayFromImage(
        sitk.Resample(drawn, like, sitk.Transform(), sitk.sitkNearestNeighbor)
    )
    assert _dice(seen.lungs.labels_zyx > 0, truth > 0) > 0.96


@pytest.mark.slow
def test_gas_in_the_colon_under_the_dome_is_no_lung(shared):
    seen = Chain().on(read_ct(shared / "data/scans/CTMD-normal002"))
    for center_lps_mm in ((103.5, -185.5, -224.2), (102.5, -192.5, -241.2)):  # by eye
        z, y, x = np.rint(seen.volume.geometry.lps_to_index(center_lps_mm)).astype(int)
        assert seen.volume.array_zyx[z, y, x] < -950
        assert seen.lungs.labels_zyx[z, y, x] == 0


@pytest.mark.slow
def test_a_skull_is_no_chest(shared):
    with pytest.raises(StageError, match="NOT_A_CHEST"):
        _ = Chain().on(read_ct(shared / "data/scans/head-phantom")).lungs
