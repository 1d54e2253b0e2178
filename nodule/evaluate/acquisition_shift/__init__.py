"""The same scans as other acquisitions might have shown them, and what is measured at home.

Loads torch where the chain runs.
"""

from nodule.evaluate.acquisition_shift._acquisitions import ACQUISITIONS
from nodule.evaluate.acquisition_shift._home_evaluation import HomeFigures, evaluate_home
from nodule.evaluate.acquisition_shift._shift_evaluation import ShiftEvaluation, evaluate_shift

__all__ = ["ACQUISITIONS", "HomeFigures", "ShiftEvaluation", "evaluate_home", "evaluate_shift"]
