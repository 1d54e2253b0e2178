"""Weights from elsewhere fill what they fit, tell of the rest, and never run code."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nodule.errors import WeightsError
from nodule.malignancy.network import C3DMultitask
from nodule.weights import save_state
from nodule.weights.foreign import fill, read_foreign


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(4, 4, 3, bias=False)
        self.bn1 = nn.BatchNorm3d(4)


class Backbone(nn.Module):
    """Layers named as in a ResNet, in small."""

    def __init__(self, inputs: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(inputs, 4, 3, bias=False)
        self.bn1 = nn.BatchNorm3d(4)
        self.layer1 = nn.Sequential(Block(), Block())


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.tasks = nn.Linear(4, 2)


def constant(module: nn.Module, value: float) -> dict[str, Tensor]:
    return {k: torch.full_like(v, int(value)) for k, v in module.state_dict().items()}


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def prefixed(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


def all_are(module: nn.Module, value: float) -> bool:
    return all(bool((tensor == value).all()) for tensor in module.state_dict().values())


def test_a_medicalnet_checkpoint_fills_the_backbone_and_leaves_the_heads(tmp_path: Path) -> None:
    network = Network()
    heads = network.tasks.weight.clone()
    theirs = prefixed(constant(Backbone(), 3), "module.") | {"module.fc.weight": torch.ones(9, 4)}
    file = saved(tmp_path / "resnet.pth", {"epoch": 90, "state_dict": theirs, "optimizer": {}})
    transfer = fill(network, read_foreign(file))
    assert all_are(network.backbone, 3)
    assert torch.equal(network.tasks.weight, heads)
    assert transfer.fresh == ("tasks.weight", "tasks.bias")
    assert transfer.unused == ("module.fc.weight",)
    assert (transfer.dropped_prefix, transfer.added_prefix) == ("module.", "backbone.")
    assert len(transfer.matched) == 18
    assert transfer.reshaped == {}


@pytest.mark.parametrize("prefix", ["", "encoder.", "model.encoder.", "module.model.encoder."])
@pytest.mark.parametrize("wrapper", ["model", "state_dict"])
def test_a_bundle_is_unwrapped_whatever_its_prefix(
    tmp_path: Path, prefix: str, wrapper: str
) -> None:
    network = Network()
    file = saved(tmp_path / "model.pt", {wrapper: prefixed(constant(Backbone(), 2), prefix)})
    assert len(fill(network, read_foreign(file)).matched) == 18
    assert all_are(network.backbone, 2)


def test_safetensors_of_others_do_not_tell_their_patients(tmp_path: Path) -> None:
    network = Network()
    save_file(prefixed(constant(Backbone(), 5), "backbone."), tmp_path / "a.safetensors")
    foreign = read_foreign(tmp_path / "a.safetensors")
    fill(network, foreign)
    assert all_are(network.backbone, 5)
    assert foreign.training_patients is None


def test_our_own_weights_fill_everything_and_tell_their_patients(tmp_path: Path) -> None:
    network, file = Network(), tmp_path / "own.safetensors"
    halved = {k: v.half() if v.ndim > 1 else v for k, v in constant(Network(), 7).items()}
    save_state(file, halved, stage="s", architecture={}, training_patients=("P1",))
    foreign = read_foreign(file)
    transfer = fill(network, foreign)
    assert all_are(network, 7)
    assert network.backbone.conv1.weight.dtype == torch.float32
    assert transfer.fresh == transfer.unused == ()
    assert foreign.training_patients == ("P1",)


def test_our_own_checkpoint_fills_everything(tmp_path: Path) -> None:
    network = Network()
    state = prefixed(constant(Network(), 4), "network.")
    fill(network, read_foreign(saved(tmp_path / "last.ckpt", {"state_dict": state, "epoch": 3})))
    assert all_are(network, 4)


def test_a_colour_stem_is_reported_and_left_fresh(tmp_path: Path) -> None:
    network = Network()
    stem = network.backbone.conv1.weight.clone()
    transfer = fill(
        network, read_foreign(saved(tmp_path / "c.pt", constant(Backbone(inputs=3), 1)))
    )
    assert transfer.reshaped == {"backbone.conv1.weight": ((4, 3, 3, 3, 3), (4, 1, 3, 3, 3))}
    assert torch.equal(network.backbone.conv1.weight, stem)
    assert all_are(network.backbone.layer1, 1)


def test_a_network_that_sees_more_is_widened_and_answers_as_before(tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = C3DMultitask(magnifications_mm=(0.7,), channels=(4, 8)).eval()
    after = C3DMultitask(magnifications_mm=(0.7, 2.0), channels=(4, 8), windows=2).eval()
    file = saved(tmp_path / "before.pt", before.state_dict())
    transfer = fill(after, read_foreign(file))
    assert set(transfer.widened) == {"backbone.0.conv.weight", "features.0.weight"}
    assert transfer.fresh == transfer.unused == ()
    assert transfer.reshaped == {}
    cubes = 2.0 * torch.rand(3, 2, 16, 16, 16)  # up to 1800 HU, beyond the first window
    with torch.no_grad():
        said, told = before(cubes[:, :1]), after(cubes)
    torch.testing.assert_close(told.nodule, said.nodule)
    torch.testing.assert_close(told.ratings["malignancy"], said.ratings["malignancy"])


@pytest.mark.parametrize("backbone", ["resnet18", "densenet121"])
def test_public_names_fit_our_backbones(tmp_path: Path, backbone: str) -> None:
    network = C3DMultitask(backbone=backbone)
    # as torchvision and MedicalNet name them: without our network's own level
    theirs = {k: torch.zeros_like(v) for k, v in network.backbone.state_dict().items()}
    transfer = fill(network, read_foreign(saved(tmp_path / "net.pt", theirs)))
    assert transfer.unused == ()
    assert all(name.startswith(("features.", "tasks.")) for name in transfer.fresh)
    assert all_are(network.backbone, 0)


def test_says_what_became_of_the_weights(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = saved(tmp_path / "c.pt", constant(Backbone(inputs=3), 1))
    with caplog.at_level(logging.INFO):
        fill(Network(), read_foreign(file))
    assert "took 17 tensors" in caplog.text
    assert (
        "backbone.conv1.weight is (4, 3, 3, 3, 3) in the file, (4, 1, 3, 3, 3) here" in caplog.text
    )


def test_refuses_weights_of_which_nothing_fits_and_leaves_the_network(tmp_path: Path) -> None:
    network = Network()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    file = saved(tmp_path / "other.pt", {"stem.weight": torch.ones(8, 3, 7, 7)})
    with pytest.raises(WeightsError, match=r"NOTHING_MATCHES.*backbone.conv1.weight.*stem.weight"):
        fill(network, read_foreign(file))
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


class Trap:
    """What a hostile checkpoint holds: a call on loading."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def test_refuses_a_pickle_that_holds_code_and_does_not_run_it(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    file = saved(tmp_path / "evil.pt", {"state_dict": {"w": torch.ones(2)}, "x": Trap(marker)})
    with pytest.raises(WeightsError, match="UNSAFE_PICKLE"):
        read_foreign(file)
    assert not marker.exists()


def test_refuses_what_is_no_checkpoint(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.pt", constant(Backbone(), 1)).read_bytes()
    (tmp_path / "half.pt").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "text.safetensors").write_text("no tensors")
    for name, code in (
        ("half.pt", "BAD_CHECKPOINT"),
        ("empty.pt", "BAD_CHECKPOINT"),
        ("text.safetensors", "NOT_SAFETENSORS"),
        ("none.pt", "NO_WEIGHTS"),
    ):
        with pytest.raises(WeightsError) as refused:
            read_foreign(tmp_path / name)
        assert refused.value.code == code


@pytest.mark.parametrize("content", [{"epoch": 3}, {}, [1, 2], torch.ones(3)])
def test_refuses_a_checkpoint_without_named_tensors(tmp_path: Path, content: object) -> None:
    with pytest.raises(WeightsError, match="NO_STATE_DICT"):
        read_foreign(saved(tmp_path / "a.pt", content))
