"""``findings.csv``: a row a finding, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from nodule.report.model import AddedPart, DecisionPart, FindingPart, Report

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "series_instance_uid",
    "id",
    "lung",
    "x_lps_mm",
    "y_lps_mm",
    "z_lps_mm",
    "slice_number",
    "instance_number",
    "sop_instance_uid",
    "probability",
    "malignancy_score",
    "malignancy_1",
    "malignancy_2",
    "malignancy_3",
    "malignancy_4",
    "malignancy_5",
    "long_axis_mm",
    "short_axis_mm",
    "effective_diameter_mm",
    "volume_mm3",
    "texture",
    "mean_hu",
    "sphericity",
    "third",
    "pleura_distance_mm",
    "scope",
    "reader_verdict",
    "reader_comment",
)

Cell = str | float | None


def findings_csv(report: Report) -> str:
    """Return the table as RFC 4180 text; text that a spreadsheet would run is quoted by ``'``.

    What readers rejected is left out; what they added has their verdict ``added``.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    uid = report.study.series_instance_uid
    decisions = report.decisions
    for finding in report.findings:
        cells = (uid, *_row(finding), *_reader(decisions.get(finding.id)))
        writer.writerow([safe_cell(cell) for cell in cells])
    for added in report.added:
        writer.writerow([safe_cell(cell) for cell in (uid, *_added_row(added))])
    return text.getvalue()


def safe_cell(cell: Cell) -> Cell:
    """Disarm text that begins like a formula; numbers, negative ones too, stay as they are."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _reader(decision: DecisionPart | None) -> tuple[Cell, Cell]:
    return (None, None) if decision is None else (decision.verdict, decision.comment)


def _added_row(added: AddedPart) -> tuple[Cell, ...]:
    known: dict[str, Cell] = {
        "id": added.id,
        "lung": added.lung,
        **dict(zip(("x_lps_mm", "y_lps_mm", "z_lps_mm"), added.center_lps_mm, strict=True)),
        "slice_number": added.slice.number,
        "instance_number": added.slice.instance_number,
        "sop_instance_uid": added.slice.sop_instance_uid,
        "long_axis_mm": added.long_axis_mm,
        "reader_verdict": "added",
        "reader_comment": added.comment,
    }
    return tuple(known.get(name) for name in _COLUMNS[1:])


def _row(finding: FindingPart) -> tuple[Cell, ...]:
    return (
        finding.id,
        finding.lung,
        *finding.center_lps_mm,
        finding.slice.number,
        finding.slice.instance_number,
        finding.slice.sop_instance_uid,
        finding.probability,
        finding.malignancy.score,
        *finding.malignancy.distribution,
        finding.long_axis_mm,
        finding.short_axis_mm,
        finding.effective_diameter_mm,
        finding.volume_mm3,
        finding.texture,
        finding.mean_hu,
        finding.sphericity,
        finding.third,
        finding.pleura_distance_mm,
        finding.scope,
    )
