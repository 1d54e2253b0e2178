"""The stage that scores candidates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from nodule.errors import ConfigError
from nodule.findings import Candidate, Characteristics, Malignancy, ScoredCandidate
from nodule.inference import SPEED_ONLY, Device, Engine, Precision
from nodule.malignancy._calibration import Calibration, mean_rating
from nodule.progress import Progress, silent
from nodule.ranges import Share, check_fields
from nodule.volume import Volume
from nodule.weights import Weights

if TYPE_CHECKING:
    from nodule.malignancy._answers import SeesCubes
    from nodule.malignancy._ensemble import Ensemble, EnsemblePrediction

_IN_OUR_WORDS = {"internalStructure": "internal_structure"}  # LIDC-IDRI's XML spells it so
_PORTION = 16  # candidates between two reports of progress


@dataclass(frozen=True, kw_only=True)
class ScoreMalignancy:
    """Give every candidate a probability of being a nodule, a suspicion of malignancy and a look.

    None is dropped: where to cut is left to what turns scored candidates into findings.

    Parameters
    ----------
    weights : of the ensemble's members, C3D multitask networks; by default all that the package
        brings.
    calibration : how to read their distributions; it must have been fitted with these weights.
        None leaves the distributions as they are, and never abstains.
    precision : ``auto`` is bfloat16 where the machine is fast in it.
    detector_weight : how much the detector's score counts in the probability, which is the
        geometric mean of score and network with this weight, 0 to 1. The two networks learned
        from different views of a place, so that what only one of them believes is seldom true.
    device : where the network runs.
    engine : what runs it.

    Raises
    ------
    ConfigError : ``BAD_VALUE`` or ``NO_MEMBERS``.
    WeightsError : ``FOREIGN_CALIBRATION``.
    """

    name: ClassVar[str] = "malignancy"
    version: ClassVar[int] = 6

    weights: tuple[Weights, ...] = field(
        default_factory=partial(Weights.shipped_members, "malignancy")
    )
    calibration: Calibration | None = field(
        default_factory=partial(Calibration.shipped, "malignancy")
    )
    precision: Precision = "auto"
    detector_weight: Share = 0.5
    device: Device = field(default="auto", metadata=SPEED_ONLY)
    engine: Engine = field(default="auto", metadata=SPEED_ONLY)

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.weights:
            raise ConfigError("an ensemble without members", code="NO_MEMBERS")
        if self.calibration is not None:
            self.calibration.check(self.weights)

    def run(
        self, *, volume: Volume, candidates: tuple[Candidate, ...], progress: Progress = silent
    ) -> tuple[ScoredCandidate, ...]:
        """Score candidates in a scan on the canonical 1 mm grid.

        Parameters
        ----------
        volume : HU; beyond its border the network sees air.
        candidates : in any order.
        progress : called with the share done.

        Returns
        -------
        One per candidate, the most probable nodule first; the order of equals is kept.

        Raises
        ------
        NoduleError : as :meth:`ensemble`.
        """
        if not candidates:
            progress(1.0)
            return ()
        ensemble = self.ensemble()
        scored: list[ScoredCandidate] = []
        for start in range(0, len(candidates), _PORTION):
            portion = candidates[start : start + _PORTION]
            said = ensemble.predict(partial(_cubes, volume, portion))
            scored.extend(self.reported(said, portion))
            progress(len(scored) / len(candidates))
        return tuple(sorted(scored, key=lambda item: -item.probability))

    def ensemble(self) -> Ensemble:
        """Open the networks.

        Raises
        ------
        WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
        NoduleError : as :func:`nodule.inference.open_network`.
        """
        from nodule.malignancy._ensemble import Ensemble

        return Ensemble.load(
            self.weights, device=self.device, precision=self.precision, engine=self.engine
        )

    def reported(
        self, said: EnsemblePrediction, candidates: Sequence[Candidate]
    ) -> Iterator[ScoredCandidate]:
        """Turn what the ensemble says of candidates, item by item, into what is reported."""
        share = self.detector_weight
        for candidate, probability, malignancy, characteristics in zip(
            candidates,
            said.probability.tolist(),
            self._read(said.distributions),
            _characteristics(said.ratings),
            strict=True,
        ):
            yield ScoredCandidate(
                candidate=candidate,
                probability=probability ** (1 - share) * candidate.score**share,
                malignancy=malignancy,
                characteristics=characteristics,
            )

    def _read(self, distributions: NDArray[np.float32]) -> Iterator[Malignancy]:
        """Turn what the members said, [member, item, 5], into what is reported."""
        calibration = self.calibration
        read = distributions if calibration is None else calibration.apply(distributions)
        shared, deviations = read.mean(axis=0), mean_rating(read).std(axis=0)
        for distribution, sd in zip(shared.tolist(), deviations.tolist(), strict=True):
            one, two, three, four, five = distribution
            malignancy = Malignancy(distribution=(one, two, three, four, five), ensemble_sd=sd)
            if calibration is not None:
                malignancy = replace(
                    malignancy,
                    suspicion=float(calibration.suspicion(distribution)),
                    rating=float(calibration.rating(distribution)),
                    indeterminate=bool(calibration.abstains(distribution)),
                )
            yield malignancy


def _characteristics(ratings: Mapping[str, NDArray[np.float32]]) -> Iterator[Characteristics]:
    """Return each item's characteristics but for its malignancy, which is calibrated apart."""
    named = {
        _IN_OUR_WORDS.get(name, name): shares.tolist()
        for name, shares in ratings.items()
        if name != "malignancy"
    }
    for item in range(len(ratings["malignancy"])):
        yield Characteristics(**{name: tuple(shares[item]) for name, shares in named.items()})


def _cubes(
    volume: Volume, portion: tuple[Candidate, ...], network: SeesCubes
) -> NDArray[np.float32]:
    from nodule.malignancy._cubes import candidate_cubes

    return np.stack(
        [
            candidate_cubes(
                volume.array_zyx,
                center_zyx=volume.geometry.lps_to_index(candidate.center_lps_mm),
                spacing_zyx_mm=volume.geometry.spacing_zyx_mm,
                magnifications_mm=network.magnifications_mm,
                cube=network.cube,
            )
            for candidate in portion
        ]
    )
