"""From the networks' ratings of a crop set to figures, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate._confusion import ConfusionMatrix, report
from nodule.evaluate._evaluation_result import (
    EvaluationResult,
    FileWriter,
    write_csv,
)
from nodule.evaluate._nodule_groups import size_class
from nodule.evaluate.malignancy_rating._calibrated_ratings import (
    CalibratedRatings,
    as_seen_in,
    calibrated_ratings,
)
from nodule.evaluate.malignancy_rating._calibration_fit import split
from nodule.evaluate.malignancy_rating._characteristic_figures import characteristic_agreement
from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction
from nodule.evaluate.malignancy_rating._malignancy_card import card_rows
from nodule.evaluate.malignancy_rating._malignancy_evaluation import MalignancyRun
from nodule.evaluate.malignancy_rating._malignancy_figures import MalignancyFigures, MalignancyGroup
from nodule.evaluate.malignancy_rating._rating_baselines import (
    BaselineComparison,
    against_baselines,
    cross_validated,
)
from nodule.evaluate.malignancy_rating._rating_scale import LEVELS, ClassCounts, round_half_up
from nodule.evaluate.malignancy_rating._reader_agreement import (
    context_shift,
    core_agreement,
    reader_agreement,
    surroundings,
)
from nodule.evaluate.malignancy_rating._reader_ceiling import (
    reader_ceiling,
    scale_ends,
    size_matched,
)
from nodule.lidc import texture_class
from nodule.training import Kind

_KINDS: tuple[Kind, ...] = ("stack", "voi", "crop51")
_FEWEST = 10  # nodules of a group that figures are given for


def malignancy_result(
    run: MalignancyRun, *, bootstrap: BootstrapSettings
) -> EvaluationResult[MalignancyFigures]:
    """Sum up a run.

    Parameters
    ----------
    bootstrap : draws of the patients.
    """
    figures = malignancy_figures(run, bootstrap=bootstrap)
    return EvaluationResult(
        figures=figures, files=_files(run.found), card=card_rows(figures, folds=run.folds)
    )


def malignancy_figures(run: MalignancyRun, *, bootstrap: BootstrapSettings) -> MalignancyFigures:
    """Return every figure of a run with its interval."""
    found = run.found
    truth, said = round_half_up(found.truth), round_half_up(found.score)
    return MalignancyFigures(
        scope=replace(run.scope, bootstrap=bootstrap),
        rated_by=run.rated_by,
        calibration=run.calibration,
        counts=_counts(found),
        thresholds=tuple(sorted({run.choose(each).threshold for each in found.predicted})),
        agreement=reader_agreement(found, bootstrap=bootstrap),
        baselines=_baselines(found, run.features, bootstrap=bootstrap),
        context=context_shift(found.predicted, bootstrap=bootstrap),
        surroundings=surroundings(run.around, bootstrap=bootstrap),
        confusion=ConfusionMatrix.of(truth, said, labels=LEVELS),
        classification=report(truth, said, labels=LEVELS),
        ceiling=reader_ceiling(found, bootstrap=bootstrap),
        size_matched=size_matched(found, bootstrap=bootstrap),
        ends=scale_ends(found, bootstrap=bootstrap),
        characteristics=characteristic_agreement(found.predicted, bootstrap=bootstrap),
        by_size=_grouped(found, _size, bootstrap=bootstrap),
        by_texture=_grouped(found, _texture, bootstrap=bootstrap),
        by_source={
            kind: _group(calibrated_ratings(seen, run.choose), bootstrap=bootstrap)
            for kind in _KINDS
            if len(seen := as_seen_in(found.predicted, kind)) >= _FEWEST
        },
    )


def _baselines(
    found: CalibratedRatings, features: NDArray[np.float64], *, bootstrap: BootstrapSettings
) -> dict[str, BaselineComparison]:
    by_patient = split(found.predicted)
    folds = [by_patient[patient] for patient in found.patients]
    plain = {"diameter": np.log(found.diameter_mm), "radiomics": features}
    scores = {name: cross_validated(x, found.truth, folds) for name, x in plain.items()}
    return against_baselines(found, scores, bootstrap=bootstrap)


def _counts(found: CalibratedRatings) -> ClassCounts:
    return ClassCounts.of(found.votes, found.patients)


def _grouped(
    found: CalibratedRatings,
    name_of: Callable[[NodulePrediction], str],
    *,
    bootstrap: BootstrapSettings,
) -> dict[str, MalignancyGroup]:
    names = np.array([name_of(each) for each in found.predicted])
    return {
        name: _group(found.take(np.flatnonzero(names == name)), bootstrap=bootstrap)
        for name in sorted(set(names.tolist()))
    }


def _group(found: CalibratedRatings, *, bootstrap: BootstrapSettings) -> MalignancyGroup:
    enough = len(found.predicted) >= _FEWEST
    return MalignancyGroup(
        counts=_counts(found),
        agreement=core_agreement(found, bootstrap=bootstrap) if enough else None,
    )


def _size(each: NodulePrediction) -> str:
    return f"{size_class(each.record.diameter_mm)} mm"


def _texture(each: NodulePrediction) -> str:
    votes = each.votes.get("texture", ())
    return texture_class([rating for rating, n in enumerate(votes, start=1) for _ in range(n)])


def _files(found: CalibratedRatings) -> dict[str, FileWriter]:
    def tabulate(path: Path) -> None:
        rows = list(nodule_rows(found))
        write_csv(path, list(rows[0]), (row.values() for row in rows))

    def drawn(name: str) -> FileWriter:
        def draw(path: Path) -> None:
            from nodule.evaluate.malignancy_rating._malignancy_plots import draw_figure

            draw_figure(name, path, found)

        return draw

    names = ("roc", "reliability", "confusion", "scatter")
    pictures = {f"{name}.{kind}": drawn(name) for name in names for kind in ("png", "svg")}
    return {"nodules.csv": tabulate} | pictures


def nodule_rows(found: CalibratedRatings) -> Iterator[dict[str, object]]:
    """Yield a row of a table per nodule."""
    columns: Sequence[NDArray[Any]] = (found.score, found.suspicion, found.called, found.abstained)
    for each, distribution, raw, (score, suspicion, called, abstained) in zip(
        found.predicted, found.distribution, found.raw, zip(*columns, strict=True), strict=True
    ):
        yield {
            "patient_id": each.record.patient_id,
            "fold": each.record.fold,
            "nodule": each.record.nodule_key,
            "diameter_mm": f"{each.record.diameter_mm:.2f}",
            "votes": "|".join(map(str, each.votes["malignancy"])),
            "members": len(each.distributions),
            "probability": f"{each.probability:.4f}",
            "network_diameter_mm": f"{each.diameter_mm:.2f}",
            "rating": f"{score:.4f}",
            "suspicion": f"{suspicion:.4f}",
            "called": int(called),
            "abstained": int(abstained),
            **{f"p{rating}": f"{p:.4f}" for rating, p in zip(LEVELS, distribution, strict=True)},
            **{f"raw_p{rating}": f"{p:.4f}" for rating, p in zip(LEVELS, raw, strict=True)},
        }
