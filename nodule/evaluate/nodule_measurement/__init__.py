"""How well masks, volumes and textures of nodules agree with readers and with known volumes."""

from nodule.evaluate.nodule_measurement._mask_evaluation import MaskFigures, evaluate_masks
from nodule.evaluate.nodule_measurement._phantom_evaluation import (
    VolumeFigures,
    evaluate_phantoms,
)

__all__ = ["MaskFigures", "VolumeFigures", "evaluate_masks", "evaluate_phantoms"]
