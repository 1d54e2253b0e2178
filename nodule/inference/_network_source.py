"""A network as a stage names it, and as an engine answers for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nodule.inference._compute_settings import Device, Engine, Precision
from nodule.inference._engine_choice import choose_compute

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


class Runner(Protocol):
    """A network that is ready to answer."""

    def __call__(self, images: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Answer for a batch of images, whatever the engine; float32 in, float32 out."""


@dataclass(frozen=True, kw_only=True)
class NetworkSource:
    """A network with its weights, not yet built.

    Two sources are equal where they give the same network.

    Parameters
    ----------
    name : of its stage, for messages and names of files.
    weights_sha256 : digest of its weights and of the architecture that is named beside them.
    code : modules whose source says how it is built from them.
    build : makes it as it runs, in evaluation mode, from one float32 tensor to another; loads
        torch, and raises as :func:`nodule.weights.load_state`.
    example_shape : an input.
    free_axes : axes of the input that may have other lengths.
    """

    name: str
    weights_sha256: str
    code: tuple[str, ...]
    build: Callable[[], torch.nn.Module] = field(compare=False)
    example_shape: tuple[int, ...]
    free_axes: tuple[int, ...]


def open_network(
    source: NetworkSource,
    *,
    engine: Engine = "auto",
    device: Device = "auto",
    precision: Precision = "auto",
) -> Runner:
    """Make a network ready to run.

    Raises
    ------
    NoduleError : as :func:`nodule.inference.choose_compute` and ``source.build``;
        ``OTHER_ANSWERS`` where OpenVINO does not answer as torch does.
    """
    compute = choose_compute(engine=engine, device=device, precision=precision)
    if compute.engine == "openvino":
        from nodule.inference._openvino_engine import OpenVinoRunner

        return OpenVinoRunner.of(source, bf16=compute.bf16)
    from nodule.inference._torch_engine import TorchRunner, pick_device, prepare

    where = pick_device(compute.device)
    return TorchRunner(network=prepare(source.build(), where), device=where, bf16=compute.bf16)
