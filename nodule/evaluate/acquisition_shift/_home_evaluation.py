"""What is measured at home, and how well another acquisition is told from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from nodule.chain import Chain
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import EvaluationResult, EvaluationScope
from nodule.evaluate.acquisition_shift._acquisitions import ACQUISITIONS
from nodule.followup import lungs_cut
from nodule.home_ground import HomeGround, noise_and_grain, state_home_ground
from nodule.lidc import WholeScan
from nodule.study import Study
from nodule.training import CropSet, read_study
from nodule.volume import LungMask

AS_IT_IS = "as it is"
_PERCENTILES = (0.0, 1.0, 50.0, 99.0, 100.0)
_FEWEST = 3


@dataclass(frozen=True, kw_only=True)
class MeasuredRange:
    """What a measure is at home: its extremes, percentiles 1 and 99, and median, over n images."""

    lowest: float
    percentile_1: float
    median: float
    percentile_99: float
    highest: float
    n: int


@dataclass(frozen=True, kw_only=True)
class FlaggedShare:
    """How often scans are called off home ground.

    Parameters
    ----------
    flagged : the share of scans.
    auroc : of the distance from home, against the same scans as they are; None for these.
    reasons : what lay outside the limits, by how many scans.
    """

    flagged: Estimate
    auroc: float | None
    reasons: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class HomeFigures:
    """What is measured at home.

    Parameters
    ----------
    scope : what was measured.
    volumes : ranges over the exact volumes of the crop set, by measure.
    noise_of_grain : natural logarithms: intercept and slope of noise over grain there, and the
        standard deviation about that line.
    scans : ranges over the whole scans, by measure.
    acquisitions : how often scans are flagged as they are, and as others might have shown them.
    auroc : of the distance from home, all other acquisitions against the scans as they are.
    """

    scope: EvaluationScope
    volumes: Mapping[str, MeasuredRange]
    noise_of_grain: tuple[float, float, float] | None
    scans: Mapping[str, MeasuredRange]
    acquisitions: Mapping[str, FlaggedShare]
    auroc: Estimate | None


def evaluate_home(
    scans: Sequence[WholeScan],
    *,
    crops: CropSet | None,
    chain: Chain,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> EvaluationResult[HomeFigures]:
    """Measure images at home, and other acquisitions of the same scans.

    Lungs are found once in each scan; nodules are not looked for, so that their number decides
    nothing here, nor does disease.

    Parameters
    ----------
    scans : whole scans.
    crops : a crop set with exact volumes; None for none.
    chain : of which lungs are taken.
    seed : of the noise.
    progress : called with the share done.

    Raises
    ------
    NoduleError : as reading and the stages raise it.
    """
    stated: dict[str, list[HomeGround]] = {name: [] for name in (AS_IT_IS, *ACQUISITIONS)}
    for number, scan in enumerate(scans, start=1):
        for name, home in _stated(scan, chain, seed):
            stated[name].append(home)
        progress(number / len(scans))
    noise, grain = _of_volumes(crops)
    figures = HomeFigures(
        scope=EvaluationScope(evaluation="home", patients=len({scan.patient for scan in scans})),
        volumes=_ranges({"noise_hu": noise, "grain": grain}),
        noise_of_grain=_line(noise, grain),
        scans=_ranges(_by_measure(stated[AS_IT_IS])),
        acquisitions={
            name: _share(each, stated[AS_IT_IS] if name != AS_IT_IS else ())
            for name, each in stated.items()
            if each
        },
        auroc=_auroc(
            [home for name, each in stated.items() if name != AS_IT_IS for home in each],
            stated[AS_IT_IS],
        ),
    )
    return EvaluationResult(figures=figures)


def acquired(study: Study, lungs: LungMask, *, seed: int) -> Iterator[tuple[str, Study]]:
    """Return a scan as it is, then as every other acquisition might have shown it."""
    yield AS_IT_IS, study
    for name, acquire in ACQUISITIONS.items():
        yield name, acquire(study, lungs, np.random.default_rng(seed))


def _stated(scan: WholeScan, chain: Chain, seed: int) -> Iterator[tuple[str, HomeGround]]:
    study = read_study(scan)
    lungs = chain.on(study).lungs
    for name, shown in acquired(study, lungs, seed=seed):
        home = state_home_ground(
            shown, lungs, whole=not lungs_cut(lungs), finding_count=None, disease=None
        )
        yield name, home


def _of_volumes(crops: CropSet | None) -> tuple[list[float], list[float]]:
    noise: list[float] = []
    grain: list[float] = []
    if crops is not None:
        for record in crops.records:
            if record.kind == "voi":
                hu = crops.load(record).volume.array_zyx.astype(np.float32, copy=False)
                found = noise_and_grain(hu)
                noise += [] if found is None else [found[0]]
                grain += [] if found is None else [found[1]]
    return noise, grain


def _line(noise: Sequence[float], grain: Sequence[float]) -> tuple[float, float, float] | None:
    if len(noise) < _FEWEST:
        return None
    x, y = np.log(grain), np.log(noise)
    slope, intercept = np.polyfit(x, y, 1)
    return float(intercept), float(slope), float(np.std(y - intercept - slope * x))


def _by_measure(stated: Sequence[HomeGround]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for home in stated:
        for name, value in vars(home.measures).items():
            if value is not None:
                found.setdefault(name, []).append(value)
    return found


def _ranges(measured: Mapping[str, Sequence[float]]) -> dict[str, MeasuredRange]:
    ranges = {}
    for name, values in measured.items():
        if values:
            lowest, low, median, high, highest = np.percentile(values, _PERCENTILES).tolist()
            ranges[name] = MeasuredRange(
                lowest=lowest,
                percentile_1=low,
                median=median,
                percentile_99=high,
                highest=highest,
                n=len(values),
            )
    return ranges


def _share(stated: Sequence[HomeGround], as_they_are: Sequence[HomeGround]) -> FlaggedShare:
    flagged = sum(not home.is_home for home in stated)
    reasons: dict[str, int] = {}
    for home in stated:
        for reason in home.unmet:
            reasons[reason.name] = reasons.get(reason.name, 0) + 1
    found = _auroc(stated, as_they_are)
    return FlaggedShare(
        flagged=wilson(flagged, len(stated)),
        auroc=None if found is None else found.value,
        reasons=reasons,
    )


def wilson(count: int, n: int) -> Estimate:
    """Return a share of independent cases with its 95 % interval (Wilson 1927)."""
    z = 1.959964
    share = count / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return Estimate(
        value=share, low=min(max(middle - half, 0.0), share), high=max(middle + half, share), n=n
    )


def _auroc(shifted: Sequence[HomeGround], as_they_are: Sequence[HomeGround]) -> Estimate | None:
    if not shifted or not as_they_are:
        return None
    truth = [1] * len(shifted) + [0] * len(as_they_are)
    scores = [home.distance for home in (*shifted, *as_they_are)]
    return Estimate(value=float(roc_auc_score(truth, scores)), n=len(truth))
