"""Which engine runs a network here, on what and how precisely; decided without loading either.

On a CPU with AVX512-BF16, bfloat16 runs 3D convolutions about twice as fast as float32; elsewhere
on a CPU float32 is used. OpenVINO is chosen on x86-64, where it was measured; see the README.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nodule.errors import ConfigError
from nodule.inference._compute_settings import Device, Engine, Precision

_X86_64 = frozenset({"x86_64", "amd64"})
_CUDA_DRIVERS = ("libcuda.so.1", "nvcuda.dll")
_ROCM_DRIVER = Path("/dev/kfd")  # torch calls AMD's accelerators cuda as well


@dataclass(frozen=True, kw_only=True)
class Compute:
    """How a network is run.

    Parameters
    ----------
    engine : that runs it.
    device : on which.
    bf16 : whether it computes in bfloat16; else in float32.
    """

    engine: Literal["torch", "openvino"]
    device: Literal["cpu", "cuda"]
    bf16: bool

    def __str__(self) -> str:
        """Name the engine with its version, the device and the precision."""
        return self._named(f"{self.engine} {importlib.metadata.version(self.engine)}")

    @property
    def kind(self) -> str:
        """The same without a version."""
        return self._named(self.engine)

    def _named(self, engine: str) -> str:
        return f"{engine} on {self.device} in {'bf16' if self.bf16 else 'fp32'}"


def choose_compute(
    *, engine: Engine = "auto", device: Device = "auto", precision: Precision = "auto"
) -> Compute:
    """Resolve what is left to the program.

    Raises
    ------
    InputError : ``NO_CUDA`` when CUDA is asked for and absent.
    ConfigError : ``NO_OPENVINO`` when OpenVINO is asked for and absent, or on CUDA.
    """
    kind = _choose_device(device)
    bf16 = precision == "bf16" or (precision == "auto" and (kind == "cuda" or cpu_has_bf16()))
    return Compute(engine=_choose_engine(engine, kind), device=kind, bf16=bf16)


@functools.cache
def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies in bfloat16."""
    info = Path("/proc/cpuinfo")
    return info.is_file() and "avx512_bf16" in info.read_text()


def thread_count() -> int:
    """Return how many threads a network may use: OMP_NUM_THREADS, or the cores of this process."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _choose_device(device: Device) -> Literal["cpu", "cuda"]:
    if device == "cpu" or (device == "auto" and not _may_have_cuda()):
        return "cpu"
    from nodule.inference._torch_engine import pick_device

    return "cuda" if pick_device(device).type == "cuda" else "cpu"


def _choose_engine(engine: Engine, device: str) -> Literal["torch", "openvino"]:
    if engine == "torch":
        return "torch"
    installed = importlib.util.find_spec("openvino") is not None
    if engine == "auto":
        fits = device == "cpu" and platform.machine().lower() in _X86_64
        return "openvino" if fits and installed else "torch"
    if not installed or device != "cpu":
        raise ConfigError(
            "OpenVINO cannot run the networks here",
            code="NO_OPENVINO",
            expected="the package openvino, and a CPU",
            got=device if installed else "it is not installed",
            hint="Use --engine auto, or pip install openvino and --device cpu",
        )
    return "openvino"


@functools.cache
def _may_have_cuda() -> bool:
    """Whether an accelerator's driver is there, without which torch, slow to load, finds none."""
    return _ROCM_DRIVER.exists() or any(map(_loads, _CUDA_DRIVERS))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
