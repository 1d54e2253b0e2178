"""How well ratings of malignancy agree with the readers'. Loads torch and scikit-learn."""

from nodule.evaluate.malignancy_rating._malignancy_evaluation import MalignancyRun, run_malignancy
from nodule.evaluate.malignancy_rating._malignancy_figures import MalignancyFigures
from nodule.evaluate.malignancy_rating._malignancy_result import malignancy_result
from nodule.evaluate.malignancy_rating._transfer_evaluation import (
    TransferFigures,
    evaluate_transfer,
)

__all__ = [
    "MalignancyFigures",
    "MalignancyRun",
    "TransferFigures",
    "evaluate_transfer",
    "malignancy_result",
    "run_malignancy",
]
