"""Figures of lungs are summed up over scans and stand in a model card."""

import math

from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import EvaluationScope
from nodule.evaluate._overlap import Overlap
from nodule.evaluate.lung_masks._lung_agreement import CentersInside
from nodule.evaluate.lung_masks._lung_evaluation import (
    LungFigures,
    LungScanFigures,
    card_rows,
    lung_figures,
)

AGREED = Overlap(
    dice=0.98412, iou=0.97, hausdorff_mm=9.0, hd95_mm=2.04, mean_surface_mm=0.5,
    surface_dice=0.9, relative_volume_error=-0.012, tolerance_mm=2.0,
)  # fmt: skip
MISSED = Overlap(
    dice=0.0, iou=0.0, hausdorff_mm=math.inf, hd95_mm=math.inf, mean_surface_mm=math.inf,
    surface_dice=0.0, relative_volume_error=-1.0, tolerance_mm=2.0,
)  # fmt: skip


def figures(*centers: tuple[int, int, int], agreed: Overlap = AGREED) -> LungFigures:
    studies = tuple(
        LungScanFigures(
            study=f"S{number}",
            parts={"both": agreed},
            nodule_centers=CentersInside(n=n, inside=inside, within_margin=near),
        )
        for number, (n, inside, near) in enumerate(centers)
    )
    scope = EvaluationScope(evaluation="lungs", patients=len(studies))
    return lung_figures(studies, scope=scope, reference="R", margin_mm=8.0)


def test_nodules_are_counted_over_all_scans() -> None:
    found = figures((3, 1, 2), (1, 1, 1))
    assert found.nodule_centers == CentersInside(n=4, inside=2, within_margin=3)
    assert found.inside == Estimate(value=0.5, n=4)
    assert found.within_margin == Estimate(value=0.75, n=4)
    assert figures((0, 0, 0)).inside is None


def test_rows_of_the_card_have_units_and_counts() -> None:
    rows = [row.cells() for row in card_rows(figures((3, 1, 2), (1, 1, 1))).figures]
    assert rows[:7] == [
        ("S0, both lungs: Dice", "0.984", "", "1"),
        ("S0, both lungs: HD95, mm", "2.0", "", "1"),
        ("S0, both lungs: mean surface distance, mm", "0.500", "", "1"),
        ("S0, both lungs: surface Dice at 2 mm", "0.900", "", "1"),
        ("S0, both lungs: volume error, %", "-1.2", "", "1"),
        ("S0: nodule centres inside", "1/3", "", "3"),
        ("S0: nodule centres within 8 mm", "2/3", "", "3"),
    ]
    assert rows[-2:] == [
        ("all 2 scans: nodule centres inside", "2/4", "", "4"),
        ("all 2 scans: nodule centres within 8 mm", "3/4", "", "4"),
    ]


def test_a_distance_to_an_empty_mask_is_none() -> None:
    rows = [row.cells() for row in card_rows(figures((0, 0, 0), agreed=MISSED)).figures]
    assert rows[1] == ("S0, both lungs: HD95, mm", "none", "", "1")
