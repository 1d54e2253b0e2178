"""How much of the lungs is diseased beyond nodules."""

from nodule.disease.stage import MeasureDisease

__all__ = ["MeasureDisease"]
