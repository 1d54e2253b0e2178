"""Made-up figures of the malignancy networks, by hand."""

import numpy as np

from nodule.evaluate._confusion import ConfusionMatrix, report
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import EvaluationScope
from nodule.evaluate.malignancy_rating._agreement_figures import (
    CoreAgreement,
    ReaderAgreement,
    SurroundingsFigures,
)
from nodule.evaluate.malignancy_rating._characteristic_figures import CharacteristicAgreement
from nodule.evaluate.malignancy_rating._malignancy_figures import MalignancyFigures, MalignancyGroup
from nodule.evaluate.malignancy_rating._rating_baselines import BaselineComparison
from nodule.evaluate.malignancy_rating._rating_scale import LEVELS, ClassCounts
from nodule.evaluate.malignancy_rating._reader_ceiling import ScaleEnds, SizeMatched


def estimate(value: float, low: float, high: float, n: int) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=n)


def counts(n: int, n_benign: int, n_malignant: int) -> ClassCounts:
    return ClassCounts(
        n=n, n_patients=n, n_benign=n_benign, n_malignant=n_malignant,
        n_dropped_at_3=n - n_benign - n_malignant, n_rated_by_several=n,
    )  # fmt: skip


LEVEL = np.array([1, 5])
FIGURES = MalignancyFigures(
    scope=EvaluationScope(evaluation="malignancy", patients=10),
    rated_by="all members",
    calibration="cross-fitted on other folds",
    counts=counts(10, 4, 3),
    thresholds=(0.281, 0.334),
    agreement=ReaderAgreement(
        auc=estimate(0.9, 0.8, 0.95, 7),
        ece_before=estimate(0.12, 0.1, 0.2, 7),
        mae=estimate(0.4, 0.3, 0.5, 10),
        of_rated=CoreAgreement(mae=estimate(0.3, 0.2, 0.4, 8)),
        of_abstained=CoreAgreement(),
    ),
    baselines={
        "diameter": BaselineComparison(auc=estimate(0.85, 0.8, 0.9, 7), auc_beyond=None),
    },
    context=None,
    surroundings=SurroundingsFigures(
        n_deep_views=2, n_other_places=6, nodule_auc=estimate(0.99, 0.98, 1.0, 2)
    ),
    confusion=ConfusionMatrix.of(LEVEL, LEVEL, labels=LEVELS),
    classification=report(LEVEL, LEVEL, labels=LEVELS),
    ceiling=None,
    size_matched=SizeMatched(auc=estimate(0.8, 0.7, 0.9, 10), n_pairs=12),
    ends=ScaleEnds(of_high=estimate(4.5, 4.2, 4.7, 3)),
    characteristics={
        "spiculation": CharacteristicAgreement(kappa=estimate(0.5, 0.4, 0.6, 10)),
    },
    by_size={
        "<6 mm": MalignancyGroup(
            counts=counts(5, 2, 1), agreement=CoreAgreement(auc=estimate(0.7, 0.5, 0.9, 3))
        ),
        "6-<10 mm": MalignancyGroup(counts=counts(2, 1, 1), agreement=None),
    },
    by_texture={},
    by_source={},
)
