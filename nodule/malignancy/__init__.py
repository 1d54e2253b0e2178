"""Is it a nodule, and is it malignant: an ensemble of 3D networks, calibrated and explained."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.malignancy._answers import LEVELS, NOMINAL
    from nodule.malignancy._calibration import (
        Calibration,
        calibration_path,
        mean_rating,
        temper,
        width,
    )
    from nodule.malignancy._ensemble import Ensemble
    from nodule.malignancy._predict import Predictor
    from nodule.malignancy.saliency_stage import MapSaliency
    from nodule.malignancy.stage import ScoreMalignancy

__all__ = [
    "LEVELS",
    "NOMINAL",
    "Calibration",
    "Ensemble",
    "MapSaliency",
    "Predictor",
    "ScoreMalignancy",
    "calibration_path",
    "mean_rating",
    "temper",
    "width",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_answers": ["LEVELS", "NOMINAL"],
        "_calibration": ["Calibration", "calibration_path", "mean_rating", "temper", "width"],
        "_ensemble": ["Ensemble"],
        "_predict": ["Predictor"],
        "saliency_stage": ["MapSaliency"],
        "stage": ["ScoreMalignancy"],
    },
)
