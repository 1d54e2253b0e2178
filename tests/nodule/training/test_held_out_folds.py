"""A held-out fold is one that there is, in the crop set or among the scans."""

from pathlib import Path

import pytest

from nodule.errors import ConfigError
from nodule.training import HELD_OUT_PATIENTS, CropSet, NoduleRecord, scans_of_other_folds


@pytest.fixture
def luna16(tmp_path: Path) -> Path:
    """Lay subsets 6 and 7 with a scan each."""
    for subset in (6, 7):
        (tmp_path / f"subset{subset}").mkdir()
        (tmp_path / f"subset{subset}" / f"1.2.{subset}.mhd").touch()
    (tmp_path / "annotations.csv").touch()
    return tmp_path


def crops(*, patient: str, fold: int, series_uid: str = "") -> CropSet:
    record = NoduleRecord(
        kind="stack", file="none.npz", patient_id=patient, fold=fold, center_lps_mm=None,
        spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=None, diameter_mm=8.0, n_readers=1,
        readers=(0,), ratings={}, voi_file=None, series_uid=series_uid,
    )  # fmt: skip
    return CropSet(folder=Path("none"), records=(record,))


def test_a_subset_without_nodules_is_held_out_all_the_same(luna16: Path) -> None:
    left = scans_of_other_folds([luna16], crops=crops(patient="1.2.6", fold=6), held_out_folds=(7,))
    assert [scan.patient for scan in left] == ["1.2.6"]


def test_scans_of_held_out_patients_are_left_out(luna16: Path) -> None:
    left = scans_of_other_folds([luna16], crops=crops(patient="1.2.6", fold=3), held_out_folds=(3,))
    assert [scan.patient for scan in left] == ["1.2.7"]


def test_refuses_a_fold_that_is_nowhere(luna16: Path) -> None:
    known = crops(patient="P1", fold=0)
    with pytest.raises(ConfigError, match=r"NO_SUCH_FOLD.*some of \[0, 6, 7\]; got \[9\]"):
        scans_of_other_folds([luna16], crops=known, held_out_folds=(0, 9))
    with pytest.raises(ConfigError, match=r"some of \[0\]"):
        scans_of_other_folds([], crops=known, held_out_folds=(4,))


def test_patients_kept_for_testing_are_left_out_by_any_of_their_names(tmp_path: Path) -> None:
    patient = sorted(HELD_OUT_PATIENTS)[0]
    subset = tmp_path / "subset1"
    subset.mkdir()
    for uid in ("1.2.8", "1.2.9"):
        (subset / f"{uid}.mhd").touch()
    (tmp_path / "annotations.csv").touch()
    known = crops(patient=patient, fold=0, series_uid="1.2.8")
    left = scans_of_other_folds([tmp_path], crops=known, held_out_folds=())
    assert [scan.patient for scan in left] == ["1.2.9"]


def test_refuses_to_train_on_a_patient_kept_for_testing(tmp_path: Path) -> None:
    scan = tmp_path / f"{sorted(HELD_OUT_PATIENTS)[0]}.nii.gz"
    scan.touch()
    with pytest.raises(ConfigError, match="HELD_OUT_SCAN"):
        scans_of_other_folds([scan], crops=crops(patient="P1", fold=0), held_out_folds=())
