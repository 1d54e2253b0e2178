"""``nodule dataset marks``: where the detector marks whole scans, for the next network to learn."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli._options import DeviceOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodule.candidates.stage import ProposeCandidates
    from nodule.lidc.whole_scans import WholeScan
    from nodule.lungs.stage import SegmentLungs
    from nodule.training.hard_negatives import ScanMark

_LOWEST_SCORE = 0.01


def marks(
    scans: Annotated[
        list[Path], typer.Argument(metavar="SCAN...", help="CT studies, or folders of them.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="CSV", dir_okay=False, help="Table to write.")
    ],
    weights: Annotated[
        Path | None, typer.Option(dir_okay=False, help="The detector's; else the shipped.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Marks per scan, the most suspicious first.")
    ] = 300,
    device: DeviceOption = "auto",
) -> None:
    """Mark whole scans with the detector, for nodule train malignancy --marks.

    All marks are written, those on nodules too: training leaves these out by the scan's readings.
    The last line on stdout is a JSON summary.
    """
    from nodule.candidates.stage import ProposeCandidates
    from nodule.lidc.whole_scans import find_scans
    from nodule.lungs.stage import SegmentLungs
    from nodule.training.hard_negatives import write_marks
    from nodule.weights import Weights

    opened = Weights.shipped("candidates") if weights is None else Weights.open(weights)
    lungs = SegmentLungs(device=device)
    detector = ProposeCandidates(
        weights=opened, score_threshold=_LOWEST_SCORE, max_candidates=limit, device=device
    )
    found = [
        mark
        for path in scans
        for scan in find_scans(path)
        for mark in _marks(scan, lungs=lungs, detector=detector)
    ]
    write_marks(output, found)
    counts = Counter(mark.patient_id for mark in found)
    typer.echo(json.dumps({"marks": dict(counts), "weights": opened.sha256}))


def _marks(
    scan: WholeScan, *, lungs: SegmentLungs, detector: ProposeCandidates
) -> Iterator[ScanMark]:
    from nodule.ct import read_ct
    from nodule.resample import Resample
    from nodule.training.hard_negatives import ScanMark

    volume = Resample().run(volume=read_ct(scan.path).volume)
    mask = lungs.run(volume=volume)
    for candidate in detector.run(volume=volume, lungs=mask):
        yield ScanMark(
            patient_id=scan.patient, center_lps_mm=candidate.center_lps_mm, score=candidate.score
        )
