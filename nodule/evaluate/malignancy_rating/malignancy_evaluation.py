"""All figures of an evaluation of the malignancy networks, as JSON takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (  # type: ignore[import-untyped]
    classification_report,
    confusion_matrix,
)

from nodule.evaluate.bootstrap import Interval
from nodule.evaluate.malignancy_rating.calibrated_ratings import (
    Assessment,
    Choose,
    as_seen_in,
    assess,
)
from nodule.evaluate.malignancy_rating.calibration_fit import split
from nodule.evaluate.malignancy_rating.crop_predictions import Discernment, Judgement
from nodule.evaluate.malignancy_rating.rating_baselines import against_baselines, cross_validated
from nodule.evaluate.malignancy_rating.rating_scale import (
    LEVELS,
    class_counts,
    round_half_up,
)
from nodule.evaluate.malignancy_rating.reader_agreement import (
    agreement,
    context_shift,
    core_agreement,
    discernment,
)
from nodule.lidc.texture import texture_class
from nodule.training.nodule_record import Kind

_SIZES_MM = {"<6 mm": (0.0, 6.0), "6-<10 mm": (6.0, 10.0), "10-<20 mm": (10.0, 20.0)}
_LARGE = ">=20 mm"
_KINDS: tuple[Kind, ...] = ("stack", "voi", "crop51")
_FEWEST = 10  # nodules of a group that figures are given for


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings:
    """How often, and from which seed, patients are drawn anew."""

    count: int = 1000
    seed: int = 0


def summarise(
    found: Assessment,
    *,
    choose: Choose,
    features: NDArray[np.float64],
    around: Discernment,
    draws: BootstrapSettings,
) -> dict[str, Any]:
    """Return every figure with its interval, by name.

    Parameters
    ----------
    found : the nodules.
    choose : which calibration read a judgement.
    features : of the baseline, [item, feature].
    around : the nodules' surroundings.
    draws : of the bootstrap.
    """
    often = {"draws": draws.count, "seed": draws.seed}
    by_patient = split(found.judged)
    folds = [by_patient[patient] for patient in found.patients]
    baselines = {"diameter": np.log(found.diameter_mm), "radiomics": features}
    scores = {name: cross_validated(x, found.truth, folds) for name, x in baselines.items()}
    return {
        **_counts(found),
        "thresholds": sorted({choose(each).threshold for each in found.judged}),
        **flat(agreement(found, **often)),
        **flat(against_baselines(found, scores, **often)),
        **flat(context_shift(found.judged, **often)),
        **flat(discernment(around, **often)),
        "n_deep_views": int(around.is_nodule.sum()),
        "n_other_places": int((~around.is_nodule).sum()),
        **_levels(found),
        "by_size": _grouped(found, _size, **often),
        "by_texture": _grouped(found, _texture, **often),
        "by_source": {
            kind: _core(assess(seen, choose), **often)
            for kind in _KINDS
            if len(seen := as_seen_in(found.judged, kind)) >= _FEWEST
        },
    }


def flat(figures: Mapping[str, Interval]) -> dict[str, Any]:
    """Return each figure by its name, and behind it its interval."""
    pairs: dict[str, Any] = {}
    for name, figure in figures.items():
        pairs[name] = figure.estimate
        pairs[f"{name}_interval"] = [figure.lower, figure.upper]
    return pairs


def _counts(found: Assessment) -> dict[str, int]:
    several = int((found.votes.sum(axis=1) > 1).sum())
    return {**class_counts(found.truth, found.patients), "n_rated_by_several": several}


def _levels(found: Assessment) -> dict[str, Any]:
    truth, said = round_half_up(found.truth), round_half_up(found.score)
    return {
        "confusion_matrix": confusion_matrix(truth, said, labels=LEVELS).tolist(),
        "classification_report": classification_report(
            truth, said, labels=LEVELS, output_dict=True, zero_division=0.0
        ),
    }


def _grouped(
    found: Assessment, name_of: Callable[[Judgement], str], *, draws: int, seed: int
) -> dict[str, Any]:
    names = np.array([name_of(each) for each in found.judged])
    groups = {name: np.flatnonzero(names == name) for name in sorted(set(names.tolist()))}
    return {
        name: _core(found.take(index), draws=draws, seed=seed)
        if len(index) >= _FEWEST
        else {"n": len(index)}
        for name, index in groups.items()
    }


def _core(found: Assessment, *, draws: int, seed: int) -> dict[str, Any]:
    return {**_counts(found), **flat(core_agreement(found, draws=draws, seed=seed))}


def _size(each: Judgement) -> str:
    diameter_mm = each.record.diameter_mm
    return next(
        (name for name, (low, high) in _SIZES_MM.items() if low <= diameter_mm < high), _LARGE
    )


def _texture(each: Judgement) -> str:
    votes = each.votes.get("texture", ())
    return texture_class([rating for rating, n in enumerate(votes, start=1) for _ in range(n)])


def rows(found: Assessment) -> Iterator[dict[str, object]]:
    """Yield a row of a table per nodule."""
    columns: Sequence[NDArray[Any]] = (found.score, found.suspicion, found.called, found.abstained)
    for each, distribution, raw, (score, suspicion, called, abstained) in zip(
        found.judged, found.distribution, found.raw, zip(*columns, strict=True), strict=True
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
