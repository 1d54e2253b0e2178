"""A report's tables, safe to open in a spreadsheet: findings, advice, and the comparison."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nodule.advice.statement import Advice
from nodule.findings import Characteristics, RatedOnAScale
from nodule.followup import Change, Comparison
from nodule.guidelines.result import Figure
from nodule.nodules import Measurement, Nodule
from nodule.report.model import Report
from nodule.report.reader_review import Decision
from nodule.report.reported_nodule import ReportedNodule

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SIZES = (
    "long_axis_mm",
    "short_axis_mm",
    "mean_diameter_mm",
    "effective_diameter_mm",
    "volume_mm3",
)
_RATED: tuple[RatedOnAScale, ...] = (
    *("subtlety", "sphericity", "margin", "lobulation", "spiculation", "texture"),
)
FINDING_COLUMNS: Mapping[str, type[str | float | bool]] = MappingProxyType(
    {
        **dict.fromkeys(("series_instance_uid", "id", "lung", "lobe", "third"), str),
        **dict.fromkeys(("x_lps_mm", "y_lps_mm", "z_lps_mm"), float),
        **{"slice_number": int, "instance_number": int, "sop_instance_uid": str},
        **{"probability": float, "malignancy_score": float},
        **{f"malignancy_{rating}": float for rating in range(1, 6)},
        **{"malignancy_spread": float, "malignancy_suspicion": float},
        "malignancy_indeterminate": bool,
        **dict.fromkeys(_SIZES, float),
        **dict.fromkeys(("volume_low_mm3", "volume_high_mm3"), float),
        "texture": str,
        **dict.fromkeys(("solid_long_axis_mm", "solid_short_axis_mm", "solid_volume_mm3"), float),
        **dict.fromkeys(("mean_hu", "sphericity", "pleura_distance_mm"), float),
        **dict.fromkeys(("scope", "course", "prior_id"), str),
        **{"prior_volume_mm3": float, "reader_long_axis_mm": float},
        **{"reader_verdict": str, "reader_comment": str},
        **{f"rated_{name}": float for name in _RATED},
        **{"likely_structure": str, "likely_calcification": str, "in_diffuse_disease": bool},
    }
)
"""The columns of a table of findings, and what a cell holds where it is not empty."""

_MEASURED = (
    *("long_axis_mm", "short_axis_mm", "effective_diameter_mm", "volume_mm3", "texture"),
    *("solid_volume_mm3", "mean_hu", "sphericity"),
)
ADVICE_COLUMNS = (
    "about",
    "rule_set",
    "version",
    "outcome",
    "answer",
    "management",
    "due_from",
    "due_to",
    "rule",
    "where",
    "decided_by",
    "inputs",
    "missing",
    "reader_may_say",
    "caveats",
    "citation",
)
"""The columns of a table of management advice; all hold text."""

_COMPARED = ("long_axis_mm", "short_axis_mm", "effective_diameter_mm", "volume_mm3", "texture")
_PLACE = ("id", "slice_number", "instance_number", *_COMPARED)
_COMPARISON_COLUMNS = (
    "status",
    *(f"{when}_{name}" for when in ("current", "prior") for name in _PLACE),
    *("days", "volume_change_mm3", "volume_change_percent"),
    *("volume_change_low_percent", "volume_change_high_percent"),
    "diameter_change_mm",
    "growth",
    "doubling_time_days",
    "doubling_time_low_days",
    "doubling_time_high_days",
    "distance_mm",
    "ambiguous",
    "covered",
    "notes",
)

Cell = str | float | None
Row = Mapping[str, Any]


def findings_csv(report: Report) -> str:
    """Return a row a finding as RFC 4180 text, what a spreadsheet would run quoted by ``'``.

    What readers rejected is left out; what they added has their verdict ``added``.
    """
    return _table(tuple(FINDING_COLUMNS), finding_rows(report))


def finding_rows(report: Report) -> Iterator[Row]:
    """Yield a row a finding by :data:`FINDING_COLUMNS`; a column that is missing is empty."""
    return (_finding_row(each, report) for each in report.active)


def management_csv(report: Report) -> str:
    """Return a row an answer of a rule set, of the exam first; a header alone without advice."""
    return _table(ADVICE_COLUMNS, advice_rows(report))


def advice_rows(report: Report) -> Iterator[Row]:
    """Yield a row an answer of a rule set by :data:`ADVICE_COLUMNS`, of the exam first."""
    management = report.management
    about = [("exam", advice) for advice in management.exam]
    about += [(each.id, advice) for each in management.findings for advice in each.advice]
    return (_advice_row(name, advice) for name, advice in about)


def comparison_csv(record: Comparison) -> str:
    """Return a row a nodule of either study."""
    return _table(_COMPARISON_COLUMNS, _comparison_rows(record))


def safe_cell(cell: Cell) -> Cell:
    """Disarm text that begins like a formula; numbers, negative ones too, stay as they are."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _table(columns: Sequence[str], rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval=None)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: safe_cell(cell) for name, cell in row.items()})
    return text.getvalue()


