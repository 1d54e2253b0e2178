"""OpenVINO answers as torch does, and later runs need no torch for it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nodule.candidates.stage import load_network
from nodule.errors import StageError
from nodule.inference import Engine, NetworkSource, open_network
from nodule.inference import _openvino_engine as engine
from nodule.lungs._infer import _network_source
from nodule.malignancy import Ensemble, Predictor
from nodule.phantom import make_phantom, random_spec, write_study
from nodule.weights import Weights

Open = Callable[[Engine], Callable[[np.ndarray], np.ndarray]]

SHIPPED: dict[str, tuple[Open, tuple[tuple[int, ...], ...]]] = {
    "lungs": (
        lambda which: open_network(
            _network_source(Weights.shipped("lungs")), engine=which, precision="fp32"
        ),
        ((1, 1, 32, 48, 16), (1, 1, 16, 16, 64)),
    ),
    "candidates": (
        lambda which: load_network(Weights.shipped("candidates"), engine=which, precision="fp32"),
        ((1, 1, 32, 32, 32), (2, 1, 16, 48, 32)),
    ),
    "malignancy": (
        lambda which: (
            Predictor.load(
                Weights.shipped_members("malignancy")[0], engine=which, precision="fp32"
            ).network
        ),
        ((1, 1, 32, 32, 32), (5, 1, 32, 32, 32)),
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep networks in a folder of the test's own."""
    monkeypatch.setenv("NODULE_CACHE", str(tmp_path))
    engine._compiled.cache_clear()
    return tmp_path / "networks"


def scaled(by: float, *, sha: str = "0" * 64) -> NetworkSource:
    """Return a network that multiplies each voxel."""
    network = nn.Conv3d(1, 1, 1, bias=False).eval()
    nn.init.constant_(network.weight, by)
    return NetworkSource(
        name="scale", weights_sha256=sha, code=("nodule.hu",), build=lambda: network,
        example_shape=(1, 1, 4, 4, 4), free_axes=(0, 2, 3, 4),
    )  # fmt: skip


def never() -> nn.Module:
    raise AssertionError("it was built again")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_networks_answer_as_torch_does_for_inputs_of_any_size(name: str) -> None:
    opened, shapes = SHIPPED[name]
    by_torch, by_openvino = opened("torch"), opened("openvino")
    for shape in shapes:
        images = np.random.default_rng(0).random(shape, np.float32)
        expected = by_torch(images)
        np.testing.assert_allclose(by_openvino(images), expected, atol=1e-4, rtol=1e-4)


def test_an_answer_is_not_overwritten_by_the_next(folder: Path) -> None:
    run = open_network(scaled(2.0), engine="openvino", precision="fp32")
    first = run(np.ones((1, 1, 2, 2, 2), np.float32))
    run(np.zeros((1, 1, 2, 2, 2), np.float32))
    assert (first == 2.0).all()


def test_what_is_kept_is_not_built_again(folder: Path) -> None:
    source = scaled(3.0)
    open_network(source, engine="openvino")
    assert len(list(folder.iterdir())) == 1
    engine._compiled.cache_clear()
    again = open_network(replace(source, build=never), engine="openvino", precision="fp32")
    assert again(np.ones((2, 1, 4, 5, 6), np.float32)).mean() == pytest.approx(3.0)


def test_a_damaged_one_is(folder: Path) -> None:
    open_network(scaled(3.0), engine="openvino")
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    engine._compiled.cache_clear()
    run = open_network(scaled(3.0), engine="openvino", precision="fp32")
    assert run(np.ones((1, 1, 4, 4, 4), np.float32)).mean() == pytest.approx(3.0)
    assert len(path.read_bytes()) == len(whole)


def test_weights_code_and_shape_make_another_form() -> None:
    source = scaled(1.0)
    others = [
        replace(source, weights_sha256="1" * 64),
        replace(source, code=("nodule.volume",)),
        replace(source, example_shape=(1, 1, 8, 8, 8)),
        replace(source, free_axes=(0,)),
    ]
    keys = {engine.form_key(each) for each in (source, *others)}
    assert len(keys) == 5
    assert engine.form_key(scaled(7.0)) == engine.form_key(source)  # weights count by digest


def test_another_version_makes_another_form(monkeypatch: pytest.MonkeyPatch) -> None:
    before = engine.form_key(scaled(1.0))
    monkeypatch.setattr(engine.importlib.metadata, "version", lambda _: "0")
    assert engine.form_key(scaled(1.0)) != before


class Forgetful(nn.Module):
    """Answers otherwise each time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return images * float(self.asked)


def test_refuses_a_form_that_answers_otherwise(folder: Path) -> None:
    source = replace(scaled(1.0, sha="2" * 64), build=lambda: Forgetful().eval())
    with pytest.raises(StageError, match=r"OTHER_ANSWERS.*--engine torch"):
        open_network(source, engine="openvino")
    assert not folder.exists()


ALONE = """
import json, socket, sys
from pathlib import Path

def refuse(*_, **__):
    raise AssertionError("a connection is opened")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import nodule
from nodule.candidates import ProposeCandidates
chain = nodule.Chain(candidates=ProposeCandidates(max_candidates=5, window_mm=(64,)))
found = nodule.detect(Path(sys.argv[1]), chain=chain)
nodule.write_report(found, Path(sys.argv[2]), viewer=False)
loaded = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([len(found.findings), sorted(loaded)]))
"""


@pytest.mark.slow
def test_with_networks_at_hand_a_run_loads_neither_torch_nor_monai(tmp_path: Path) -> None:
    for opened, _ in SHIPPED.values():
        opened("openvino")
    Ensemble.load(Weights.shipped_members("malignancy"), engine="openvino")
    study = write_study(make_phantom(random_spec(3, size="small")), tmp_path / "CASE").folder
    done = subprocess.run(
        [sys.executable, "-c", ALONE, study, tmp_path / "out"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    findings, loaded = json.loads(done.stdout.splitlines()[-1])
    assert findings > 0
    assert {"torch", "monai", "lightning", "openvino_telemetry"}.isdisjoint(loaded)
    assert "openvino" in loaded
