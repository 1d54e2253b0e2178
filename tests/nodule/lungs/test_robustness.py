"""The shipped lung stage on a real, unseen chest that was made difficult.

The answer on the scan as it is, which other tests hold against reviewed labels, is the reference.
Disease is simulated by density alone: it pushes nothing aside and has no air bronchograms.
"""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from nodule.chain import Chain
from nodule.ct import read_ct
from nodule.errors import StageError
from nodule.geometry import Geometry, as_matrix, as_vector
from nodule.lungs import SegmentLungs
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume

pytestmark = pytest.mark.slow

Mask = NDArray[np.bool_]
Hu = NDArray[np.float32]


class Chest:
    """LIDC-IDRI-0001, which no shipped weights have seen, and its lungs."""

    def __init__(self, shared: Path) -> None:
        seen = Chain().on(read_ct(shared / "data/ct/LIDC-IDRI-0001"))
        self.volume, self.labels = seen.volume, seen.lungs.labels_zyx

    @property
    def hu(self) -> Hu:
        return self.volume.array_zyx.copy()

    def box(self) -> tuple[slice, slice, slice]:
        ((z, y, x),) = ndimage.find_objects((self.labels > 0).astype(np.uint8))
        return z, y, x


@pytest.fixture(scope="module")
def chest(shared: Path) -> Chest:
    return Chest(shared)


def segment(hu: Hu) -> NDArray[np.uint8]:
    grid = Geometry(shape_zyx=hu.shape, spacing_zyx_mm=(1.0, 1.0, 1.0))
    return (
        SegmentLungs()
        .run(volume=Volume(array_zyx=np.ascontiguousarray(hu), geometry=grid))
        .labels_zyx
    )


def dice(ours: Mask, theirs: Mask) -> float:
    return float(2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()))


def filled(hu: Hu, where: Mask) -> Hu:
    """Fill with soft tissue of 20 HU and noise."""
    noise = np.random.default_rng(0).normal(20.0, 15.0, int(where.sum()))
    hu[where] = noise
    return hu


def test_air_within_the_couch_is_no_lung(chest: Chest) -> None:
    hu, (_, y, _) = chest.hu, chest.box()
    top = y.stop + 40  # below the back: a shell of 3 mm, 60 mm of air, a shell
    hu[:, top:] = -1000.0
    hu[:, top : top + 3] = hu[:, top + 60 : top + 63] = -200.0
    found = segment(hu)
    assert not found[:, top:].any()
    assert dice(found > 0, chest.labels > 0) > 0.99


def test_a_prone_patients_lungs_keep_their_sides(shared: Path, chest: Chest) -> None:
    source = read_ct(shared / "data/ct/LIDC-IDRI-0001").volume
    geometry = source.geometry
    last = [0, geometry.shape_zyx[1] - 1, geometry.shape_zyx[2] - 1]
    prone = Volume(
        array_zyx=np.ascontiguousarray(source.array_zyx[:, ::-1, ::-1]),
        geometry=Geometry(
            shape_zyx=geometry.shape_zyx,
            spacing_zyx_mm=geometry.spacing_zyx_mm,
            origin_lps_mm=as_vector(geometry.index_to_lps(last)),
            direction=as_matrix(np.asarray(geometry.direction) @ np.diag([1.0, -1.0, -1.0])),
        ),
    )
    found = Chain().on(Study(volume=prone, series=SeriesHeader(source_format="nifti"))).lungs
    assert found.geometry.is_close(chest.volume.geometry)
    for side in (LungMask.RIGHT, LungMask.LEFT):
        assert dice(found.labels_zyx == side, chest.labels == side) > 0.99


@pytest.mark.parametrize("side", [LungMask.RIGHT, LungMask.LEFT])
def test_the_lung_beside_an_airless_one_is_found_whole(chest: Chest, side: int) -> None:
    airless = ndimage.binary_dilation(chest.labels == side)
    found = segment(filled(chest.hu, airless))
    other = LungMask.RIGHT + LungMask.LEFT - side
    assert dice(found == other, chest.labels == other) > 0.95


def test_patches_of_consolidation_stay_inside(chest: Chest) -> None:
    shape = chest.labels.shape
    coarse = [-(-n // 8) for n in shape]
    field = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=coarse), 1.0)
    blocks = np.kron(field, np.ones((8, 8, 8)))[: shape[0], : shape[1], : shape[2]]
    patches = (chest.labels > 0) & (blocks > 0.6 * field.std())  # 27 % of the lungs
    found = segment(filled(chest.hu, patches))
    assert dice(found > 0, chest.labels > 0) > 0.88


def test_what_air_is_left_above_an_effusion_stays_inside(chest: Chest) -> None:
    right = chest.labels == LungMask.RIGHT
    back = right.shape[1] - 1 - np.argmax(right[:, ::-1], axis=1)[:, None]
    fluid = right & (np.arange(right.shape[1])[:, None] > back - 40)  # 4 cm, the patient supine
    found = segment(filled(chest.hu, fluid))
    aerated = (chest.labels > 0) & ~fluid
    assert (found[aerated] > 0).mean() > 0.95


def test_half_a_lung_of_soft_tissue_costs_that_half_alone(chest: Chest) -> None:
    # what is solid from the hilum down is given up for the most part: the card says so
    z, _, _ = chest.box()
    right = chest.labels == LungMask.RIGHT
    lower = right.copy()
    lower[(z.start + z.stop) // 2 :] = False
    found = segment(filled(chest.hu, lower))
    aerated = (chest.labels > 0) & ~lower
    assert (found[aerated] > 0).mean() > 0.95
    assert dice(found == LungMask.LEFT, chest.labels == LungMask.LEFT) > 0.97


def test_ground_glass_all_over_is_still_lung(chest: Chest) -> None:
    hu = chest.hu
    lung = chest.labels > 0
    hu[lung] = 0.5 * hu[lung] - 200.0
    assert dice(segment(hu) > 0, lung) > 0.96


@pytest.mark.parametrize("part", ["upper half", "lower half", "20 cm wide"])
def test_a_part_of_the_chest_gives_its_part_of_the_lungs(chest: Chest, part: str) -> None:
    z, y, x = chest.box()
    middle_z, middle_y, middle_x = ((s.start + s.stop) // 2 for s in (z, y, x))
    cut = {
        "upper half": (slice(middle_z, None), slice(None), slice(None)),
        "lower half": (slice(None, middle_z), slice(None), slice(None)),
        "20 cm wide": (
            slice(None),
            slice(middle_y - 100, middle_y + 100),
            slice(middle_x - 100, middle_x + 100),
        ),
    }[part]
    found = segment(chest.volume.array_zyx[cut])
    for side in (LungMask.RIGHT, LungMask.LEFT):
        assert dice(found == side, chest.labels[cut] == side) > 0.95


def test_the_abdomen_alone_holds_no_lungs(chest: Chest) -> None:
    z, _, _ = chest.box()
    assert z.start > 30
    with pytest.raises(StageError, match=r"NO_LUNGS|NOT_A_CHEST"):
        segment(chest.volume.array_zyx[: z.start - 3])
