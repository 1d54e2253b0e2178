"""Is it a nodule, and is it malignant: an ensemble of 3D networks, calibrated and explained."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "Calibration": "_calibration",
    "Ensemble": "_ensemble",
    "MapSaliency": "saliency_stage",
    "Predictor": "_predict",
    "ScoreMalignancy": "stage",
    "calibration_path": "_calibration",
    "mean_rating": "_calibration",
    "temper": "_calibration",
    "width": "_calibration",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
