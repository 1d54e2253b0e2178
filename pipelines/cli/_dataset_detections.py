"""``nodule dataset detections``: what the detector finds on whole scans, for hard negatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli._options import DeviceOption, WeightsOption, out_option
from pipelines.cli._summary import summarise

if TYPE_CHECKING:
    from nodule.chain import Pass
    from nodule.findings import Candidate

_LOWEST_SCORE = 0.01
_MASS_RATING = 3.4


def detections(
    scans: Annotated[
        list[Path], typer.Argument(metavar="SCAN", help="CT studies, or folders of studies.")
    ],
    out: Annotated[Path, out_option("Table to write.", metavar="CSV", dir_okay=False)],
    weights: WeightsOption = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Detections per scan, those of the highest score first.")
    ] = 300,
    masses: Annotated[
        int,
        typer.Option(
            min=1,
            help="Write detections that the malignancy classifier rates 3.4 or more so many times: "
            "training then draws them, mostly wide vessels of the hilum, as often.",
        ),
    ] = 1,
    device: DeviceOption = "auto",
) -> None:
    """List the detector's detections on whole scans, for nodule train malignancy --detections.

    All detections are written, those on nodules too: training excludes these by the readings of
    the scan, and what an annotations_excluded.csv in its folder lists. The last line on stdout is
    a JSON summary.
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
        for each, times in _weighted(chain.on(read_ct(scan.path)), masses=masses)
        for _ in range(times)
    ]
    write_detections(out, found)
    counts = Counter(each.patient_id for each in dict.fromkeys(found))
    summarise({"detections": dict(counts), "weights": opened.sha256})


def _weighted(scan: Pass, *, masses: int) -> Iterator[tuple[Candidate, int]]:
    """Yield each candidate and how often it is written, the highest scores first."""
    if masses == 1:
        yield from ((each, 1) for each in scan.candidates)
        return
    for each in sorted(scan.scored, key=lambda scored: -scored.candidate.score):
        yield each.candidate, masses if each.malignancy.score >= _MASS_RATING else 1
