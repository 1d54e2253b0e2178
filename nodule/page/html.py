"""The page: one file that opens offline and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType, SimpleNamespace
from typing import Any, Literal

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from nodule.advice.management import Management
from nodule.geometry import Vector
from nodule.guidelines.facts import half_up
from nodule.hu import LUNG_WINDOW, MEDIASTINAL_WINDOW, HuWindow
from nodule.masks import NoduleMask
from nodule.nodules import Measurement, Nodule
from nodule.page._outlines import outline_path
from nodule.page._overview_labels import FONT_MM, RADIUS_MM, Mark, place_marks
from nodule.page._viewer import coarse_volume, viewer_data
from nodule.page.figures import (
    EDGES,
    Picture,
    Plane,
    front_picture,
    plane_pictures,
    ring_radius_mm,
    view_mm,
)
from nodule.page.saliency_overlay import SCALE, SaliencyPanel, saliency_panel
from nodule.report.model import Report
from nodule.report.reported_nodule import MALIGNANCY_WORDS, NODULE_LIMIT_MM, ReportedNodule
from nodule.saliency import SaliencyMap
from nodule.study import Study, dicom_day
from nodule.volume import LungMask

_SIZES = tuple(each.name for each in fields(Measurement))
_SCRIPTS = ("slices.js", "viewer.js", "corrections.js", "review.js")
_IMPLAUSIBLE_MAS = 1000  # a chest CT takes some 10 to 400
_IMPLAUSIBLE_MGY = 100  # and a CTDIvol of some 1 to 20
_OTHERS: tuple[Plane, ...] = ("coronal", "sagittal")

_SETTING_WORDS = {
    "screening": "screening, round not stated",
    "screening-baseline": "screening, baseline",
    "screening-annual": "screening, annual",
    "screening-interval": "screening, interval",
    "incidental": "incidental",
    "known-cancer": "follow-up of a known cancer",
}

Ends = tuple[Vector, Vector]
Line = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class PlaneFigure:
    """A picture and what the page draws over it, in mm of the picture.

    ``lines`` are the long and the short axis, shown on the plane in which they were measured;
    ``ring`` is (x, y, radius); ``outline`` an SVG path round the mask, empty where it has none;
    ``window`` how greys were chosen.
    """

    picture: Picture
    lines: tuple[Line, ...]
    ring: tuple[float, float, float] | None
    outline: str = ""
    window: Literal["lung", "soft tissue"] = "lung"

    @property
    def edges(self) -> tuple[str, str]:
        """Names of the left and of the upper edge."""
        return EDGES[self.picture.plane]


def render_html(
    report: Report,
    *,
    study: Study,
    lungs: LungMask,
    masks: Mapping[str, NoduleMask] = MappingProxyType({}),
    viewer: bool = True,
    saliency_maps: Sequence[SaliencyMap] = (),
) -> str:
    """Return the page, UTF-8 text.

    Every text of the report is escaped. The page's policy forbids whatever is not in the file.

    Parameters
    ----------
    report : what to say.
    study : its volume is the source of the pictures.
    lungs : outlined in the viewer.
    masks : of active findings, by id; outlined in the pictures.
    viewer : embed the volume and the scripts that show it; without, the page holds no script.
    saliency_maps : shown beside the pictures of their findings.
    """
    coarse = coarse_volume(study.volume)
    overview = front_picture(coarse)
    figures = {each.nodule.id: _figures(each, study, masks) for each in report.active}
    style = _asset("report.css") + (_asset("saliency.css") if saliency_maps else "")
    style += _page_margins(report)
    scripts = tuple(Markup(_asset(name)) for name in _SCRIPTS) if viewer else ()
    page: str = _template().render(
        report=report,
        study=report.study,
        series=report.study.series,
        grid=report.study.grid,
        patient=report.study.patient,
        figures=figures,
        saliency_panels={
            each.finding_id: _panel(each, figures[each.finding_id]) for each in saliency_maps
        },
        saliency_scale=SCALE,
        overview=overview,
        marks=_marks(report, overview),
        mark_radius_mm=RADIUS_MM,
        mark_font_mm=FONT_MM,
        dominant=next((f for f in report.findings if f.nodule.id == report.dominant), None),
        limits=report.limits,
        comparison=report.comparison,
        management=report.management,
        findings_in_order=in_order_of_decision(report),
        missing_everywhere=missing_everywhere(report.management),
        implausible_mas=_IMPLAUSIBLE_MAS,
        implausible_mgy=_IMPLAUSIBLE_MGY,
        setting_words=_SETTING_WORDS.get(report.context.setting or "", ""),
        words=MALIGNANCY_WORDS,
        nodule_limit_mm=NODULE_LIMIT_MM,
        style=Markup(style),
        style_hash=_csp_hash(style),
        scripts=scripts,
        script_hashes=tuple(_csp_hash(script) for script in scripts),
        viewer=viewer_data(report, study=study, lungs=lungs, coarse=coarse) if viewer else None,
    )
    return page


def in_order_of_decision(report: Report) -> tuple[ReportedNodule, ...]:
    """Return the software's findings, those first that decide an answer of a rule set."""
    deciding = {advice.subject for advice in report.management.exam}
    return tuple(sorted(report.findings, key=lambda each: each.nodule.id not in deciding))


