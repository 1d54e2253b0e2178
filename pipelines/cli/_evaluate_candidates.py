"""``nodule evaluate candidates``: false positives on whole scans, sensitivity on a crop set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_options import (
    AllowSeenOption,
    CropSetOption,
    DrawsOption,
    FoldsOption,
    OutFolderOption,
    SeedOption,
)
from pipelines.cli._evaluation_output import check_beside, publish
from pipelines.cli._options import CardOption, DeviceOption, WeightsOption


def candidates(
    context: typer.Context,
    data: CropSetOption,
    scans: Annotated[
        list[Path],
        typer.Option(
            metavar="SCAN",
            exists=True,
            help="A whole scan with readings, or a folder of scans: DICOM and XML of LIDC-IDRI, or "
            "subsets of LUNA16; may be repeated.",
        ),
    ],
    weights: WeightsOption = None,
    fold: FoldsOption = None,
    out: OutFolderOption = None,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="Write the operating table beside the weights."),
    ] = False,
    allow_seen: AllowSeenOption = False,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
    card: CardOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Measure the sensitivity on a crop set at false-positive rates counted on whole scans.

    The scans give the thresholds at 4, 2 and 1 false positives per scan; at these the sensitivity
    for the crop set's nodules of 3 mm or more by three readers or more is measured, with 95 %
    intervals over patients: under "chain" for the detector with false-positive reduction by the
    malignancy classifier, under "detector" for the detector alone. Most crops end with their
    nodule, and are inserted into the lungs of the scans. Findings by fewer readers, and those in
    annotations_excluded.csv, are ignored on the scans, as LUNA16 does. Only those members of the
    malignancy classifier are used that saw none of the patients in training. The last line on
    stdout is JSON.

    OUT gets the detections as submissions to LUNA16, the chain's (marks.csv) and the detector's
    (detector_marks.csv), with seriesuids.csv; `nodule evaluate froc` scores them.
    """
    from nodule.candidates import ProposeCandidates, operating_path
    from nodule.chain import Chain
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.nodule_detection import detection_result, run_detection
    from nodule.training import CropSet
    from nodule.weights import Weights

    opened = Weights.shipped("candidates") if weights is None else Weights.open(weights)
    check_beside([opened], wanted=card or calibrate)
    detection = run_detection(
        scans,
        CropSet.open(data),
        chain=Chain(candidates=ProposeCandidates(weights=opened)).computed_by(device=device),
        folds=fold or (),
        allow_seen=allow_seen,
        seed=seed,
    )
    if calibrate:
        detection.chain.table.write(operating_path(opened.path))
    result = detection_result(detection, bootstrap=BootstrapSettings(draws=draws, seed=seed))
    publish(result, out=out, card=[opened] if card else (), context=context)
