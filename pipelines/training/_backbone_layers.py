"""The backbone of a network, layer by layer, and how much each layer matters.

A network has a backbone where it has an attribute of that name; what lies outside it are the heads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from nodule.errors import ConfigError

Layers = Mapping[str, Sequence[nn.Module]]
"""Per layer, in the order from the input on, the modules that make it up."""


def layers_of_backbone(network: nn.Module) -> Layers:
    """Return the layers of a network's backbone, by the name of the first module of each.

    Chains of modules (``nn.Sequential``) are opened; what is not a chain, such as a residual block,
    is a layer. A normalisation belongs to the layer before it.

    Raises
    ------
    ConfigError : ``NO_BACKBONE`` for a network without a backbone.
    """
    backbone = getattr(network, "backbone", None)
    if not isinstance(backbone, nn.Module):
        raise ConfigError(
            "the network has no backbone apart from its heads, so no part of it can be frozen",
            code="NO_BACKBONE",
            got=type(network).__name__,
            hint="Leave [finetune] out; [start] alone works for any network",
        )
    layers: dict[str, list[nn.Module]] = {}
    for name, module in _blocks("backbone", backbone):
        if isinstance(module, _NormBase) and layers:
            layers[next(reversed(layers))].append(module)
        else:
            layers[name] = [module]
    return layers


def layer_parameters(modules: Sequence[nn.Module]) -> list[nn.Parameter]:
    """Return the parameters of one layer."""
    return [parameter for module in modules for parameter in module.parameters()]


def head_parameters(network: nn.Module, layers: Layers) -> list[nn.Parameter]:
    """Return the parameters that belong to no layer of the backbone."""
    in_backbone = {id(each) for modules in layers.values() for each in layer_parameters(modules)}
    return [each for each in network.parameters() if id(each) not in in_backbone]


def layer_importance(
    network: nn.Module,
    layers: Layers,
    *,
    loss: Callable[[Mapping[str, Tensor]], Tensor],
    batches: Iterable[Mapping[str, Tensor]],
) -> dict[str, float]:
    """Estimate by how much the loss would change without each layer's weights.

    The first-order Taylor estimate of Molchanov et al. 2019: the mean over weights and batches of
    abs(gradient times weight). Nothing is trained, and the network is left as it was: parameters,
    statistics of normalisation, gradients, modes and the state of the random generators.

    Parameters
    ----------
    network : holds the layers.
    layers : of its backbone.
    loss : of one batch, by this network.
    batches : at least one.

    Returns
    -------
    dict : by layer, at least 0.
    """
    parameters = {name: layer_parameters(modules) for name, modules in layers.items()}
    totals = dict.fromkeys(parameters, 0.0)
    count = 0
    with _untouched(network):
        for batch in batches:
            every = [each for group in parameters.values() for each in group]
            found = torch.autograd.grad(loss(batch), every, allow_unused=True)
            gradients = dict(zip(map(id, every), found, strict=True))
            for name, group in parameters.items():
                totals[name] += _taylor(group, gradients)
            count += 1
    return {name: total / count for name, total in totals.items()}


def least_important(importance: Mapping[str, float], *, share: float) -> tuple[str, ...]:
    """Return the share of the layers that matter least, rounded down, in their own order."""
    ranked = sorted(importance, key=lambda name: importance[name])
    least = set(ranked[: int(share * len(ranked))])
    return tuple(name for name in importance if name in least)


def _blocks(name: str, parent: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for child_name, child in parent.named_children():
        inner = f"{name}.{child_name}"
        if isinstance(child, nn.Sequential):
            yield from _blocks(inner, child)
        elif any(True for _ in child.parameters()):
            yield inner, child


def _taylor(parameters: Sequence[nn.Parameter], gradients: Mapping[int, Tensor | None]) -> float:
    total, size = 0.0, 0
    for parameter in parameters:
        gradient = gradients[id(parameter)]
        if gradient is not None:
            total += float((gradient * parameter.detach()).abs().sum())
        size += parameter.numel()
    return total / size


@contextmanager
def _untouched(network: nn.Module) -> Iterator[None]:
    """Let everything take a gradient, in evaluation mode, and put it all back afterwards."""
    modes = {module: module.training for module in network.modules()}
    wanted = {parameter: parameter.requires_grad for parameter in network.parameters()}
    cuda = {each.device for each in wanted if each.device.type == "cuda"}
    with torch.random.fork_rng(devices=list(cuda)), torch.enable_grad():
        network.eval().requires_grad_(True)
        try:
            yield
        finally:
            for module, training in modes.items():
                module.training = training
            for parameter, requires_grad in wanted.items():
                parameter.requires_grad = requires_grad
