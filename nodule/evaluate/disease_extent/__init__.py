"""How much diseased lung is measured: of phantoms against the truth, and of scans. Loads torch."""

from nodule.evaluate.disease_extent._disease_evaluation import DiseaseFigures, evaluate_disease

__all__ = ["DiseaseFigures", "evaluate_disease"]
