"""A real scan becomes a training region with its readers' nodules where they drew them."""

from pathlib import Path

import numpy as np
import pytest

from nodule.lidc.luna16 import findings_by_series
from nodule.lidc.whole_scans import WholeScan, find_scans
from nodule.training.scan_store import read_region


@pytest.mark.slow
def test_readings_and_luna16s_table_give_one_nodule_in_one_place(shared: Path) -> None:
    (scan,) = find_scans(shared / "data/ct/LIDC-IDRI-0001")
    by_readers = read_region(scan)
    table = shared / "data/annotations/luna16_annotations.csv"
    uid = "1.3.6.1.4.1.14519.5.2.1.6279.6001.179049373636438705059720603192"
    assert len(findings_by_series(table)[uid]) == 1
    as_luna16 = WholeScan(path=scan.path, patient=uid, fold=0, readings=table)
    by_table = read_region(as_luna16)
    (drawn,), (listed,) = by_readers.lesions, by_table.lesions
    # LUNA16 took the mean of the readers' centres, ours is the consensus' centroid
    assert np.linalg.norm(np.subtract(drawn.center_mm, listed.center_mm)) < 2.0
    assert by_readers.ignored  # marks by fewer readers
    assert by_table.ignored == ()
    assert by_readers.array_hu.dtype == np.int16
    assert len(by_readers.focus_mm) > 1000
