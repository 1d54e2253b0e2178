"""Every backbone fits under the same tasks and keeps the names that public weights use."""

from typing import get_args

import pytest
import torch

from nodule.errors import ConfigError
from nodule.malignancy._answers import LEVELS
from nodule.malignancy._backbones import BACKBONES, BackboneName, build_backbone
from nodule.malignancy.network import C3DMultitask


@pytest.mark.parametrize("backbone", ["c3d", "resnet18", "resnet50", "densenet121"])
def test_a_backbone_answers_all_tasks(backbone: str) -> None:
    network = C3DMultitask(backbone=backbone, magnifications_mm=(1.0, 2.0)).eval()
    with torch.inference_mode():
        outputs = network(torch.rand(1, 2, 32, 32, 32))
    assert outputs.nodule.shape == (1,)
    assert {name: logits.shape[1] for name, logits in outputs.ratings.items()} == dict(LEVELS)


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_a_backbone_says_how_many_channels_it_has(backbone: str) -> None:
    with torch.device("meta"):
        backbone, channels, explained = build_backbone(backbone, channels=(8, 16))
        assert backbone.eval()(torch.empty(1, 1, 32, 32, 32)).shape[1] == channels
        assert explained in dict(backbone.named_modules())


def test_resnet_layers_are_named_as_in_medicalnet() -> None:
    with torch.device("meta"):
        names = build_backbone("resnet50", channels=())[0].state_dict()
    assert names["conv1.weight"].shape == (64, 1, 7, 7, 7)
    assert {"bn1.weight", "layer1.0.conv3.weight", "layer4.2.bn3.running_var"} <= set(names)
    assert "layer2.0.downsample.0.bias" not in names


def test_refuses_an_unknown_backbone() -> None:
    with pytest.raises(ConfigError, match="UNKNOWN_BACKBONE: no such backbone; expected"):
        C3DMultitask(backbone="resnet1000")


def test_every_backbone_can_be_named_in_a_training_file() -> None:
    assert set(get_args(BackboneName)) == set(BACKBONES)
