"""The stage that explains the judgement of findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from annotated_types import Interval

from nodule.errors import InputError
from nodule.findings import Assessment, Candidate, Finding, ScoredCandidate
from nodule.inference import pick_device
from nodule.malignancy._ensemble import Ensemble, finders, raters
from nodule.malignancy._predict import explained_network
from nodule.malignancy.stage import ScoreMalignancy
from nodule.progress import Progress, silent
from nodule.ranges import check_fields
from nodule.saliency import Answer, SaliencyMap
from nodule.volume import Volume

if TYPE_CHECKING:
    from nodule.malignancy._grad_cam import ReceptiveField
    from nodule.malignancy.network import C3DMultitask


@dataclass(frozen=True, kw_only=True)
class MapSaliency:
    """Show for every finding what raised an answer of the networks, and check what is shown.

    Parameters
    ----------
    scorer : the stage whose answers are explained, and by which they are asked again.
    answer : the mean malignancy rating, or the networks' own probability of a nodule, without
        the detector's score.
    draws : how often a part of the cube is hidden at random, to compare.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    name: ClassVar[str] = "explain"
    version: ClassVar[int] = 1

    scorer: ScoreMalignancy = field(default_factory=ScoreMalignancy)
    answer: Answer = "malignancy"
    draws: Annotated[int, Interval(ge=1, le=1000)] = 8

    def __post_init__(self) -> None:
        check_fields(self)

    def run(
        self,
        *,
        volume: Volume,
        scored: tuple[ScoredCandidate, ...],
        findings: tuple[Finding, ...],
        progress: Progress = silent,
    ) -> tuple[SaliencyMap, ...]:
        """Explain findings in a scan on the canonical 1 mm grid.

        Parameters
        ----------
        volume : HU, as it was scored.
        scored : what the scorer said; the cube that it looked at is the one explained.
        findings : made of some of these.
        progress : called with the share done.

        Returns
        -------
        One per finding, in their order.

        Raises
        ------
        InputError : ``UNKNOWN_FINDING`` for a finding that was made of nothing here, ``NO_CUDA``.
        WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
        NoduleError : as :func:`nodule.inference.open_network`.
        """
        if not findings:
            progress(1.0)
            return ()
        # torch is loaded only when there is something to explain
        device = pick_device(self.scorer.device)
        asked = finders if self.answer == "nodule" else raters
        networks = [explained_network(each, device) for each in asked(self.scorer.weights)]
        ensemble = self.scorer.ensemble()
        maps: list[SaliencyMap] = []
        for finding in findings:
            place = _seen_as(finding, scored)
            maps.append(self._explain(networks, ensemble, volume, finding, place))
            progress(len(maps) / len(findings))
        return tuple(maps)

    def _explain(
        self,
        networks: Sequence[C3DMultitask],
        ensemble: Ensemble,
        volume: Volume,
        finding: Finding,
        candidate: Candidate,
    ) -> SaliencyMap:
        from nodule.malignancy._grad_cam import ReceptiveField, saliency_map
        from nodule.malignancy._saliency_checks import check_saliency

        place = ReceptiveField.cut(volume, center_lps_mm=candidate.center_lps_mm, networks=networks)
        saliency = saliency_map(networks, place, answer=self.answer)
        checks = check_saliency(
            saliency,
            place=place,
            answer=self.answer,
            networks=networks,
            scores=lambda places: self._scores(ensemble, places, candidate),
            draws=self.draws,
        )
        return SaliencyMap(
            finding_id=finding.nodule.id,
            answer=self.answer,
            saliency_zyx=saliency.array_zyx.astype(np.float16),
            geometry=saliency.geometry,
            checks=checks,
        )

    def _scores(
        self, ensemble: Ensemble, places: Sequence[ReceptiveField], candidate: Candidate
    ) -> list[float]:
        """Score one candidate again as different places show it."""
        from nodule.malignancy._grad_cam import field_cubes

        alone = replace(self.scorer, detector_weight=0.0)
        said = alone.reported(
            ensemble.predict(partial(field_cubes, places)), [candidate] * len(places)
        )
        if self.answer == "nodule":
            return [each.probability for each in said]
        return [each.malignancy.score for each in said]


def _seen_as(finding: Finding, scored: tuple[ScoredCandidate, ...]) -> Candidate:
    """Return the candidate of which a finding was made: it has its answers, and lies nearest."""
    nodule = finding.nodule
    same = [
        each.candidate
        for each in scored
        if Assessment(
            probability=each.probability,
            malignancy=each.malignancy,
            characteristics=each.characteristics,
        )
        == finding.assessment
    ]
    if not same:
        raise InputError(
            f"{nodule.id} was made of none of these candidates", code="UNKNOWN_FINDING"
        )
    return min(
        same,
        key=lambda c: float(np.linalg.norm(np.subtract(c.center_lps_mm, nodule.center_lps_mm))),
    )
