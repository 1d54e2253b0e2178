"""What ``import nodule`` offers: from a study to its report in a few calls."""

from __future__ import annotations

from pathlib import Path

from nodule.chain import Chain
from nodule.ct import inventory
from nodule.detection import Detection
from nodule.inference import Device
from nodule.progress import StageProgress, silent_stages
from nodule.saliency import Answer
from nodule.study import Study


def detect(
    study: Study | Path | str,
    *,
    chain: Chain | None = None,
    fp_per_scan: float | None = None,
    threshold: float | None = None,
    saliency: Answer | None = None,
    device: Device = "auto",
    progress: StageProgress = silent_stages,
) -> Detection:
    """Find, measure and score the lung nodules of one study.

    Parameters
    ----------
    study : as :func:`nodule.ct.read_ct` returns it, or what that function takes.
    chain : the configured stages; by default as they ship.
    fp_per_scan, threshold : as :meth:`nodule.chain.Chain.at_operating_point`; neither leaves the
        chain's own.
    saliency : the answer of the networks for which to map what raised it; None for no maps.
    device : where networks run; ``auto`` leaves it to the chain, and so to CUDA where there is one.
    progress : called with each stage's name and the share of it that is done, such as ``print``.

    Raises
    ------
    NoduleError : as reading and the stages raise it.

    Examples
    --------
    >>> found = detect("STUDY", progress=print)  # doctest: +SKIP
    >>> found.findings[0].id  # doctest: +SKIP
    'N1'
    """
    asked = Chain() if chain is None else chain
    if device != "auto":
        asked = asked.on_device(device)
    asked = asked.at_operating_point(fp_per_scan=fp_per_scan, threshold=threshold)
    if saliency is not None:
        asked = asked.explaining(saliency)
    given = study if isinstance(study, Study) else inventory(Path(study)).choose()
    return asked.run(given, progress=progress)
