"""How well lung masks agree with references, and whether they keep the readers' nodules.

Loads torch.
"""

from nodule.evaluate.lung_masks._lung_evaluation import LungFigures, evaluate_lungs

__all__ = ["LungFigures", "evaluate_lungs"]
