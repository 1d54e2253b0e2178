"""An annotated scan becomes a region whose lesions lie in its own millimetres."""

from pathlib import Path

import numpy as np

from nodule.geometry import Geometry
from nodule.lidc import WholeScan
from nodule.study import SeriesHeader, Study
from nodule.training import Annotation, Lesion, Region
from nodule.training._annotated_scan import AnnotatedScan, AnnotationKind
from nodule.volume import Volume

GEOMETRY = Geometry(
    shape_zyx=(20, 40, 50), spacing_zyx_mm=(2.5, 1.0, 0.5), origin_lps_mm=(-10.0, 20.0, 100.0)
)
# index (4, 10, 20), by hand: x = -10 + 20 * 0.5, y = 20 + 10, z = 100 + 4 * 2.5
PLACE_LPS_MM = (0.0, 30.0, 110.0)
PLACE_MM = (10.0, 10.0, 10.0)


def marked(kind: AnnotationKind, measured_mm: float | None, readers: int) -> Annotation:
    return Annotation(
        kind=kind, center_lps_mm=PLACE_LPS_MM, measured_mm=measured_mm, readers=readers
    )


def region(*annotations: Annotation) -> Region:
    volume = Volume(array_zyx=np.full(GEOMETRY.shape_zyx, 900.0, np.float32), geometry=GEOMETRY)
    scan = WholeScan(path=Path("SOMEBODY"), patient="SOMEBODY", fold=0)
    study = Study(volume=volume, series=SeriesHeader(source_format="nifti"))
    return Region.of_annotated(
        AnnotatedScan(
            scan=scan,
            study=study,
            annotations=annotations,
            negatives_lps_mm=np.array([PLACE_LPS_MM]),
        )
    )


def test_what_three_readers_outlined_is_a_lesion() -> None:
    made = region(marked("outlined", 7.0, 3))
    assert made.lesions == (Lesion(center_mm=PLACE_MM, diameter_mm=7.0),)
    assert made.ignored == ()
    np.testing.assert_allclose(made.hard_mm, [PLACE_MM])


def test_what_fewer_outlined_is_ignored_with_a_margin() -> None:
    made = region(marked("outlined", 7.0, 2))
    assert made.lesions == ()
    assert made.ignored == (Lesion(center_mm=PLACE_MM, diameter_mm=15.0),)


def test_points_are_ignored_and_what_readers_rejected_is_told_apart() -> None:
    small, rejected = region(marked("small", None, 0), marked("rejected", None, 0)).ignored
    assert small == Lesion(center_mm=PLACE_MM, diameter_mm=10.0)
    assert rejected == Lesion(center_mm=PLACE_MM, diameter_mm=10.0, rejected=True)


def test_an_outline_without_consensus_is_no_lesion_however_many_drew_it() -> None:
    assert region(marked("outlined", None, 4)).lesions == ()


def test_voxels_are_kept_up_to_what_calcium_has() -> None:
    made = region()
    assert made.array_hu.dtype == np.int16
    assert made.array_hu.max() == 900


def test_points_off_annotations() -> None:
    made = region(marked("outlined", 6.0, 4), marked("rejected", None, 0))
    points = np.array([PLACE_MM, (10.0, 14.0, 10.0), (10.0, 16.0, 10.0)])
    assert made.off_annotations(points).tolist() == [False, False, True]
    assert made.off_annotations(points, rejected=False).tolist() == [False, True, True]
    assert not made.off_annotations(points, rejected=False, margin_mm=4.0).any()
    assert not made.off_annotations(points, rejected=False, least_mm=6.5).any()
