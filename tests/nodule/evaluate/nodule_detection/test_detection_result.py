"""What a detector's figures say in a model card, group by group."""

from collections.abc import Mapping

from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import EvaluationScope
from nodule.evaluate.nodule_detection._detection_figures import (
    DetectionFigures,
    DetectorFigures,
    FoundCount,
    OperatingPointFigures,
    ScanFigures,
    ScanNoduleFigures,
)
from nodule.evaluate.nodule_detection._detection_result import card_rows


def share(value: float, low: float, n: int) -> Estimate:
    return Estimate(value=value, low=low, high=1.0, n=n)


def detector(sensitivity: float, *, rank: int | None) -> DetectorFigures:
    nodule = ScanNoduleFigures(
        readers=4, diameter_mm=8.0, side="left", lung_zone="upper", pleura_mm=0.0,
        rank=rank, score=None if rank is None else 0.8, distance_mm=1.0,
    )  # fmt: skip
    groups: Mapping[str, Mapping[str, Estimate]] = {
        "by_size_mm": {"<6": share(0.75, 0.5, 4)},
        "by_texture": {"solid": share(0.9, 0.7, 10)},
        "by_side": {"left": share(0.8, 0.6, 6)},
        "by_crop_height_mm": {"<10": share(0.9, 0.7, 10)},
        "by_crop": {},
    }
    return DetectorFigures(
        operating_points={
            "4": OperatingPointFigures(
                threshold=0.4,
                fp_per_scan=Estimate(value=4.0, low=1.1, high=10.2, n=1),
                sensitivity=share(sensitivity, 0.7, 10),
                scan_nodules=FoundCount(n=1, found=1),
                scan_nodules_by_location={},
                **groups,
            )
        },
        scans=(
            ScanFigures(
                scan="CASE", series_uid="1.2", detections=5, false_positives=4, ignored=0,
                nodules=(nodule,),
            ),
        ),
    )  # fmt: skip


FIGURES = DetectionFigures(
    scope=EvaluationScope(evaluation="candidates", patients=9, perhaps_seen_patients=2),
    n_nodules=10,
    n_patients=8,
    folds={"0": 4, "4": 6},
    patients_lungs_saw=0,
    chain=detector(0.9, rank=1),
    detector=detector(0.8, rank=None),
)


def test_rows_name_both_scores_and_the_groups() -> None:
    rows = [row.cells() for row in card_rows(FIGURES).figures]
    reduced, at_4 = "with false-positive reduction", "4 false positives per scan"
    assert rows == [
        (f"{reduced}: sensitivity at {at_4}", "0.900", "0.700 to 1.000", "10"),
        (f"detector alone: sensitivity at {at_4}", "0.800", "0.700 to 1.000", "10"),
        (f"{reduced}, {at_4}: <6 mm", "0.750", "0.500 to 1.000", "4"),
        (f"{reduced}, {at_4}: solid", "0.900", "0.700 to 1.000", "10"),
        (f"{reduced}, {at_4}: left side", "0.800", "0.600 to 1.000", "6"),
        (f"{reduced}, {at_4}: <10 mm of crop height", "0.900", "0.700 to 1.000", "10"),
    ]  # fmt: skip


def test_notes_state_thresholds_ranks_and_patients_that_training_may_have_seen() -> None:
    *notes, uncertain = card_rows(FIGURES).notes
    assert notes == [
        "4 false positives per scan: threshold 0.400, counted on 1 whole scan (Poisson interval "
        "1.1 to 10.2).",
        "CASE, with false-positive reduction: nodule of 8.0 mm by 4 readers: rank 1.",
        "CASE, detector alone: nodule of 8.0 mm by 4 readers: missed.",
    ]
    assert uncertain.startswith("2 patients are known by a series here")
    assert card_rows(FIGURES).heading == "Nodules found, fold 0, 4"
