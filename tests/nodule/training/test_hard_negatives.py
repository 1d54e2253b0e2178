"""A table of a detector's detections reads back, and refuses what is none."""

from pathlib import Path

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.training import ScanDetection, read_detections, write_detections


def test_places_read_back_by_patient_in_their_order(tmp_path: Path) -> None:
    table = tmp_path / "detections.csv"
    write_detections(
        table,
        [
            ScanDetection(patient_id="B", center_lps_mm=(1.0, -2.5, 3.125), score=0.9),
            ScanDetection(patient_id="A", center_lps_mm=(0.0, 0.0, 0.0), score=0.8),
            ScanDetection(patient_id="B", center_lps_mm=(4.0, 5.0, 6.0), score=0.1),
        ],
    )
    found = read_detections(table)
    assert sorted(found) == ["A", "B"]
    np.testing.assert_array_equal(found["B"], [(1.0, -2.5, 3.125), (4.0, 5.0, 6.0)])


def test_refuses_another_table(tmp_path: Path) -> None:
    table = tmp_path / "other.csv"
    table.write_text("seriesuid,coordX,coordY,coordZ,probability\n")
    with pytest.raises(InputError, match="MISSING_COLUMNS"):
        read_detections(table)


@pytest.mark.parametrize("position", ["1,2,", "1,2,up", "1,nan,2"])
def test_refuses_a_mark_that_is_nowhere(tmp_path: Path, position: str) -> None:
    table = tmp_path / "detections.csv"
    table.write_text(f"patient_id,x_lps,y_lps,z_lps,score\nA,{position},0.5\n")
    with pytest.raises(InputError, match=r"BAD_ROW.*line 2"):
        read_detections(table)
