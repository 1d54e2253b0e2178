"""How well nodules are found, on whole scans and on crops, and how fast. Loads torch."""

from nodule.evaluate.nodule_detection._detection_evaluation import DetectionRun, run_detection
from nodule.evaluate.nodule_detection._detection_figures import DetectionFigures
from nodule.evaluate.nodule_detection._detection_result import detection_result
from nodule.evaluate.nodule_detection._detector_speed import Benchmark, Cost, benchmark

__all__ = [
    "Benchmark",
    "Cost",
    "DetectionFigures",
    "DetectionRun",
    "benchmark",
    "detection_result",
    "run_detection",
]
