"""Gradients of two slices are right in bfloat16, whatever lay in the memory before."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from pipelines.training._two_slices import compute_two_slices_as_three

SIZES = [2**k for k in range(6, 19)]


def leave_nan_in_memory() -> None:
    """Fill memory with NaN and give it back, so that who reads before writing shows it."""
    _ = [torch.full((n,), torch.nan, dtype=kind) for n in SIZES for kind in KINDS for _ in range(6)]


KINDS = (torch.float32, torch.bfloat16)


def made(channels: int, **options: int) -> nn.Conv3d:
    torch.manual_seed(0)
    options = {"kernel_size": 3, "padding": 1, **options}
    conv = nn.Conv3d(channels, channels, **options)  # type: ignore[arg-type]
    return conv.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload, no-any-return]


def images(channels: int, depth: int) -> Tensor:
    shown = torch.rand(2, channels, depth, 2, 2, generator=torch.Generator().manual_seed(1))
    return shown.contiguous(memory_format=torch.channels_last_3d)


def gradient(conv: nn.Conv3d, shown: Tensor, *, bf16: bool) -> Tensor:
    leave_nan_in_memory()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        answer = conv(shown)
    leave_nan_in_memory()
    answer.float().square().mean().backward()
    assert conv.weight.grad is not None
    return conv.weight.grad


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("channels", [4, 16])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_gradients_in_bfloat16_are_those_of_float32(channels: int, depth: int) -> None:
    shown = images(channels, depth)
    expected = gradient(made(channels), shown, bf16=False)
    for _ in range(10):
        conv = made(channels)
        compute_two_slices_as_three(nn.Sequential(conv))
        got = gradient(conv, shown, bf16=True)
        torch.testing.assert_close(got, expected, atol=float(expected.abs().max()) / 20, rtol=0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dilation": 2, "padding": 2},
        {"stride": 2},
        {"padding": 0, "kernel_size": 1},
        {"padding": 2},
    ],
)
def test_answers_stay_the_same(options: dict[str, int]) -> None:
    conv, shown = made(8, **options), images(8, 2)
    before = conv(shown)
    compute_two_slices_as_three(nn.Sequential(conv))
    torch.testing.assert_close(conv(shown), before)
