"""``findings.csv``: a row a finding, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from nodule.report.model import FindingPart, Report

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
)

Cell = str | float | None


def findings_csv(report: Report) -> str:
    """Return the table as RFC 4180 text; text that a spreadsheet would run is quoted by ``'``."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    uid = report.study.series_instance_uid
    for finding in report.findings:
        writer.writerow([safe_cell(cell) for cell in (uid, *_row(finding))])
    return text.getvalue()


def safe_cell(cell: Cell) -> Cell:
    """Disarm text that begins like a formula; numbers, negative ones too, stay as they are."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


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
