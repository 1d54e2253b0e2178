"""FROC and CPM of a submission by LUNA16's rules."""

from nodule.evaluate.luna16_froc._froc_evaluation import FrocFigures, evaluate_froc

__all__ = ["FrocFigures", "evaluate_froc"]
