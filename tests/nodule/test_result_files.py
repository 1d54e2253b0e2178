from pathlib import Path

from nodule.result_files import remove_stale


def test_removes_what_an_earlier_report_brought_and_nothing_else(tmp_path: Path) -> None:
    names = ("comparison.csv", "report.pdf", "seg.dcm", "sr.dcm", "report.json", "notes.txt")
    for name in names:
        (tmp_path / name).touch()
    remove_stale(tmp_path, written=(tmp_path / "sr.dcm", tmp_path / "report.json"))
    assert {path.name for path in tmp_path.iterdir()} == {"sr.dcm", "report.json", "notes.txt"}
    remove_stale(tmp_path, written=())
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", "notes.txt"}


def test_removes_saliency_maps_of_an_earlier_report(tmp_path: Path) -> None:
    maps = tmp_path / "saliency"
    maps.mkdir()
    for name in ("N1-malignancy.nii.gz", "N2-malignancy.nii.gz", "N2-nodule.json", "notes.json"):
        (maps / name).touch()
    remove_stale(tmp_path, written=(maps / "N1-malignancy.nii.gz",))
    assert {path.name for path in maps.iterdir()} == {"N1-malignancy.nii.gz", "notes.json"}
    (maps / "notes.json").unlink()
    remove_stale(tmp_path, written=())
    assert not maps.exists()