def _finding_row(finding: ReportedNodule, report: Report) -> Row:
    nodule = finding.nodule
    x, y, z = nodule.center_lps_mm
    decision = report.decisions.get(nodule.id)
    change = report.changes.get(nodule.id)
    return {
        "series_instance_uid": report.study.series.series_instance_uid,
        **{"id": nodule.id, "lung": nodule.lung, "lobe": finding.lobe, "third": nodule.lung_zone},
        **{"x_lps_mm": x, "y_lps_mm": y, "z_lps_mm": z},
        "slice_number": nodule.image.number,
        "instance_number": nodule.image.instance_number,
        "sop_instance_uid": nodule.image.sop_instance_uid,
        **_sizes(nodule.measurement),
        "mean_diameter_mm": finding.mean_diameter_mm,
        "pleura_distance_mm": nodule.pleura_distance_mm,
        **{"scope": finding.scope, "in_diffuse_disease": report.is_inside(nodule.id)},
        **_assessed(finding),
        "course": report.temporal_status_of(nodule.id),
        **({} if change is None else _prior_cells(change.prior.nodule)),
        **({} if decision is None else _said(decision)),
    }


def _sizes(measured: Measurement | None) -> Row:
    if measured is None:
        return {}
    low, high = measured.volume_ci95_mm3 or (None, None)
    solid_long, solid_short = measured.solid_axes_mm or (None, None)
    return {
        **{name: getattr(measured, name) for name in _MEASURED},
        **{"volume_low_mm3": low, "volume_high_mm3": high},
        **{"solid_long_axis_mm": solid_long, "solid_short_axis_mm": solid_short},
    }


def _prior_cells(prior: Nodule) -> Row:
    measured = prior.measurement
    return {
        "prior_id": prior.id,
        "prior_volume_mm3": None if measured is None else measured.volume_mm3,
    }


def _assessed(finding: ReportedNodule) -> Row:
    """Return what the networks think, and what the reader says of a nodule that he added."""
    cells: dict[str, Any] = {}
    if finding.assessment is not None and finding.rating is not None:
        malignancy = finding.assessment.malignancy
        cells |= {f"malignancy_{n}": p for n, p in enumerate(malignancy.distribution, start=1)}
        cells |= {
            "probability": finding.assessment.probability,
            "malignancy_score": finding.rating.score,
            "malignancy_spread": malignancy.ensemble_sd,
            "malignancy_suspicion": malignancy.suspicion,
            "malignancy_indeterminate": malignancy.indeterminate,
        }
        cells |= _look(finding.assessment.characteristics)
    if finding.reader is not None:
        cells |= {
            "reader_long_axis_mm": finding.reader.long_axis_mm,
            "reader_verdict": "added",
            "reader_comment": finding.reader.comment,
        }
    return cells


def _look(rated: Characteristics | None) -> Row:
    if rated is None:
        return {}
    return {
        **{f"rated_{name}": round(rated.mean(name), 2) for name in _RATED},
        "likely_structure": rated.likely_structure,
        "likely_calcification": rated.likely_calcification,
    }


def _said(decision: Decision) -> Row:
    """Return what the reader said, and nothing where he was silent."""
    cells = {"reader_verdict": decision.verdict, "reader_comment": decision.comment}
    return {name: cell for name, cell in cells.items() if cell is not None}


def _advice_row(about: str, advice: Advice) -> Row:
    due_from, due_to = advice.due or (None, None)
    return {
        "about": about,
        **{n: getattr(advice, n) for n in ("rule_set", "version", "outcome", "answer")},
        "management": advice.management,
        **{"due_from": due_from, "due_to": due_to},
        "rule": advice.rule.text,
        "where": advice.rule.where,
        "decided_by": advice.subject,
        "inputs": "; ".join(f"{name}: {value}" for name, value in advice.inputs.items()),
        "missing": "; ".join(advice.missing),
        "reader_may_say": "; ".join(
            f"{offer.answer}, where {offer.when}" for offer in advice.offers
        ),
        "caveats": " ".join(advice.caveats),
        "citation": advice.citation,
    }


def _comparison_rows(record: Comparison) -> Iterator[Row]:
    for change in record.changes:
        yield {"status": "matched", "days": record.days, **_change_cells(change)}
    unmatched = [("new", "current", each) for each in record.new]
    unmatched += [("resolved", "prior", each) for each in record.resolved]
    for status, when, each in unmatched:
        yield {
            "status": status,
            "days": record.days,
            **_compared_cells(when, each.finding.nodule),
            "ambiguous": each.ambiguous,
            "covered": each.covered,
        }


def _change_cells(change: Change) -> Row:
    return {
        **_compared_cells("current", change.current.nodule),
        **_compared_cells("prior", change.prior.nodule),
        "volume_change_mm3": change.volume_change_mm3,
        **_figure_cells("volume_change", "percent", change.volume_change),
        "diameter_change_mm": change.diameter_change_mm,
        "growth": change.growth,
        **_figure_cells("doubling_time", "days", change.doubling_time),
        "distance_mm": change.distance_mm,
        "ambiguous": change.ambiguous,
        "covered": True,
        "notes": " ".join(change.notes),
    }


def _compared_cells(when: str, nodule: Nodule) -> Row:
    sizes = {name: getattr(nodule.measurement, name, None) for name in _COMPARED}
    cells = {
        "id": nodule.id,
        "slice_number": nodule.image.number,
        "instance_number": nodule.image.instance_number,
        **sizes,
    }
    return {f"{when}_{name}": cell for name, cell in cells.items()}


def _figure_cells(name: str, unit: str, figure: Figure | None) -> Row:
    if figure is None:
        return {}
    return {
        f"{name}_{unit}": figure.value,
        f"{name}_low_{unit}": figure.low,
        f"{name}_high_{unit}": figure.high,
    }
