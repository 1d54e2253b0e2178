"""Which engine runs a network is decided by what is there and what was asked for."""

import importlib.metadata
import os
import platform

import pytest

from nodule.errors import ConfigError, InputError
from nodule.inference import Compute, choose_compute
from nodule.inference import _engine_choice as choice


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for a PC without an accelerator and without bfloat16."""
    monkeypatch.setattr(choice, "_may_have_cuda", lambda: False)
    monkeypatch.setattr(choice, "cpu_has_bf16", lambda: False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.mark.parametrize(
    ("machine", "engine"),
    [("x86_64", "openvino"), ("AMD64", "openvino"), ("aarch64", "torch"), ("arm64", "torch")],
)
def test_openvino_runs_networks_where_it_was_measured(
    monkeypatch: pytest.MonkeyPatch, machine: str, engine: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert choose_compute().engine == engine
    assert choose_compute(engine="openvino").engine == "openvino"
    assert choose_compute(engine="torch").engine == "torch"


def test_without_openvino_torch_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice.importlib.util, "find_spec", lambda _: None)
    assert choose_compute().engine == "torch"
    with pytest.raises(ConfigError, match=r"NO_OPENVINO.*not installed.*pip install openvino"):
        choose_compute(engine="openvino")


def test_what_lacks_a_driver_is_not_asked_of_torch() -> None:
    assert choose_compute(device="auto").device == "cpu"


def test_refuses_cuda_where_there_is_none() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one here")
    with pytest.raises(InputError, match="NO_CUDA"):
        choose_compute(device="cuda")


@pytest.mark.parametrize(
    ("fast", "precision", "bf16"),
    [
        (True, "auto", True),
        (False, "auto", False),
        (True, "fp32", False),
        (False, "bf16", True),
    ],
)
def test_bfloat16_is_for_machines_that_are_fast_in_it(
    monkeypatch: pytest.MonkeyPatch, fast: bool, precision: choice.Precision, bf16: bool
) -> None:
    monkeypatch.setattr(choice, "cpu_has_bf16", lambda: fast)
    assert choose_compute(precision=precision).bf16 is bf16


def test_says_what_it_is_in_one_line() -> None:
    version = importlib.metadata.version("torch")
    compute = Compute(engine="torch", device="cpu", bf16=True)
    assert str(compute) == f"torch {version} on cpu in bf16"


@pytest.mark.parametrize(("said", "threads"), [("1", 1), ("3", 3)])
def test_threads_are_as_many_as_openmp_may_have(
    monkeypatch: pytest.MonkeyPatch, said: str, threads: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert choice.thread_count() == threads


@pytest.mark.parametrize("said", ["", "0", "many"])
def test_without_a_number_they_are_the_cores_of_this_process(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert choice.thread_count() == 3
