"""Weights are known by content, and only safetensors is read."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nodule.errors import WeightsError
from nodule.weights import SHIPPED, Weights, load_state, save_state
from nodule.weights._shipped_digests import SHIPPED_SHA256

STATE = {"b.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2)}


def save(path: Path) -> Path:
    save_state(
        path, STATE, stage="lungs", architecture={"width": 8}, training_patients=("P2", "P1")
    )
    return path


def test_reads_back_what_was_saved(tmp_path: Path) -> None:
    weights = Weights.open(save(tmp_path / "w.safetensors"))
    assert weights.stage == "lungs"
    assert weights.architecture == {"width": 8}
    assert weights.training_patients == ("P1", "P2")
    state = load_state(weights)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


def test_equal_weights_have_equal_bytes(tmp_path: Path) -> None:
    files = {save(tmp_path / f"{i}.safetensors").read_bytes() for i in range(8)}
    assert len(files) == 1


def test_refuses_a_pickle_and_runs_nothing(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    bad = tmp_path / "w.safetensors"
    bad.write_bytes(pickle.dumps(Payload()))
    with pytest.raises(WeightsError, match="NOT_SAFETENSORS"):
        Weights.open(bad)
    assert not (tmp_path / "ran").exists()


def test_refuses_weights_that_are_not_ours(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="FOREIGN_WEIGHTS"):
        Weights.open(tmp_path / "w.safetensors")


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="NO_WEIGHTS"):
        Weights.open(tmp_path / "w.safetensors")


def test_refuses_weights_that_changed_after_opening(tmp_path: Path) -> None:
    path = save(tmp_path / "w.safetensors")
    weights = Weights.open(path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(WeightsError, match="WEIGHTS_CHANGED"):
        load_state(weights)


def test_an_ensembles_members_come_in_the_order_of_their_folds() -> None:
    members = Weights.shipped_members("malignancy")
    names = [each.path.name for each in members]
    assert names == sorted(names)
    assert all(each.stage == "malignancy" for each in members)


def test_says_so_when_an_ensemble_has_no_member() -> None:
    with pytest.raises(WeightsError, match=r"NO_WEIGHTS.*nobody\.fold0"):
        Weights.shipped_members("nobody")


def test_refuses_to_serve_another_stage(tmp_path: Path) -> None:
    weights = Weights.open(save(tmp_path / "w.safetensors"))
    weights.check_stage("lungs")
    with pytest.raises(WeightsError, match=r"WRONG_STAGE.*expected candidates; got lungs"):
        weights.check_stage("candidates")


def test_a_file_from_before_0_2_fills_the_backbone(tmp_path: Path) -> None:
    path = tmp_path / "old.safetensors"
    save_state(
        path,
        {"trunk.0.weight": torch.ones(2), "heads.trunk.bias": torch.zeros(1)},
        stage="malignancy",
        architecture={},
        training_patients=(),
    )
    assert sorted(load_state(Weights.open(path))) == ["backbone.0.weight", "heads.trunk.bias"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("garbage", "DAMAGED_WEIGHTS"),
        ("[" * 100_000, "DAMAGED_WEIGHTS"),
        ("[]", "DAMAGED_WEIGHTS"),
        ("{}", "FOREIGN_WEIGHTS"),
        ('{"format": "nodule-weights-v1"}', "DAMAGED_WEIGHTS"),
        (
            '{"format": "nodule-weights-v1", "stage": "lungs", "architecture": {},'
            ' "training_patients": [1]}',
            "DAMAGED_WEIGHTS",
        ),
    ],
)
def test_a_damaged_header_is_refused(tmp_path: Path, header: str, code: str) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"w": torch.zeros(2)}, path, {"nodule": header})
    with pytest.raises(WeightsError) as refused:
        Weights.open(path)
    assert refused.value.code == code


def test_shipped_weights_with_one_bit_changed_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(Weights.shipped("malignancy.fold0").path.read_bytes())
    content[-5000] ^= 64
    (tmp_path / "malignancy.fold0.safetensors").write_bytes(content)
    monkeypatch.setattr("nodule.weights.SHIPPED", tmp_path)
    for opened in (Weights.shipped, Weights.shipped_members):
        with pytest.raises(WeightsError, match="WEIGHTS_CHANGED"):
            opened("malignancy.fold0" if opened == Weights.shipped else "malignancy")


def test_every_shipped_file_has_its_digest_in_code() -> None:
    names = {path.stem for path in SHIPPED.glob("*.safetensors")}
    assert names == set(SHIPPED_SHA256)
    assert {name: Weights.shipped(name).sha256 for name in names} == dict(SHIPPED_SHA256)
