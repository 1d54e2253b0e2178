"""The chain with stand-ins for its stages: order, what runs, and what may be changed."""

from pathlib import Path
from typing import Any

import pytest
from stand_in_chain import CANDIDATE, DISEASE, FINDING, SCORED, STUDY, stand_ins

from nodule.candidates import OperatingTable, ProposeCandidates, operating_path
from nodule.chain import Chain
from nodule.errors import ConfigError, UsageError, WeightsError
from nodule.malignancy import MapSaliency, ScoreMalignancy
from nodule.measure.stage import Measure
from nodule.weights import Weights


def test_every_stage_runs_once_in_order_on_what_it_reads() -> None:
    given: list[tuple[str, dict[str, Any]]] = []
    chain = stand_ins(given)
    progress: list[tuple[str, float]] = []
    found = chain.run(STUDY, progress=lambda stage, share: progress.append((stage, share)))
    order = ["resample", "lungs", "candidates", "malignancy", "measure", "disease"]
    assert [name for name, _ in given] == order
    assert progress == [(name, 1.0) for name in order]
    inputs = dict(given)
    volume, lungs = STUDY.volume, chain.lungs.answer
    assert inputs["resample"] == {"volume": volume}
    assert inputs["lungs"] == {"volume": volume, "series": STUDY.series}
    assert inputs["candidates"] == {"volume": volume, "lungs": lungs}
    assert inputs["malignancy"] == {"volume": volume, "candidates": (CANDIDATE,)}
    assert inputs["measure"] == {"study": STUDY, "lungs": lungs, "scored": (SCORED,)}
    assert inputs["disease"] == {"volume": volume, "lungs": lungs, "findings": (FINDING,)}
    assert (found.study, found.lungs, found.findings) == (STUDY, lungs, (FINDING,))
    assert found.disease is DISEASE
    assert [each.name for each in found.stages] == ["read_ct", *order]
    assert found.saliency_maps == ()


def test_a_pass_runs_only_what_is_asked_for_and_needed() -> None:
    given: list[tuple[str, dict[str, Any]]] = []
    half = stand_ins(given).on(STUDY)
    assert half.candidates == (CANDIDATE,)
    assert half.volume is STUDY.volume
    assert half.study is STUDY
    assert [name for name, _ in given] == ["resample", "lungs", "candidates"]


def test_order_and_types_are_those_of_the_shipped_stages() -> None:
    chain = Chain()
    assert list(chain.stages) == [stage.name for stage in Chain.stage_types()]
    assert list(Chain.links()) == [*chain.stages, "explain"]
    assert list(chain.explaining().stages) == list(Chain.links())


def test_a_stage_reads_only_what_stands_before_it() -> None:
    known = ["series"]
    for name, link in Chain.links().items():
        assert {each.partition(".")[0] for each in link.inputs.values()} <= set(known)
        known.append(name)


def test_a_device_is_set_on_every_network_and_on_what_explains_them() -> None:
    moved = Chain().explaining().computed_by(device="cpu")
    assert moved.explain is not None
    networks = (moved.lungs, moved.candidates, moved.malignancy, moved.explain.scorer)
    assert {each.device for each in networks} == {"cpu"}


def test_refuses_to_explain_other_networks_than_it_asks() -> None:
    other = ScoreMalignancy(detector_weight=0.25)
    with pytest.raises(ConfigError, match="OTHER_NETWORKS"):
        Chain(explain=MapSaliency(scorer=other))


def weights(folder: Path, stage: str, digest: str) -> Weights:
    return Weights(
        sha256=digest,
        path=folder / f"{stage}.safetensors",
        stage=stage,
        architecture={},
        training_patients=(),
    )


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    members = (weights(tmp_path, "malignancy", "def"), weights(tmp_path, "malignancy", "ghi"))
    return Chain(
        candidates=ProposeCandidates(weights=weights(tmp_path, "candidates", "abc")),
        malignancy=ScoreMalignancy(weights=members, calibration=None),
        measure=Measure(grid_mm=0.6),
    )


def test_a_rate_takes_its_threshold_from_the_table_beside_the_weights(chain: Chain) -> None:
    table = OperatingTable.of_false_positives(
        [(0.9, 0.5), (0.7, 0.3)], lowest_score=0.1, weights_sha256=("abc", "def", "ghi")
    )
    table.write(operating_path(chain.candidates.weights.path))
    chosen = chain.at_operating_point(fp_per_scan=1.0).measure
    assert chosen.probability_threshold == pytest.approx(0.6)  # two in two scans: 0.7 to 0.5
    assert chosen.grid_mm == 0.6


def test_a_table_of_other_judges_is_refused(chain: Chain) -> None:
    table = OperatingTable.of_false_positives(
        [(0.9,)], lowest_score=0.1, weights_sha256=("abc", "def")
    )
    table.write(operating_path(chain.candidates.weights.path))
    with pytest.raises(WeightsError, match="FOREIGN_OPERATING_TABLE"):
        chain.at_operating_point(fp_per_scan=1.0)


def test_a_threshold_is_taken_as_it_is(chain: Chain) -> None:
    assert chain.at_operating_point(threshold=0.42).measure.probability_threshold == 0.42


def test_without_either_nothing_changes(chain: Chain) -> None:
    assert chain.at_operating_point() is chain


def test_refuses_both(chain: Chain) -> None:
    with pytest.raises(UsageError, match="TWO_OPERATING_POINTS"):
        chain.at_operating_point(fp_per_scan=1.0, threshold=0.4)


def test_a_rate_without_a_table_is_refused(chain: Chain) -> None:
    with pytest.raises(WeightsError, match="NO_OPERATING_TABLE"):
        chain.at_operating_point(fp_per_scan=1.0)
