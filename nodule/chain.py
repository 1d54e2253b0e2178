"""The chain of stages from a study to its findings, and the only place that states its order.

Each field of :class:`Chain` is a stage; its declaration says what the stage reads by which name,
and the type of what it returns. The flow with a cache is made from the same declaration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any, cast

from nodule.candidates import ProposeCandidates
from nodule.ct import ReadCt, SeriesSource
from nodule.detection import Detection
from nodule.disease import MeasureDisease
from nodule.errors import ConfigError, UsageError
from nodule.findings import Candidate, Finding, ScoredCandidate
from nodule.lung_disease import LungDisease
from nodule.lungs import SegmentLungs
from nodule.malignancy import MapSaliency, ScoreMalignancy
from nodule.measure.stage import Measure
from nodule.progress import StageProgress, silent_stages
from nodule.resample import Resample
from nodule.saliency import Answer, SaliencyMap
from nodule.stage_record import StageRecord
from nodule.study import Study
from nodule.volume import LungMask, Volume

SERIES = "series"
"""Name under which the first stage reads what comes from outside, a chosen series."""

_LINK = "link"


@dataclass(frozen=True, kw_only=True)
class Link:
    """How a stage is tied to the others.

    Parameters
    ----------
    inputs : by keyword of the stage's ``run``, the name of the stage whose output it reads, or
        ``name.attribute`` for one attribute of that output; :data:`SERIES` is the raw input.
    output : data type of what ``run`` returns.
    """

    inputs: Mapping[str, str]
    output: Any


def _reads(output: Any, **inputs: str) -> Mapping[str, Link]:
    """Declare what a stage returns, and what it reads by which keyword."""
    return {_LINK: Link(inputs=MappingProxyType(inputs), output=output)}


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The stages, configured, in the order in which they run; by default as they ship.

    Parameters
    ----------
    read_ct, resample, lungs, candidates, malignancy, measure, disease : the stages.
    explain : shows for each finding what raised an answer of ``malignancy``; None for no maps.

    Raises
    ------
    ConfigError : ``OTHER_NETWORKS`` when ``explain`` explains other networks than ``malignancy``.
    """

    read_ct: ReadCt = field(default_factory=ReadCt, metadata=_reads(Study, source=SERIES))
    resample: Resample = field(
        default_factory=Resample, metadata=_reads(Volume, volume="read_ct.volume")
    )
    lungs: SegmentLungs = field(
        default_factory=SegmentLungs,
        metadata=_reads(LungMask, volume="resample", series="read_ct.series"),
    )
    candidates: ProposeCandidates = field(
        default_factory=ProposeCandidates,
        metadata=_reads(tuple[Candidate, ...], volume="resample", lungs="lungs"),
    )
    malignancy: ScoreMalignancy = field(
        default_factory=ScoreMalignancy,
        metadata=_reads(tuple[ScoredCandidate, ...], volume="resample", candidates="candidates"),
    )
    measure: Measure = field(
        default_factory=Measure,
        metadata=_reads(tuple[Finding, ...], study="read_ct", lungs="lungs", scored="malignancy"),
    )
    disease: MeasureDisease = field(
        default_factory=MeasureDisease,
        metadata=_reads(LungDisease, volume="resample", lungs="lungs", findings="measure"),
    )
    explain: MapSaliency | None = field(
        default=None,
        metadata=_reads(
            tuple[SaliencyMap, ...], volume="resample", scored="malignancy", findings="measure"
        ),
    )

    def __post_init__(self) -> None:
        if self.explain is not None and self.explain.scorer != self.malignancy:
            raise ConfigError(
                "the saliency stage uses other networks than the malignancy stage of the chain",
                code="OTHER_NETWORKS",
                expected="the malignancy stage itself",
                hint="Chain.explaining makes the stage that fits.",
            )

    @classmethod
    def links(cls) -> dict[str, Link]:
        """Return how each stage is tied to the others, by name, in order."""
        return {each.name: each.metadata[_LINK] for each in fields(cls)}

    @classmethod
    def stage_types(cls) -> tuple[type[Any], ...]:
        """Return the classes of the stages that every chain has, in order."""
        made: list[Any] = [each.default_factory for each in fields(cls)]
        return tuple(stage for stage in made if isinstance(stage, type))

    @property
    def stages(self) -> dict[str, Any]:
        """The stages by name, in order, without one that is left out."""
        stages = {name: getattr(self, name) for name in self.links()}
        return {name: stage for name, stage in stages.items() if stage is not None}

    @property
    def records(self) -> tuple[StageRecord, ...]:
        """What is on record of each stage, in order."""
        return tuple(StageRecord.of(stage) for stage in self.stages.values())

    def computed_by(self, **computing: str) -> Chain:
        """Return the chain with every network on a ``device``, run by an ``engine``, or both."""
        moved = {
            name: replace(stage, **computing)
            for name, stage in self.stages.items()
            if computing.keys() <= {each.name for each in fields(stage)}
        }
        chain = replace(self, explain=None, **moved)
        if self.explain is None:
            return chain
        return replace(chain, explain=replace(self.explain, scorer=chain.malignancy))

    def explaining(self, answer: Answer = "malignancy") -> Chain:
        """Return the chain with a last stage that shows what raised an answer."""
        return replace(self, explain=MapSaliency(scorer=self.malignancy, answer=answer))

    def at_operating_point(
        self, *, fp_per_scan: float | None = None, threshold: float | None = None
    ) -> Chain:
        """Return the chain with another lowest probability of a finding.

        Parameters
        ----------
        fp_per_scan : false positives per scan of the detector and the malignancy classifier
            together; measuring, which follows, only takes detections away.
        threshold : the lowest probability itself. With neither the chain stays as it is.

        Raises
        ------
        UsageError : ``TWO_OPERATING_POINTS`` when both are given.
        WeightsError : as :meth:`nodule.candidates._operating.OperatingTable.beside`.
        """
        if fp_per_scan is not None and threshold is not None:
            raise UsageError(
                "two operating points are given",
                code="TWO_OPERATING_POINTS",
                hint="Give the false positives per scan or the threshold, not both.",
            )
        if fp_per_scan is not None:
            from nodule.candidates import OperatingTable

            table = OperatingTable.beside(self.candidates.weights, *self.malignancy.weights)
            threshold = table.threshold_for(fp_per_scan)
        if threshold is None:
            return self
        return replace(self, measure=replace(self.measure, probability_threshold=threshold))

    def on(self, study: Study | SeriesSource, *, progress: StageProgress = silent_stages) -> Pass:
        """Return a pass over one study, in which each stage runs when its output is asked for.

        Parameters
        ----------
        study : as read, or a chosen series, which ``read_ct`` then reads.
        progress : called with each stage's name and the share of it that is done.
        """
        name = "read_ct" if isinstance(study, Study) else SERIES
        return Pass(chain=self, progress=progress, known={name: study})

    def run(
        self, study: Study | SeriesSource, *, progress: StageProgress = silent_stages
    ) -> Detection:
        """Run the whole chain on one study; parameters as :meth:`on`.

        Raises
        ------
        NoduleError : as the stages raise it.
        """
        done = self.on(study, progress=progress)
        for name in self.stages:
            done.output(name)
        return done.detection


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pass:
    """One pass of a chain over one study: what is asked for runs, once, with all that it needs.

    Parameters
    ----------
    chain : the stages.
    progress : called with each stage's name and the share of it that is done.
    known : outputs by stage, and the raw input; filled as stages run.
    """

    chain: Chain
    progress: StageProgress
    known: dict[str, Any]

    @property
    def study(self) -> Study:
        """The study as read."""
        study = cast(Study, self.output("read_ct"))
        source: SeriesSource | None = self.known.get(SERIES)
        return study if source is None else source.as_origin_of(study)

    @property
    def volume(self) -> Volume:
        """The volume on the canonical 1 mm grid, clipped as the networks want it."""
        return cast(Volume, self.output("resample"))

    @property
    def lungs(self) -> LungMask:
        """The lungs on the 1 mm grid."""
        return cast(LungMask, self.output("lungs"))

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What the detector proposes."""
        return cast(tuple[Candidate, ...], self.output("candidates"))

    @property
    def scored(self) -> tuple[ScoredCandidate, ...]:
        """The candidates with probability and malignancy."""
        return cast(tuple[ScoredCandidate, ...], self.output("malignancy"))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The measured findings."""
        return cast(tuple[Finding, ...], self.output("measure"))

    @property
    def disease(self) -> LungDisease:
        """How much of the lungs is diseased beyond nodules."""
        return cast(LungDisease, self.output("disease"))

    @property
    def saliency_maps(self) -> tuple[SaliencyMap, ...]:
        """One map a finding, none where the chain does not explain."""
        if self.chain.explain is None:
            return ()
        return cast(tuple[SaliencyMap, ...], self.output("explain"))

    @property
    def detection(self) -> Detection:
        """What the chain finds."""
        return Detection(
            study=self.study,
            lungs=self.lungs,
            findings=self.findings,
            disease=self.disease,
            patient=self.study.patient,
            stages=self.chain.records,
            saliency_maps=self.saliency_maps,
        )

    def output(self, name: str) -> Any:
        """Return the output of a stage, running what has not run.

        Raises
        ------
        NoduleError : as the stages raise it.
        """
        if name not in self.known:
            inputs = dict(self._inputs(name))
            stage = self.chain.stages[name]
            self.known[name] = stage.run(**inputs, progress=partial(self.progress, name))
        return self.known[name]

    def _inputs(self, name: str) -> Iterator[tuple[str, Any]]:
        for keyword, reference in self.chain.links()[name].inputs.items():
            upstream, _, attribute = reference.partition(".")
            value = self.output(upstream)
            yield keyword, getattr(value, attribute) if attribute else value
