import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_fill_holes
from skimage.draw import polygon

from nodule.ct import read_ct
from nodule.lidc import LidcReadings, nodules_on, read_lidc_xml
from nodule.lidc._xml import NoduleReading
from nodule.phantom import Phantom, WrittenStudy
from nodule.phantom.reader_marks import outlines


@pytest.fixture(scope="module")
def readings(written: WrittenStudy) -> LidcReadings:
    return read_lidc_xml(written.annotations)


def _mask(reading: NoduleReading, phantom: Phantom) -> NDArray[np.bool_]:
    """LIDC's rule: the polygon's interior without the outline itself."""
    out = np.zeros(phantom.spec.shape_zyx, bool)
    z0, dz = phantom.spec.geometry.origin_lps_mm[2], phantom.spec.spacing_zyx_mm[0]
    for contour in reading.contours:
        plane = np.zeros(phantom.spec.shape_zyx[1:], bool)
        rows, columns = contour.edge_rc.T
        plane[polygon(rows, columns)] = True
        plane[rows, columns] = False
        out[round((contour.z_mm - z0) / dz)] |= plane
    return out


def test_has_the_namespace_and_four_sessions(written: WrittenStudy) -> None:
    root = ElementTree.parse(written.annotations).getroot()
    assert root.tag == "{http://www.nih.gov}LidcReadMessage"
    assert len(root.findall("{http://www.nih.gov}readingSession")) == 4


def test_names_the_series_and_its_images(readings: LidcReadings, written: WrittenStudy) -> None:
    assert readings.study_instance_uid == written.study_instance_uid
    assert readings.series_instance_uid == written.series_instance_uid


def test_every_reader_marks_large_nodules_and_single_points(readings: LidcReadings) -> None:
    by_reader = [[n for n in readings.nodules if n.reader == r] for r in range(4)]
    assert all(4 <= len(nodules) <= 6 for nodules in by_reader)
    assert len(readings.small_nodules) == 4
    assert len(readings.non_nodules) == 4


def test_outlines_run_outside_what_the_reader_marked(
    readings: LidcReadings, phantom: Phantom
) -> None:
    for reading in readings.nodules:
        number = int(reading.nodule_id.split()[1])
        truth = phantom.nodule_labels_zyx == number
        mask = _mask(reading, phantom)
        overlap = (mask & truth).sum() / (mask | truth).sum()
        assert overlap > 0.5
        widened = mask.sum() + sum(len(c.edge_rc) for c in reading.contours)
        assert truth.sum() < widened


def test_the_consensus_is_the_nodule(
    readings: LidcReadings, phantom: Phantom, written: WrittenStudy
) -> None:
    found = {n.readings[0].nodule_id: n for n in nodules_on(read_ct(written.folder), readings)}
    for number, truth in enumerate(phantom.nodules[:5], start=1):
        nodule = found[f"Nodule {number:03d}"]
        assert nodule.agreement == 4
        assert math.dist(nodule.center_lps_mm, truth.center_lps_mm) < 1.5
        assert nodule.volume_mm3() == pytest.approx(truth.volume_mm3, rel=0.25)


def test_readers_disagree_a_little(readings: LidcReadings, phantom: Phantom) -> None:
    first = [n for n in readings.nodules if n.nodule_id == "Nodule 001"]
    assert len(first) == 4
    sizes = {int(_mask(n, phantom).sum()) for n in first}
    assert len(sizes) > 1
    assert min(sizes) / max(sizes) > 0.7


def test_ratings_keep_to_their_scales_and_follow_the_truth(
    readings: LidcReadings, phantom: Phantom
) -> None:
    for reading in readings.nodules:
        assert len(reading.ratings) == 9
        nodule = phantom.nodules[int(reading.nodule_id.split()[1]) - 1]
        for name, value in reading.ratings.items():
            assert 1 <= value <= (6 if name == "calcification" else 5)
        assert (reading.ratings["calcification"] < 6) == (nodule.texture == "calcified")
        if nodule.texture == "ground-glass":
            assert reading.ratings["texture"] <= 3
        if nodule.texture == "calcified":
            assert reading.ratings["malignancy"] <= 3


@settings(deadline=None, max_examples=60)
@given(arrays(bool, (9, 11)))
def test_an_outline_gives_back_any_mask_without_holes_and_notches(
    drawn: NDArray[np.bool_],
) -> None:
    plane = binary_fill_holes(binary_closing(np.pad(drawn, 3)))
    traced = np.zeros_like(plane)
    for chain in outlines(plane):
        assert chain[0] == chain[-1]
        rows, columns = np.array(chain).T
        assert not plane[rows, columns].any()
        assert max(abs(np.diff(rows)).max(), abs(np.diff(columns)).max()) == 1
        inside = np.zeros_like(plane)
        inside[polygon(rows, columns)] = True
        inside[rows, columns] = False
        traced |= inside
    assert (traced | ~plane).all()
