"""How well nodules are found, on whole scans and on crops. Loads torch."""

from nodule.evaluate.nodule_detection._detection_evaluation import DetectionRun, run_detection
from nodule.evaluate.nodule_detection._detection_figures import DetectionFigures
from nodule.evaluate.nodule_detection._detection_result import detection_result

__all__ = [
    "DetectionFigures",
    "DetectionRun",
    "detection_result",
    "run_detection",
]
