"""A backbone is known layer by layer, and measuring its layers changes nothing."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from nodule.errors import ConfigError
from nodule.malignancy.network import C3DMultitask
from pipelines.training._backbone_layers import (
    head_parameters,
    layer_importance,
    layers_of_backbone,
    least_important,
)


class Pair(nn.Module):
    """y = head * second * first * x, without any offset."""

    def __init__(self) -> None:
        super().__init__()
        first, second = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        self.backbone = nn.Sequential(first, nn.ReLU(), second)
        self.head = nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            for layer, value in ((first, 2.0), (second, 3.0), (self.head, 5.0)):
                layer.weight.fill_(value)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(self.backbone(x)))


class Normalised(nn.Module):
    """What keeps statistics and draws random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv3d(1, 2, 3), nn.BatchNorm3d(2), nn.Dropout(0.5))
        self.head = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(self.backbone(x).mean(dim=(2, 3, 4))))


@pytest.mark.parametrize(
    ("backbone", "layers"),
    [
        ("c3d", 4),  # the stem and three levels
        ("resnet18", 9),  # the stem and 2 + 2 + 2 + 2 blocks
        ("resnet50", 17),  # the stem and 3 + 4 + 6 + 3 blocks
        ("densenet121", 62),  # the stem, 6 + 12 + 24 + 16 dense layers and three transitions
    ],
)
def test_the_layers_of_a_backbone_are_its_blocks(backbone: str, layers: int) -> None:
    with torch.device("meta"):
        network = C3DMultitask(backbone=backbone)
    found = layers_of_backbone(network)
    assert len(found) == layers
    heads = head_parameters(network, found)
    assert sum(p.numel() for p in heads) == sum(
        p.numel() for part in (network.features, network.tasks) for p in part.parameters()
    )


def test_refuses_a_network_without_a_backbone() -> None:
    with pytest.raises(ConfigError, match=r"NO_BACKBONE.*got Linear"):
        layers_of_backbone(nn.Linear(1, 1))


def test_importance_is_the_mean_of_gradient_times_weight() -> None:
    network = Pair()
    batches: list[Mapping[str, Tensor]] = [{"x": torch.full((1, 1), value)} for value in (1.0, 3.0)]
    found = layer_importance(
        network,
        layers_of_backbone(network),
        loss=lambda batch: network(batch["x"]).square().mean(),
        batches=batches,
    )
    # loss = (30 x)^2, so weight times slope is 2 * 900 x^2 for each: 1800 and 16200
    assert found == {"backbone.0": pytest.approx(9000), "backbone.2": pytest.approx(9000)}


def test_a_layer_of_many_idle_weights_matters_less() -> None:
    importance = {"a": 3.0, "b": 0.1, "c": 2.0, "d": 0.2, "e": 9.0}
    assert least_important(importance, share=0.5) == ("b", "d")
    assert least_important(importance, share=0.0) == ()
    assert least_important(importance, share=1.0) == tuple("abcde")


def test_measuring_leaves_no_trace() -> None:
    torch.manual_seed(0)
    network = Normalised().train()
    network.head.weight.requires_grad = False
    network.backbone[1].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    random = torch.get_rng_state()

    def loss(batch: Mapping[str, Tensor]) -> Tensor:
        torch.rand(3)
        return network(batch["x"]).mean()

    layers = layers_of_backbone(network)
    layer_importance(network, layers, loss=loss, batches=[{"x": torch.ones(2, 1, 4, 4, 4)}])
    assert all(torch.equal(tensor, before[n]) for n, tensor in network.state_dict().items())
    assert [module.training for module in network.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    assert not network.head.weight.requires_grad
    assert all(parameter.grad is None for parameter in network.parameters())
