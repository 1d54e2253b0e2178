"""A report says which networks made it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from nodule.weights import Weights
from pipelines.process import provenance_of


def weights(sha256: str) -> Weights:
    return Weights(
        sha256=sha256, path=Path("some.safetensors"), stage="net", architecture={},
        training_patients=(),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class One:
    name: ClassVar[str] = "one"
    version: ClassVar[int] = 1

    weights: Weights

    def run(self, **_: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Several:
    name: ClassVar[str] = "several"
    version: ClassVar[int] = 1

    weights: tuple[Weights, ...]

    def run(self, **_: Any) -> None: ...


def test_every_member_of_an_ensemble_is_named_by_its_digest() -> None:
    stages = {
        "one": One(weights=weights("a" * 64)),
        "several": Several(weights=(weights("b" * 64), weights("c" * 64))),
    }
    told = provenance_of(stages, input_sha256="d" * 64)
    assert told.weights == {"one": "a" * 64, "several.1": "b" * 64, "several.2": "c" * 64}
    # paths say where something lay on one machine
    members = told.config["several"]["weights"]
    assert list(members) == [{"sha256": "b" * 64}, {"sha256": "c" * 64}]
