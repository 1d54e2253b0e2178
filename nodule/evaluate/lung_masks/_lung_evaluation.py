"""The evaluation of lung masks on whole scans. Loads torch and MONAI."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nodule.chain import Chain
from nodule.ct import read_ct
from nodule.errors import InputError
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import EvaluationResult, EvaluationScope
from nodule.evaluate._leakage import patients_of, seen_in_training
from nodule.evaluate._overlap import Overlap
from nodule.evaluate.lung_masks._lung_agreement import (
    CentersInside,
    compare_lungs,
    count_inside,
    nodule_centers,
    read_lung_mask,
)
from nodule.lidc import WholeScan
from nodule.lungs.training import label_lungs
from nodule.resample import resample_mask
from nodule.volume import LungMask, Volume
from nodule.weights.model_card import CardFigure, CardRows

THRESHOLD_LABELS = "classical labels"

_SIDES = {"both": "both lungs", "right": "right lung", "left": "left lung"}


@dataclass(frozen=True, kw_only=True)
class LungScanFigures:
    """One scan's lungs.

    Parameters
    ----------
    study : the scan's name.
    parts : agreement with the reference: ``both``, ``right``, ``left``.
    nodule_centers : how many of the readers' nodules the mask keeps.
    """

    study: str
    parts: Mapping[str, Overlap]
    nodule_centers: CentersInside


@dataclass(frozen=True, kw_only=True)
class LungFigures:
    """All scans' lungs.

    Parameters
    ----------
    scope : what was evaluated.
    reference : name of the reference mask, or what the labels are made by.
    margin_mm : how far around the lungs candidates are searched for.
    studies : the scans.
    nodule_centers : of all scans.
    inside, within_margin : shares of all nodules' centres, None without nodules.
    """

    scope: EvaluationScope
    reference: str
    margin_mm: float
    studies: tuple[LungScanFigures, ...]
    nodule_centers: CentersInside
    inside: Estimate | None
    within_margin: Estimate | None


def evaluate_lungs(
    scans: Sequence[WholeScan],
    *,
    chain: Chain,
    reference: Path | None = None,
    allow_seen: bool = False,
) -> EvaluationResult[LungFigures]:
    """Compare lung masks on the 1 mm grid with a reference, and with where nodules are.

    Parameters
    ----------
    scans : the scans; the readings beside them give the nodules.
    chain : the stages, of which ``lungs`` is evaluated.
    reference : a mask for one scan; without it, labels by thresholds and region growing.
    allow_seen : whether scans of training patients may be evaluated.

    Raises
    ------
    InputError : ``ONE_STUDY`` for several scans with one reference, ``SEEN_IN_TRAINING``, and from
        reading.
    GeometryError : as :func:`compare_lungs`.
    """
    if reference is not None and len(scans) > 1:
        raise InputError(
            "a reference is for one study", code="ONE_STUDY", expected=1, got=len(scans)
        )
    people = patients_of(scans)
    seen = seen_in_training(
        [chain.lungs.weights], people, also_called=people, allow_seen=allow_seen
    )
    scope = EvaluationScope(
        evaluation="lungs",
        patients=len(people),
        weights={"lungs": (chain.lungs.weights.sha256,)},
        seen_patients=len(seen),
    )
    studies = tuple(_measure(scan, chain, reference) for scan in scans)
    figures = lung_figures(
        studies,
        scope=scope,
        reference=THRESHOLD_LABELS if reference is None else reference.name,
        margin_mm=chain.candidates.lung_margin_mm,
    )
    return EvaluationResult(figures=figures, card=card_rows(figures))


def lung_figures(
    studies: tuple[LungScanFigures, ...],
    *,
    scope: EvaluationScope,
    reference: str,
    margin_mm: float,
) -> LungFigures:
    """Sum up scans."""
    total = CentersInside(
        n=sum(each.nodule_centers.n for each in studies),
        inside=sum(each.nodule_centers.inside for each in studies),
        within_margin=sum(each.nodule_centers.within_margin for each in studies),
    )
    return LungFigures(
        scope=scope,
        reference=reference,
        margin_mm=margin_mm,
        studies=studies,
        nodule_centers=total,
        inside=Estimate.share(total.inside, total.n) if total.n else None,
        within_margin=Estimate.share(total.within_margin, total.n) if total.n else None,
    )


def card_rows(figures: LungFigures) -> CardRows:
    """Return the rows of a model card; a figure of one scan has no interval."""
    return CardRows(
        heading=f"Lungs of {', '.join(each.study for each in figures.studies)}",
        measured_on=f"Scans: {len(figures.studies)}, against {figures.reference}, at 1 mm. Nodules "
        "are all that any reader marked as one; candidates are searched for up to "
        f"{figures.margin_mm:g} mm around the lungs.",
        figures=tuple(_rows(figures)),
    )


def _rows(figures: LungFigures) -> Iterator[CardFigure]:
    for each in figures.studies:
        for part, found in each.parts.items():
            yield from _part_rows(f"{each.study}, {_SIDES[part]}", found)
        yield from _center_rows(each.study, each.nodule_centers, margin_mm=figures.margin_mm)
    if len(figures.studies) > 1:
        name = f"all {len(figures.studies)} scans"
        yield from _center_rows(name, figures.nodule_centers, margin_mm=figures.margin_mm)


def _part_rows(name: str, found: Overlap) -> Iterator[CardFigure]:
    rows = (
        ("Dice", found.dice, 3),
        ("HD95, mm", found.hd95_mm, 1),
        ("mean surface distance, mm", found.mean_surface_mm, 3),
        (f"surface Dice at {found.tolerance_mm:g} mm", found.surface_dice, 3),
        ("volume error, %", 100.0 * found.relative_volume_error, 1),
    )
    for title, value, digits in rows:
        shown = value if math.isfinite(value) else None
        yield CardFigure(name=f"{name}: {title}", value=shown, n=1, digits=digits)


def _center_rows(name: str, counted: CentersInside, *, margin_mm: float) -> Iterator[CardFigure]:
    if counted.n:
        for count, where in (
            (counted.inside, "inside"),
            (counted.within_margin, f"within {margin_mm:g} mm"),
        ):
            yield CardFigure(
                name=f"{name}: nodule centres {where}", value=f"{count}/{counted.n}", n=counted.n
            )


def _measure(scan: WholeScan, chain: Chain, reference: Path | None) -> LungScanFigures:
    study = read_ct(scan.path)
    seen = chain.on(study)
    return LungScanFigures(
        study=scan.patient,
        parts=compare_lungs(seen.lungs, _truth(seen.volume, reference)),
        nodule_centers=count_inside(
            seen.lungs, nodule_centers(scan, study), margin_mm=chain.candidates.lung_margin_mm
        ),
    )


def _truth(volume: Volume, reference: Path | None) -> LungMask:
    if reference is None:
        return label_lungs(volume)
    return resample_mask(read_lung_mask(reference), geometry=volume.geometry)
