"""``nodule dataset detections``: what the detector finds on whole scans, for hard negatives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._options import DeviceOption, WeightsOption, out_option
from pipelines.cli._summary import summarise

_LOWEST_SCORE = 0.01


def detections(
    scans: Annotated[
        list[Path], typer.Argument(metavar="SCAN", help="CT studies, or folders of studies.")
    ],
    out: Annotated[Path, out_option("Table to write.", metavar="CSV", dir_okay=False)],
    weights: WeightsOption = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Detections per scan, those of the highest score first.")
    ] = 300,
    device: DeviceOption = "auto",
) -> None:
    """List the detector's detections on whole scans, for nodule train malignancy --detections.

    All detections are written, those on nodules too: training excludes these by the readings of
    the scan. The last line on stdout is a JSON summary.
    """
    from nodule.candidates import ProposeCandidates
    from nodule.chain import Chain
    from nodule.ct import read_ct
    from nodule.lidc import find_scans
    from nodule.training import ScanDetection, write_detections
    from nodule.weights import Weights

    opened = Weights.shipped("candidates") if weights is None else Weights.open(weights)
    detector = ProposeCandidates(
        weights=opened, score_threshold=_LOWEST_SCORE, max_candidates=limit
    )
    chain = Chain(candidates=detector).computed_by(device=device)
    found = [
        ScanDetection(patient_id=scan.patient, center_lps_mm=each.center_lps_mm, score=each.score)
        for path in scans
        for scan in find_scans(path)
        for each in chain.on(read_ct(scan.path)).candidates
    ]
    write_detections(out, found)
    counts = Counter(each.patient_id for each in found)
    summarise({"detections": dict(counts), "weights": opened.sha256})
