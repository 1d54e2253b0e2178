"""LUNA16's tables."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.lidc import (
    LunaFinding,
    LunaMark,
    read_findings,
    read_series_uids,
    read_submission,
    write_submission,
)
from nodule.lidc._luna16 import LunaCandidate, read_candidates

UID = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"


def test_a_submission_reads_back_to_the_last_bit(tmp_path: Path) -> None:
    mark = LunaMark(series_uid=UID, center_lps_mm=(-128.7, 1 / 3, 1e-9), probability=0.1 + 0.2)
    write_submission(tmp_path / "marks.csv", [mark])
    assert (tmp_path / "marks.csv").read_text().splitlines()[0] == (
        "seriesuid,coordX,coordY,coordZ,probability"
    )
    assert read_submission(tmp_path / "marks.csv") == (mark,)


def test_an_unmeasured_finding_has_no_diameter(tmp_path: Path) -> None:
    path = tmp_path / "excluded.csv"
    path.write_text(f"seriesuid,coordX,coordY,coordZ,diameter_mm\n{UID},1,2,3,-1\n{UID},4,5,6,7\n")
    assert read_findings(path) == (
        LunaFinding(series_uid=UID, center_lps_mm=(1.0, 2.0, 3.0), diameter_mm=None),
        LunaFinding(series_uid=UID, center_lps_mm=(4.0, 5.0, 6.0), diameter_mm=7.0),
    )


def test_reads_candidates_with_their_class(tmp_path: Path) -> None:
    path = tmp_path / "candidates.csv"
    path.write_text(f"seriesuid,coordX,coordY,coordZ,class\n{UID},1,2,3,0\n{UID},1,2,3,1\n")
    expected = [
        LunaCandidate(series_uid=UID, center_lps_mm=(1.0, 2.0, 3.0), is_nodule=is_nodule)
        for is_nodule in (False, True)
    ]
    assert list(read_candidates(path)) == expected


@pytest.mark.parametrize("heading", ["", "seriesuid\n", "seriesuid,fold\n"])
def test_a_list_of_series_may_have_a_heading(tmp_path: Path, heading: str) -> None:
    (tmp_path / "uids.csv").write_text(f"{heading}1.2\n1.3\n\n")
    assert read_series_uids(tmp_path / "uids.csv") == ("1.2", "1.3")


@pytest.mark.parametrize(
    ("read", "text", "code"),
    [
        (read_findings, "seriesuid,coordX,coordY,coordZ\n", "MISSING_COLUMNS"),
        (read_submission, "", "MISSING_COLUMNS"),
        (read_submission, "seriesuid,coordX,coordY,coordZ,probability\n1.2,a,2,3,0.5\n", "BAD_ROW"),
        (read_submission, "seriesuid,coordX,coordY,coordZ,probability\n1.2,1,2,3\n", "BAD_ROW"),
        (
            read_submission,
            "seriesuid,coordX,coordY,coordZ,probability\n1.3E+30,1,2,3,1\n",
            "BAD_ROW",
        ),
        (read_series_uids, "1.3E+30\n", "BAD_ROW"),
        (read_series_uids, "1.2\n1.2\n", "DUPLICATE_SERIES"),
    ],
)
def test_says_what_is_wrong_with_a_table(
    tmp_path: Path, read: Callable[[Path], object], text: str, code: str
) -> None:
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(InputError) as error:
        read(tmp_path / "table.csv")
    assert error.value.code == code


def test_reads_the_real_tables(shared: Path) -> None:
    tables = shared / "data/annotations"
    nodules = read_findings(tables / "luna16_annotations.csv")
    excluded = read_findings(tables / "luna16_annotations_excluded.csv")
    # rows and -1 counted with awk
    assert len(nodules) == 967
    assert all(nodule.diameter_mm for nodule in nodules)
    assert len(excluded) == 28173
    assert sum(finding.diameter_mm is None for finding in excluded) == 24404
    assert len(read_series_uids(tables / "luna16_seriesuids.csv")) == 713
    assert len(read_series_uids(shared / "froc/seriesuids_subset9.csv")) == 88
    assert len(read_submission(shared / "froc/submission_subset9.csv")) == 1499
