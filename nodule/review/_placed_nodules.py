"""Nodules where a reader saw them: the same ones moved a little, or measured at another place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from nodule.advice.context import Context
from nodule.geometry import Vector
from nodule.masks import NoduleMask
from nodule.nodules import Lung, Measurement, Nodule
from nodule.printed import as_printed
from nodule.report.build import refuse_outside
from nodule.report.model import Report
from nodule.report.reader_review import Addition, Decision, Review
from nodule.report.reported_nodule import (
    ReaderMark,
    ReportedNodule,
    mean_diameter_mm,
    reported,
    with_nodule,
)
from nodule.review.resegment import Resegmenter, growth_rules
from nodule.study import Study
from nodule.volume import LungMask


class PlacedNodules:
    """Puts findings where the reader saw them, and measures them there.

    Parameters
    ----------
    report : that was read.
    study, lungs : the images.
    context : what is stated of findings now.
    masks : of the report's findings, by their ids.

    Attributes
    ----------
    masks : the same, as nodules are placed.
    elsewhere : ids of the findings that became another place.
    """

    def __init__(
        self,
        report: Report,
        *,
        study: Study,
        lungs: LungMask,
        context: Context,
        masks: Mapping[str, NoduleMask],
    ) -> None:
        self.masks = dict(masks)
        self.elsewhere: set[str] = set()
        self._report = report
        self._study = study
        self._lungs = lungs
        self._context = context

    @cached_property
    def _segmenter(self) -> Resegmenter:
        return Resegmenter(study=self._study, lungs=self._lungs, rules=growth_rules(self._report))

    def moved(self, stated: ReportedNodule, decision: Decision | None) -> ReportedNodule:
        """Return a nodule where the reader wants it, measured there unless it is the same one."""
        placed = self._placed(stated, decision)
        return placed if decision is None else _corrected(placed, decision)

    def _placed(self, stated: ReportedNodule, decision: Decision | None) -> ReportedNodule:
        named = replace(stated, lobe=self._context.of(stated.nodule.id).lobe)
        if decision is None or decision.moved_to_lps_mm is None:
            return named
        place = decision.moved_to_lps_mm
        refuse_outside(self._study, place)
        if stated.reader is None and same_nodule(stated.nodule, place):
            return with_nodule(named, replace(stated.nodule, center_lps_mm=place))
        long_axis_mm = None if stated.reader is None else stated.reader.long_axis_mm
        self.elsewhere.add(stated.nodule.id)
        there = self._at(stated.nodule.id, place, long_axis_mm=long_axis_mm)
        if stated.reader is None and there.lung is None:
            there = replace(there, lung=stated.nodule.lung)
        return with_nodule(named, as_printed(there))

    def additions(self, review: Review) -> tuple[ReportedNodule, ...]:
        """Return what the reader added, measured where it can be."""
        return tuple(
            self._added(f"R{number}", each)
            for number, each in enumerate(review.additions, start=self._report.next_added)
        )

    def _added(self, id_: str, addition: Addition) -> ReportedNodule:
        refuse_outside(self._study, addition.center_lps_mm)
        return reported(
            self._at(id_, addition.center_lps_mm, long_axis_mm=addition.long_axis_mm),
            assessment=None,
            lobe=self._context.of(id_).lobe,
            mask=None,
            reader=ReaderMark(long_axis_mm=addition.long_axis_mm, comment=addition.comment),
        )

    def _at(self, id_: str, place: Vector, *, long_axis_mm: float | None) -> Nodule:
        """Return the nodule at a place and keep its mask, or what is known where there is none."""
        finding = self._segmenter.finding(id_, place, long_axis_mm=long_axis_mm)
        self.masks.pop(id_, None)
        if finding is None:
            return Nodule(
                id=id_,
                center_lps_mm=place,
                image=self._study.image_at(place),
                lung=lung_at(self._lungs, place),
            )
        if finding.mask is not None:
            self.masks[id_] = finding.mask
        return finding.nodule


def _corrected(stated: ReportedNodule, decision: Decision) -> ReportedNodule:
    """Return a nodule as the reader measured it, and in the lung in which he saw it."""
    nodule = stated.nodule
    if decision.lung is not None and decision.lung != nodule.lung:
        nodule = replace(nodule, lung=decision.lung, lung_zone=None)
    if decision.size is None:
        return with_nodule(stated, nodule)
    size, measured = decision.size, nodule.measurement
    texture = size.texture or (None if measured is None else measured.texture)
    core = size.solid_axes_mm if texture == "part-solid" else None
    if measured is not None and (size.long_axis_mm, size.short_axis_mm) == (
        measured.long_axis_mm,
        measured.short_axis_mm,
    ):
        same = replace(measured, texture=texture, solid_axes_mm=core, solid_volume_mm3=None)
        return with_nodule(stated, replace(nodule, measurement=as_printed(same)))
    read = Measurement(
        center_lps_mm=nodule.center_lps_mm if measured is None else measured.center_lps_mm,
        long_axis_mm=size.long_axis_mm,
        short_axis_mm=size.short_axis_mm,
        texture=texture,
        solid_axes_mm=core,
        mean_hu=None if measured is None else measured.mean_hu,
    )
    return with_nodule(stated, replace(nodule, measurement=as_printed(read)))


def same_nodule(nodule: Nodule, place: Vector) -> bool:
    """Whether a place, LPS mm, lies within a nodule's radius, so that both are one nodule."""
    return bool(
        np.linalg.norm(np.subtract(place, nodule.center_lps_mm)) <= _radius_mm(nodule.measurement)
    )


def _radius_mm(measured: Measurement | None) -> float:
    if measured is None:
        return 0.0
    return 0.5 * (measured.effective_diameter_mm or mean_diameter_mm(measured))


def lung_at(lungs: LungMask, lps_mm: Vector) -> Lung | None:
    """Return the lung in which a point lies, None outside both."""
    if not lungs.geometry.contains(lps_mm):
        return None
    z, y, x = np.rint(lungs.geometry.lps_to_index(lps_mm)).astype(int)
    sides: dict[int, Lung] = {LungMask.RIGHT: "right", LungMask.LEFT: "left"}
    return sides.get(int(lungs.labels_zyx[z, y, x]))
