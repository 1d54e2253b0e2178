"""``nodule evaluate candidates``: false positives on whole scans, sensitivity on a crop set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_output import DrawsOption, SeedOption, publish
from pipelines.cli._options import CardOption, DeviceOption, out_option


def candidates(
    context: typer.Context,
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    scans: Annotated[
        list[Path],
        typer.Option(
            exists=True,
            help="Whole scans with readings, one or a folder of them: LIDC-IDRI's DICOM and XML, "
            "LUNA16's subsets; may be repeated.",
        ),
    ],
    weights: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A .safetensors file; else the shipped.")
    ] = None,
    fold: Annotated[
        list[int] | None, typer.Option(help="Only nodules of this fold; may be repeated.")
    ] = None,
    out: Annotated[Path | None, out_option("Folder for JSON, tables and pictures.")] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Write the operating points beside the weights.")
    ] = False,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Evaluate training patients too, and say so.")
    ] = False,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
    card: CardOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Count false positives on whole scans and find a crop set's nodules; the last line is JSON.

    The scans give the thresholds with 4, 2 and 1 false positives per scan; at these the share of
    the crop set's nodules of 3 mm or more by three readers or more is measured, with 95 % intervals
    over patients: under "chain" for the detector with false-positive reduction by the malignancy
    classifier, under "detector" for the detector alone. Most crops end with their nodule, and are
    inserted into the scans' lungs. Findings by fewer readers, and those in LUNA16's
    annotations_excluded.csv, are ignored on the scans, as LUNA16 does. Only those members of the
    malignancy classifier are used that saw none of the patients in training.

    OUT gets the detections as submissions to LUNA16, the chain's (marks.csv) and the detector's
    (detector_marks.csv), with seriesuids.csv: `nodule evaluate froc` scores them against any lists.
    """
    from nodule.candidates.operating import operating_path
    from nodule.candidates.stage import ProposeCandidates
    from nodule.chain import Chain
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.nodule_detection import detection_result, run_detection
    from nodule.training.crop_set import CropSet
    from nodule.weights import Weights

    opened = Weights.shipped("candidates") if weights is None else Weights.open(weights)
    detection = run_detection(
        scans,
        CropSet.open(data),
        chain=Chain(candidates=ProposeCandidates(weights=opened)).on_device(device),
        folds=fold or (),
        allow_seen=allow_seen,
        seed=seed,
    )
    if calibrate:
        detection.chain.table.write(operating_path(opened.path))
    result = detection_result(detection, bootstrap=BootstrapSettings(draws=draws, seed=seed))
    publish(result, out=out, card=[opened] if card else (), context=context)
