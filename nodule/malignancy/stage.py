"""The stage that judges candidates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from nodule.errors import ConfigError
from nodule.findings import Candidate, Malignancy, ScoredCandidate
from nodule.inference import SPEED_ONLY, Device, Precision, pick_device
from nodule.progress import Progress, silent
from nodule.volume import Volume
from nodule.weights import Weights

if TYPE_CHECKING:
    from nodule.malignancy.predict import Predictor

_PORTION = 16  # candidates between two reports of progress


@dataclass(frozen=True, kw_only=True)
class ScoreMalignancy:
    """Give every candidate a probability of being a nodule and a suspicion of malignancy.

    None is dropped: where to cut is left to what turns scored candidates into findings.

    Parameters
    ----------
    weights : of the C3D multitask network.
    precision : ``auto`` is bfloat16 where the machine is fast in it.
    detector_weight : how much the detector's score counts in the probability, which is the
        geometric mean of score and network with this weight, 0 to 1. The two networks learnt
        from different views of a place, so that what only one of them believes is seldom true.
    device : where the network runs.

    Raises
    ------
    ConfigError : ``BAD_WEIGHT``.
    """

    name: ClassVar[str] = "malignancy"
    version: ClassVar[int] = 2

    weights: Weights = field(default_factory=partial(Weights.shipped, "malignancy"))
    precision: Precision = "auto"
    detector_weight: float = 0.5
    device: Device = field(default="auto", metadata=SPEED_ONLY)

    def __post_init__(self) -> None:
        if not 0.0 <= self.detector_weight <= 1.0:
            raise ConfigError(
                "the detector's weight is no share",
                code="BAD_WEIGHT",
                expected="0 to 1",
                got=self.detector_weight,
            )

    def run(
        self, *, volume: Volume, candidates: tuple[Candidate, ...], progress: Progress = silent
    ) -> tuple[ScoredCandidate, ...]:
        """Judge candidates in a scan on the canonical 1 mm grid.

        Parameters
        ----------
        volume : HU; beyond its border the network sees air.
        candidates : in any order.
        progress : told the share done.

        Returns
        -------
        One per candidate, the most probable nodule first; the order of equals is kept.

        Raises
        ------
        WeightsError : ``WEIGHTS_CHANGED``.
        InputError : ``NO_CUDA``.
        """
        if not candidates:
            progress(1.0)
            return ()
        # torch is loaded only when there is something to judge
        from nodule.malignancy.predict import Predictor

        predictor = Predictor.load(
            self.weights, device=pick_device(self.device), precision=self.precision
        )
        scored: list[ScoredCandidate] = []
        for start in range(0, len(candidates), _PORTION):
            portion = candidates[start : start + _PORTION]
            scored.extend(self._judge(predictor, volume, portion))
            progress(len(scored) / len(candidates))
        return tuple(sorted(scored, key=lambda item: -item.probability))

    def _judge(
        self, predictor: Predictor, volume: Volume, portion: tuple[Candidate, ...]
    ) -> Iterator[ScoredCandidate]:
        import numpy as np

        from nodule.malignancy.cubes import candidate_cubes

        cubes = [
            candidate_cubes(
                volume.array_zyx,
                center_zyx=volume.geometry.lps_to_index(candidate.center_lps_mm),
                spacing_zyx_mm=volume.geometry.spacing_zyx_mm,
                magnifications_mm=predictor.network.magnifications_mm,
                cube=predictor.network.cube,
            )
            for candidate in portion
        ]
        share = self.detector_weight
        said = predictor.predict(np.stack(cubes))
        for candidate, probability, distribution in zip(
            portion, said.probability.tolist(), said.malignancy.tolist(), strict=True
        ):
            yield ScoredCandidate(
                candidate=candidate,
                probability=probability ** (1 - share) * candidate.score**share,
                malignancy=_malignancy(distribution),
            )


def _malignancy(distribution: list[float]) -> Malignancy:
    one, two, three, four, five = distribution
    return Malignancy(distribution=(one, two, three, four, five))
