"""Every field that a report must show, on the page and, but for the pictures, in ``report.json``.

The list follows the synoptic templates for nodules on chest CT: a header, each finding's row, the
key images, the impression, what wrote it, and its limits.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from made_findings import with_malignancy, with_nodule

from nodule.advice.context import Context
from nodule.findings import Finding
from nodule.followup import Comparison
from nodule.masks import NoduleMask
from nodule.outputs import write_report_files
from nodule.report import Provenance, Report, build_report
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask

Told = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def whole(
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
    comparison: Comparison,
) -> Report:
    nodule, *others = findings
    assert nodule.nodule.measurement is not None
    measured = replace(
        nodule.nodule.measurement,
        texture="part-solid",
        solid_axes_mm=(5.2, 4.4),
        solid_volume_mm3=61.0,
        volume_ci95_mm3=(700.0, 1150.0),
    )
    assert nodule.assessment is not None
    unsure = replace(nodule.assessment.malignancy, ensemble_sd=0.92, indeterminate=True)
    nodule = with_malignancy(with_nodule(nodule, measurement=measured), unsure)
    return build_report(
        study=study,
        lungs=lungs,
        findings=(nodule, *others),
        patient=patient,
        provenance=provenance,
        context=Context(
            setting="screening-annual",
            indication="Annual round",
            findings={"N1": {"lobe": "LUL"}},
        ),
        comparison=comparison,
    )


@pytest.fixture(scope="module")
def text(
    whole: Report,
    study: Study,
    lungs: LungMask,
    tmp_path_factory: pytest.TempPathFactory,
    masks: dict[str, NoduleMask],
) -> str:
    """Return what a reader reads: the page without its tags."""
    folder = tmp_path_factory.mktemp("mandatory")
    write_report_files(whole, study=study, lungs=lungs, masks=masks, folder=folder, viewer=False)
    page = re.sub("</?time>", "", (folder / "report.html").read_text(encoding="utf-8"))
    labels = " ".join(re.findall(r'aria-label="([^"]*)"', page))
    body = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(f"{body} {labels}").split())


@pytest.fixture(scope="module")
def told(whole: Report) -> dict[str, Any]:
    content: dict[str, Any] = whole.model_dump(mode="json")
    return content


HEADER = {
    "patient": ("Doe, Jane", lambda j: j["study"]["patient"]["patient_name"] == "Doe^Jane"),
    "patient's id": ("ID P-17", lambda j: j["study"]["patient"]["patient_id"] == "P-17"),
    "study date": (
        "examined 2026-01-02",
        lambda j: j["study"]["patient"]["study_date"] == "20260102",
    ),
    "indication": ("Annual round", lambda j: j["context"]["indication"] == "Annual round"),
    "kind of exam": ("screening, annual", lambda j: j["context"]["setting"] == "screening-annual"),
    "comparison": (
        "prior CT of 2025-03-08, 300 days before",
        lambda j: j["comparison"]["prior"]["study_date"] == "20250308",
    ),
    "slice thickness": (
        "slices of 2 mm",
        lambda j: j["study"]["series"]["slice_thickness_mm"] == 2,
    ),
    "kernel": ("kernel B30f", lambda j: j["study"]["series"]["convolution_kernel"] == "B30f"),
    "contrast": (
        "contrast medium not stated",
        lambda j: j["study"]["series"]["contrast_agent"] is None,
    ),
    "dose": (
        "dose: 120 kV, exposure not stated, CTDIvol 3.25 mGy",
        lambda j: j["study"]["series"]["ctdi_vol_mgy"] == 3.25,
    ),
    "software": ("nodule 0.1.0", lambda j: j["software"]["version"] == "0.1.0"),
    "identifier": ("nodule/0.1.0/", lambda j: j["software"]["identifier"].startswith("nodule/")),
    "models": (
        "Weights of lungs " + "1" * 64,
        lambda j: j["software"]["models"]["lungs"] == "1" * 12,
    ),
    "draft": (
        "AI-generated draft, not verified",
        lambda j: "not verified" in j["software"]["status"],
    ),
    "slice direction": (
        "Slices counted foot to head",
        lambda j: j["study"]["grid"]["slice_direction"] == "foot to head",
    ),
    "quality": ("Quality and limitations", lambda j: len(j["quality"]) >= 7),
}
FINDING = {
    "long by short axis": (
        "12.6 × 11.9 mm",
        lambda f: f["nodule"]["measurement"]["long_axis_mm"] == 12.6,
    ),
    "mean diameter": ("Mean diameter 12.3 mm", lambda f: f["mean_diameter_mm"] == 12.3),
    "effective diameter": (
        "Effective diameter 12.0 mm",
        lambda f: f["nodule"]["measurement"]["effective_diameter_mm"] == 12.0,
    ),
    "volume": (
        "905 mm³ (700 to 1150)",
        lambda f: f["nodule"]["measurement"]["volume_ci95_mm3"] == [700.0, 1150.0],
    ),
    "composition": (
        "Type part-solid",
        lambda f: f["nodule"]["measurement"]["texture"] == "part-solid",
    ),
    "solid component": (
        "5.2 × 4.4 mm, 61 mm³",
        lambda f: f["nodule"]["measurement"]["solid_volume_mm3"] == 61.0,
    ),
    "calcification": (
        "Calcification none by density",
        lambda f: f["nodule"]["measurement"]["texture"] != "calcified",
    ),
    "lung": ("left lung", lambda f: f["nodule"]["lung"] == "left"),
    "lobe": ("Lobe LUL, stated; upper third", lambda f: f["lobe"] == "LUL"),
    "image": ("image 16, series 7", lambda f: f["nodule"]["image"]["instance_number"] == 16),
    "z": ("z −40.4 mm", lambda f: f["nodule"]["center_lps_mm"][2] == -40.4),
    "confidence": (
        "Confidence, not calibrated 93 %",
        lambda f: f["assessment"]["probability"] == 0.93,
    ),
    "malignancy": ("Suspicion of malignancy 3.9 of 5", lambda f: f["rating"]["score"] == 3.9),
    "malignancy in words": (
        "moderately suspicious",
        lambda f: f["rating"]["word"] == "moderately suspicious",
    ),
    "abstention": (
        "± 0.9 over the networks Networks abstain, not to be relied on",
        lambda f: (
            f["assessment"]["malignancy"]["indeterminate"]
            and f["assessment"]["malignancy"]["ensemble_sd"] == 0.92
        ),
    ),
}
SINCE = {
    "prior size": (
        "10.9 × 10.2 mm, 600 mm³",
        lambda c: c["prior"]["nodule"]["measurement"]["volume_mm3"] == 600.0,
    ),
    "difference in mm": ("effective ⌀ +1.5 mm", lambda c: c["diameter_change_mm"] == 1.54),
    # 904.78 / 600
    "difference in per cent": ("volume +51 %", lambda c: round(c["volume_change"]["value"]) == 51),
    # ln 2 x 300 / ln(904.78 / 600)
    "doubling time": ("506 days", lambda c: round(c["doubling_time"]["value"]) == 506),
    "growth class": (
        "growing, VDT over 400 to 600 days",
        lambda c: c["growth"].startswith("growing"),
    ),
}
ELSEWHERE = {
    "dominant nodule": ("Most suspicious is N1", lambda j: j["dominant"] == "N1"),
    "interval": ("Change in 300 days", lambda j: j["comparison"]["days"] == 300),
    "mass": ("N2 exceeds 30 mm: a mass", lambda j: j["findings"][1]["scope"] == "mass"),
    "no size": ("not measurable", lambda j: j["findings"][2]["nodule"]["measurement"] is None),
    "new": ("new", lambda j: j["comparison"]["new"][0]["finding"]["nodule"]["id"] == "N2"),
    "resolved": (
        "N5, image",
        lambda j: j["comparison"]["resolved"][0]["finding"]["nodule"]["id"] == "N5",
    ),
    "category with version": (
        "Lung-RADS v2022",
        lambda j: j["management"]["exam"][0]["version"] == "v2022",
    ),
    "citation": (
        "Chest 2024;165:738-753",
        lambda j: "2024;165:738-753" in j["management"]["exam"][0]["citation"],
    ),
    "warning of the comparison": (
        "Kernels differ.",
        lambda j: "KERNEL_DIFFERS" in [w["code"] for w in j["warnings"]],
    ),
}
PICTURES = {
    "lung window": "N1, axial plane, lung window",
    "coronal": "N1, coronal plane, lung window",
    "sagittal": "N1, sagittal plane, lung window",
    "soft tissue window": "N1, axial plane, soft tissue window",
    "overlay off": "Show the pictures without overlays",
}
LIMITS = {
    "second reader": ("purpose", "a second reader’s draft, never a diagnosis"),
    "judged by a radiologist": ("use", "must be judged by a radiologist on the original images"),
    "trained on opinions": ("suspicion", "not pathology"),
    "scope of Lung-RADS": ("rules", "Lung-RADS is for screening"),
    "scope of Fleischner": ("rules", "from 35 years without known cancer"),
    "what is never set": ("rules", "4X, S and 0 are the reader’s alone"),
    "uncertainty": ("sizes", "25 % of volume or 1.5 to 2 mm"),
    "too small": ("search", "Nodules below 4 mm"),
    "too thick": ("search", "thicker than 3 mm"),
}


@pytest.mark.parametrize("field", [*HEADER, *ELSEWHERE])
def test_the_report_shows(field: str, text: str, told: dict[str, Any]) -> None:
    words, holds = (HEADER | ELSEWHERE)[field]
    assert words in text
    assert holds(told)


@pytest.mark.parametrize("field", PICTURES)
def test_the_page_shows(field: str, text: str) -> None:
    assert PICTURES[field] in text


@pytest.mark.parametrize("field", LIMITS)
def test_page_and_json_both_limit_what_they_say(
    field: str, text: str, told: dict[str, Any]
) -> None:
    name, words = LIMITS[field]
    assert words in text
    assert words in told["limits"][name]


@pytest.mark.parametrize("field", FINDING)
def test_each_finding_shows(field: str, text: str, told: dict[str, Any]) -> None:
    words, holds = FINDING[field]
    assert words in text
    assert holds(told["findings"][0])


@pytest.mark.parametrize("field", SINCE)
def test_a_finding_seen_before_shows(field: str, text: str, told: dict[str, Any]) -> None:
    words, holds = SINCE[field]
    assert words in text
    assert holds(told["comparison"]["changes"][0])


def test_what_the_software_cannot_know_is_visibly_not_stated(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path, viewer=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    body = " ".join(re.sub(r"<[^>]+>", " ", page.split("<main>")[1]).split())
    assert "Indication not stated" in body
    assert "Comparison None available" in body
    assert "Lobe not determined" in body
    assert "Known cancer not stated" in body


def test_a_prior_without_a_date_is_told(
    whole: Report,
    study: Study,
    lungs: LungMask,
    comparison: Comparison,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    undated = replace(comparison, days=None, prior=replace(comparison.prior, study_date=None))
    report = whole.model_copy(update={"comparison": undated})
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=tmp_path, viewer=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "prior CT, date not stated" in page


def test_small_lungs_are_named_in_the_impression(written: Path) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    impression = page[page.index('class="impression"') : page.index('class="warnings"')]
    assert "The lungs measure" in impression
