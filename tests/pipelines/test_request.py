"""What is asked of a run is refused where it contradicts itself."""

from pathlib import Path
from typing import Any

import pytest

from nodule.dicom import DicomExtra, DicomOptions
from nodule.errors import UsageError
from pipelines.request import RunRequest, cache_folder

ONE = Path("CASE-1")


def refusal(**asked: Any) -> str:
    with pytest.raises(UsageError) as caught:
        RunRequest(**asked)
    return caught.value.code


@pytest.mark.parametrize(
    "of_one_study",
    [{"series_uid": "1.2.3"}, {"prior": Path("BEFORE")}, {"person": Path("person.toml")}],
)
def test_what_holds_for_one_study_is_refused_for_several(of_one_study: dict[str, Any]) -> None:
    RunRequest(studies=(ONE,), **of_one_study)
    assert refusal(studies=(ONE, Path("CASE-2")), **of_one_study) == "ONE_STUDY"


def test_all_options_that_hold_for_one_study_are_named() -> None:
    with pytest.raises(UsageError, match="--series and --prior cannot hold"):
        RunRequest(studies=(ONE, ONE), series_uid="1.2.3", prior=Path("BEFORE"))


def test_two_operating_points_are_refused_before_the_first_study() -> None:
    with pytest.raises(UsageError, match="TWO_OPERATING_POINTS"):
        RunRequest(studies=(ONE,), fp_per_scan=0.0, threshold=0.0).check()


def test_a_series_of_no_prior_study_is_refused() -> None:
    RunRequest(studies=(ONE,), prior=Path("BEFORE"), prior_series_uid="1.2.3")
    assert refusal(studies=(ONE,), prior_series_uid="1.2.3") == "NO_PRIOR"


def test_a_request_for_nothing_is_refused() -> None:
    assert refusal(studies=()) == "NO_STUDY"


def test_saliency_adds_a_stage_to_the_chain() -> None:
    plain = RunRequest(studies=(ONE,))
    assert plain.chain_wanted is plain.chain
    asked = RunRequest(studies=(ONE,), saliency="nodule").chain_wanted
    assert [*plain.chain.stages, "explain"] == list(asked.stages)
    assert asked.explain is not None
    assert asked.explain.answer == "nodule"


def test_a_threshold_and_a_device_reach_the_stages() -> None:
    chain = RunRequest(studies=(ONE,), threshold=0.625, device="cpu").chain
    assert chain.measure.probability_threshold == 0.625
    assert chain.candidates.device == "cpu"


def test_the_cache_lies_where_it_is_asked_for(tmp_path: Path) -> None:
    assert RunRequest(studies=(ONE,), cache=tmp_path).store.root == tmp_path
    assert cache_folder(None).name == "nodule"


def test_what_dicom_files_are_to_hold_asks_for_them() -> None:
    assert RunRequest(studies=(ONE,)).dicom_wanted is None
    assert RunRequest(studies=(ONE,), dicom=True).dicom_wanted == DicomOptions()
    asked = RunRequest(studies=(ONE,), dicom_with=(DicomExtra.lungs, DicomExtra.key_objects))
    assert asked.dicom_wanted == DicomOptions(lungs=True, key_objects=True)
