"""``nodule evaluate measure``: segmented masks against the readers' outlines of a crop set."""

from __future__ import annotations

from pipelines.cli._evaluation_options import (
    CropSetOption,
    DrawsOption,
    FoldsOption,
    OutTableOption,
    SeedOption,
)
from pipelines.cli._evaluation_output import publish


def measure(
    data: CropSetOption,
    fold: FoldsOption = None,
    out: OutTableOption = None,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
) -> None:
    """Measure the agreement of masks, volumes and textures with radiologists.

    Each nodule that three or more readers outlined is segmented from a point 0.14 diameters away
    from its centre, with its size guessed 20 % too small or 25 % too large. The reference is what
    half of the readers outlined; each reader is compared with the same consensus of the others.
    Volume errors are relative to the mean of both, with bias and 95 % limits of agreement. Also
    measured are how often the stated interval of the volume contains that of the readers, and the
    texture against their mean rating. The constants of the method were chosen on folds 1 to 3.
    The last line on stdout is JSON.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.nodule_measurement import evaluate_masks
    from nodule.training import CropSet

    result = evaluate_masks(
        CropSet.open(data),
        keep=lambda record: not fold or record.fold in fold,
        bootstrap=BootstrapSettings(draws=draws, seed=seed),
    )
    publish(result, table=out)
