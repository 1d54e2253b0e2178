"""OpenVINO: several times as fast to load as torch, and faster on x86-64 CPUs.

A network is traced by torch once and kept in OpenVINO's form (see
:mod:`nodule.inference._network_forms`) under a digest of its weights and of all that made the
form. With the form at hand nothing here loads torch. OpenVINO's own converter is kept out:
merely loading it reports the use of OpenVINO to its makers.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nodule.errors import StageError
from nodule.inference._engine_choice import thread_count
from nodule.inference._network_forms import NetworkForm, forms_folder, keep_form, read_form

if TYPE_CHECKING:
    from types import ModuleType

    import torch
    from numpy.typing import NDArray

    from nodule.inference._network_source import NetworkSource

_REPORTS_USE = "openvino.tools.ovc"
_CODE = (__name__, "nodule.inference._torch_engine", "nodule.weights")
_PACKAGES = ("monai", "openvino", "torch")
_TOLERANCE = 1e-3  # of the largest answer; float32 that sums in another order stays within 1e-5
_KEPT_READY = 16  # compiled networks in one process: a batch compiles each once


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenVinoRunner:
    """A compiled network with memory of its own.

    Parameters
    ----------
    request : OpenVINO's, in which it runs.
    """

    request: Any

    @classmethod
    def of(cls, source: NetworkSource, *, bf16: bool) -> OpenVinoRunner:
        """Open a network; raises as :func:`nodule.inference.open_network`."""
        compiled = _compiled(source, bf16=bf16, threads=thread_count())
        return cls(request=compiled.create_infer_request())

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the answers, float32."""
        self.request.infer([np.ascontiguousarray(images)], share_inputs=True)
        return np.array(self.request.get_output_tensor().data, np.float32)


def form_key(source: NetworkSource) -> str:
    """Return a digest of all that a network's form depends on: weights, code, converter."""
    parts = [
        source.weights_sha256,
        {name: _source_sha256(name) for name in (*_CODE, *source.code)},
        {name: importlib.metadata.version(name) for name in _PACKAGES},
        source.example_shape,
        source.free_axes,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def openvino() -> ModuleType:
    """Load OpenVINO without what reports its use."""
    if "openvino" not in sys.modules:
        sys.modules[_REPORTS_USE] = None  # type: ignore[assignment]  # so importing it fails
        try:
            importlib.import_module("openvino")
        finally:
            del sys.modules[_REPORTS_USE]
    return sys.modules["openvino"]


@functools.lru_cache(maxsize=_KEPT_READY)
def _compiled(source: NetworkSource, *, bf16: bool, threads: int) -> Any:
    key, folder = form_key(source), forms_folder()
    form = read_form(source.name, key, folder=folder)
    if form is None:
        form = convert(source)
        keep_form(form, source.name, key, folder=folder)
    return _compile(form, bf16=bf16, threads=threads)


def _compile(form: NetworkForm, *, bf16: bool, threads: int) -> Any:
    core = openvino().Core()
    return core.compile_model(
        core.read_model(form.graph, form.constants),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # processes side by side would share their first cores
        },
    )


def convert(source: NetworkSource) -> NetworkForm:
    """Build a network with torch and bring it into OpenVINO's form.

    Raises
    ------
    StageError : ``OTHER_ANSWERS`` where the form does not answer as the network does.
    NoduleError : as ``source.build``.
    """
    import torch

    network = source.build()
    example = np.random.default_rng(0).random(source.example_shape, np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(example)).numpy()
    model = _traced(network, torch.from_numpy(example))
    free = {axis: -1 for axis in source.free_axes}
    model.reshape([free.get(axis, n) for axis, n in enumerate(source.example_shape)])
    form = _serialised(model)
    _check_answers(source, form, example, expected)
    return form


def _traced(network: torch.nn.Module, example: torch.Tensor) -> Any:
    openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        # OpenVINO reads traces only of exported programs and of this kind, which is much faster
        warnings.filterwarnings("ignore", ".*torch.jit.* is deprecated", DeprecationWarning)
        decoder = TorchScriptPythonDecoder(
            network, example_input=example, trace_kwargs={"check_trace": False}
        )
    frontend = FrontEndManager().load_by_framework("pytorch")
    return frontend.convert(frontend.load(decoder))


def _serialised(model: Any) -> NetworkForm:
    with tempfile.TemporaryDirectory() as folder:
        graph, constants = Path(folder) / "network.xml", Path(folder) / "network.bin"
        openvino().save_model(model, graph, compress_to_fp16=False)
        return NetworkForm(graph=graph.read_bytes(), constants=constants.read_bytes())


def _check_answers(
    source: NetworkSource,
    form: NetworkForm,
    example: NDArray[np.float32],
    expected: NDArray[np.float32],
) -> None:
    compiled = _compile(form, bf16=False, threads=thread_count())
    got = OpenVinoRunner(request=compiled.create_infer_request())(example)
    error = float(np.abs(got - expected).max()) if got.shape == expected.shape else np.inf
    if not error <= _TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise StageError(
            f"OpenVINO does not answer as torch does for the network of {source.name}",
            code="OTHER_ANSWERS",
            expected=f"the same within {_TOLERANCE:g} of the largest answer",
            got=error,
            hint="Run with --engine torch, and report it with the versions of both packages",
        )


def _source_sha256(module: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise StageError(
            f"the source of {module} cannot be read", code="NO_SOURCE_CODE",
            hint="Install packages with their source",
        )  # fmt: skip
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
