"""How good answers are: evaluations against readers, references and synthetic truth."""

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate._estimate import ErrorPercentiles, Estimate, LimitsOfAgreement
from nodule.evaluate._evaluation_result import (
    EvaluationFigures,
    EvaluationResult,
    EvaluationScope,
)

__all__ = [
    "BootstrapSettings",
    "ErrorPercentiles",
    "Estimate",
    "EvaluationFigures",
    "EvaluationResult",
    "EvaluationScope",
    "LimitsOfAgreement",
]
