"""What belongs to a report, and what is somebody else's."""

import pytest

from nodule.result_files import is_result


@pytest.mark.parametrize(
    "path",
    [
        *("report.html", "report.json", "sr.dcm", "seg.dcm", "report.pdf", "comparison.csv"),
        *("saliency", "saliency/N1-malignancy.nii.gz", "saliency/N12-nodule.json"),
        *(".report.json.4711", "saliency/.N1-malignancy.json.4711"),
    ],
)
def test_a_new_report_replaces_its_own_files_and_what_killed_writers_left(path: str) -> None:
    assert is_result(path)


@pytest.mark.parametrize(
    "path",
    [
        *("review.json", "notes.txt", "report.html.bak", "old/report.json", ".report.json.bak"),
        *("saliency/notes.txt", "saliency/report.json", "saliency/N1-malignancy.nii.gz/x"),
    ],
)
def test_it_leaves_what_is_not_its_own(path: str) -> None:
    assert not is_result(path)
