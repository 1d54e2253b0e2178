"""What a stage is on record as: its version, its settings and its networks' weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from nodule.code_constants import constants_sha256
from nodule.inference import choose_compute
from nodule.weights import Weights


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """What a stage was when it made an output.

    Parameters
    ----------
    name, version : of the stage.
    constants_sha256 : digest of the constants of its code; see :mod:`nodule.code_constants`.
    settings : its fields that may change an answer, for people to read: dataclasses as plain
        objects, without what is marked ``speed_only``.
    weights : sha256 of each network's weights; a lone network is called after the stage, the
        members of an ensemble ``malignancy.1`` and so on.
    engine : what runs its networks here, with its version, the device and the precision; None
        without networks. Engines agree within a tolerance, so that an output of a cache may have
        been made by another.
    """

    name: str
    version: int
    constants_sha256: str
    settings: Mapping[str, object]
    weights: Mapping[str, str]
    engine: str | None = None

    @classmethod
    def of(cls, stage: Any) -> StageRecord:
        """Describe a configured stage.

        Raises
        ------
        NoduleError : as :func:`nodule.inference.choose_compute`.
        """
        return cls(
            name=stage.name,
            version=stage.version,
            constants_sha256=constants_sha256(type(stage).__module__),
            settings=_settings(stage),
            weights=dict(_digests(stage)),
            engine=_engine(stage),
        )


def _engine(stage: Any) -> str | None:
    if not hasattr(stage, "engine"):
        return None
    return str(choose_compute(engine=stage.engine, device=stage.device, precision=stage.precision))


def _settings(instance: Any) -> dict[str, object]:
    return {
        each.name: _plain(getattr(instance, each.name))
        for each in fields(instance)
        if not each.metadata.get("speed_only", False)
    }


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return _settings(value) if is_dataclass(value) else value


def _digests(stage: Any) -> Iterator[tuple[str, str]]:
    weights = getattr(stage, "weights", None)
    if isinstance(weights, Weights):
        yield stage.name, weights.sha256
    elif isinstance(weights, tuple):
        for number, member in enumerate(weights, start=1):
            yield f"{stage.name}.{number}", member.sha256