def missing_everywhere(management: Management) -> Mapping[str, tuple[str, ...]]:
    """Return, by rule set, the facts that are missing wherever it lacks any, twice at least."""
    missing: dict[str, list[tuple[str, ...]]] = {}
    for finding in management.findings:
        for advice in (each for each in finding.advice if each.missing):
            missing.setdefault(advice.rule_set, []).append(advice.missing)
    common = {
        rules: tuple(fact for fact in each[0] if all(fact in other for other in each))
        for rules, each in missing.items()
        if len(each) > 1
    }
    return {rules: facts for rules, facts in common.items() if facts}


def _page_margins(report: Report) -> str:
    """Return the style by which each printed page names the patient and its number."""
    patient = report.study.patient
    name = person_name(patient.patient_name) if patient.patient_name else "Unnamed patient"
    who = " · ".join(filter(None, (name, patient.patient_id, dicom_date(patient.study_date or ""))))
    return (
        f"@page {{ @bottom-left {{ content: {_css_text(who)}; font-size: 7pt; }}"
        ' @bottom-right { content: "Page " counter(page) " of " counter(pages); font-size: 7pt; } }'
    )


def _css_text(text: str) -> str:
    """Return a CSS string in which whatever is no plain letter or digit is escaped."""
    plain = (each if each.isascii() and each.isalnum() else f"\\{ord(each):x} " for each in text)
    return f'"{"".join(plain)}"'


def _figures(
    finding: ReportedNodule, study: Study, masks: Mapping[str, NoduleMask]
) -> tuple[PlaneFigure, ...]:
    mask = masks.get(finding.nodule.id)
    axial, soft_tissue = _pictures(finding, study, "axial", LUNG_WINDOW, MEDIASTINAL_WINDOW)
    others = (each for plane in _OTHERS for each in _pictures(finding, study, plane, LUNG_WINDOW))
    return (
        *(_figure(finding, each, mask) for each in (axial, *others)),
        PlaneFigure(picture=soft_tissue, lines=(), ring=None, window="soft tissue"),
    )


def _panel(saliency_map: SaliencyMap, figures: tuple[PlaneFigure, ...]) -> SaliencyPanel:
    return saliency_panel(
        saliency_map, [figure.picture for figure in figures if figure.window == "lung"]
    )


def _pictures(
    finding: ReportedNodule, study: Study, plane: Plane, *windows: HuWindow
) -> tuple[Picture, ...]:
    return plane_pictures(
        study.volume,
        center_lps_mm=finding.nodule.key_point_lps_mm,
        plane=plane,
        edge_mm=view_mm(finding.extent_mm or 0.0),
        windows=windows,
    )


def _figure(finding: ReportedNodule, picture: Picture, mask: NoduleMask | None) -> PlaneFigure:
    outline = "" if mask is None else outline_path(mask, picture)
    lines = tuple(_line(picture, ends) for ends in _calipers(finding))
    if picture.plane == "axial" and lines:
        return PlaneFigure(picture=picture, lines=lines, ring=None, outline=outline)
    radius_mm = round(ring_radius_mm(finding.extent_mm), 2)
    ring = (*picture.place(finding.nodule.center_lps_mm), radius_mm)
    return PlaneFigure(picture=picture, lines=(), ring=ring, outline=outline)


def _calipers(finding: ReportedNodule) -> tuple[Ends, ...]:
    """Return the long and the short axis, or nothing."""
    measured = finding.nodule.measurement
    if measured is None:
        return ()
    long_axis, short_axis = measured.long_axis_ends_lps_mm, measured.short_axis_ends_lps_mm
    return () if long_axis is None or short_axis is None else (long_axis, short_axis)


def _line(picture: Picture, ends: Ends) -> Line:
    return (*picture.place(ends[0]), *picture.place(ends[1]))


def _marks(report: Report, overview: Picture) -> tuple[Mark, ...]:
    places_mm = [(f.nodule.id, *overview.place(f.nodule.center_lps_mm)) for f in report.active]
    return place_marks(places_mm, size_mm=overview.size_mm)


@cache
def _template() -> Any:
    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pretty_json"] = lambda value: json.dumps(
        value, indent=2, sort_keys=True, ensure_ascii=False
    )
    environment.filters["decimals"] = decimals
    environment.globals["sizes"] = sizes
    environment.filters["day"] = day
    environment.filters["person_name"] = person_name
    return environment.get_template("report.html.j2")


def sizes(nodule: Nodule) -> Measurement | SimpleNamespace:
    """Return what was measured, with nothing in every field where nothing was."""
    return nodule.measurement or SimpleNamespace(**dict.fromkeys(_SIZES))


def decimals(value: float, digits: int = 1) -> str:
    """Write a number as the rules read it: ties go upwards, so page and rules never differ."""
    return f"{half_up(value, Decimal(1).scaleb(-digits)):f}"


def day(value: object) -> Markup:
    """Return a day, or a DICOM date, as something that no line breaks."""
    return Markup("<time>{}</time>").format(dicom_date(str(value)))


def dicom_date(text: str) -> str:
    """Return a DICOM date as ISO 8601, other text as it is."""
    known = dicom_day(text)
    return text if known is None else known.isoformat()


def person_name(text: str) -> str:
    """Return a DICOM person name, ``family^given^middle^prefix^suffix``, for reading.

    Its groups (alphabetic, ideographic, phonetic) are set apart by a middle dot.
    """
    groups = (group.split("^") for group in text.split("="))
    shown = (", ".join(filter(None, [g[0], " ".join(filter(None, g[1:]))])) for g in groups)
    return " · ".join(filter(None, (each.strip() for each in shown)))


def _asset(name: str) -> str:
    return files("nodule.page").joinpath("assets", name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
