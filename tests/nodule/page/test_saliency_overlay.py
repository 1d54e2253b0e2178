"""Heat is drawn where it lies, on the page only where it is asked for."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from nodule.findings import Finding
from nodule.geometry import Geometry
from nodule.masks import NoduleMask
from nodule.outputs import write_report_files, write_saliency
from nodule.page.figures import Picture, plane_pictures
from nodule.page.html import render_html
from nodule.page.pdf import write_pdf
from nodule.page.saliency_overlay import hiding_in_words, saliency_figures, saliency_sheet
from nodule.report import Report
from nodule.saliency import SaliencyChecks, SaliencyMap
from nodule.study import Study
from nodule.volume import LungMask

HOT_LPS_MM = (24.0, 27.0, -36.0)
CENTER_LPS_MM = (20.0, 30.0, -40.0)


@pytest.fixture(scope="module")
def heat() -> SaliencyMap:
    """Return a map on an oblique grid, hot within 2 mm of a place beside N1."""
    c, s = np.cos(0.3), np.sin(0.3)
    direction = ((0.0, -s, c), (0.0, c, s), (1.0, 0.0, 0.0))
    geometry = Geometry(
        shape_zyx=(32, 32, 32),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        origin_lps_mm=tuple(np.asarray(CENTER_LPS_MM) - np.asarray(direction) @ np.full(3, 15.5)),
        direction=direction,
    )
    where = geometry.index_to_lps(np.moveaxis(np.indices(geometry.shape_zyx), 0, -1))
    away_mm = np.linalg.norm(where - HOT_LPS_MM, axis=-1)
    return SaliencyMap(
        finding_id="N1",
        answer="malignancy",
        saliency_zyx=np.clip(2 - away_mm / 2, 0, 1).astype(np.float16),
        geometry=geometry,
        checks=SaliencyChecks(
            score=3.9,
            score_without_hottest=2.25,
            scores_without_elsewhere=(3.8, 3.9),
            likeness_random_head=0.5,
            likeness_random_network=0.2,
        ),
    )


@pytest.fixture(scope="module")
def pictures(study: Study) -> list[Picture]:
    return [
        plane_pictures(study.volume, center_lps_mm=HOT_LPS_MM, plane=plane, edge_mm=60.0)[0]
        for plane in ("axial", "coronal", "sagittal")
    ]


def test_heat_is_drawn_where_it_lies_in_every_plane(
    heat: SaliencyMap, pictures: list[Picture]
) -> None:
    for figure in saliency_figures(heat, pictures):
        drawn = np.asarray(Image.open(io.BytesIO(figure.overlay.png)))
        pixel_mm = 60.0 / drawn.shape[0]
        rows, columns = np.nonzero(drawn[..., 3] > 0)
        centroid_mm = (columns.mean() + 0.5) * pixel_mm, (rows.mean() + 0.5) * pixel_mm
        assert centroid_mm == pytest.approx(figure.picture.place(HOT_LPS_MM), abs=0.3)
        # heat falls from 1 within 2 mm to 0 at 4 mm; below 0.2 nothing is drawn
        assert (np.ptp(columns) + 1) * pixel_mm == pytest.approx(2 * 3.6, abs=0.8)


def test_its_files_place_the_heat_in_space_and_record_the_checks(
    heat: SaliencyMap, findings: tuple[Finding, ...], study: Study, tmp_path: Path
) -> None:
    record = write_saliency(heat, findings[0], volume=study.volume, folder=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"N1-malignancy.{suffix}" for suffix in ("nii.gz", "png", "json")
    }
    image = sitk.ReadImage(str(tmp_path / record["map"]))  # SimpleITK turns RAS into LPS
    stored = sitk.GetArrayFromImage(image)
    index = np.unravel_index(stored.argmax(), stored.shape)
    hottest_lps_mm = image.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]])
    assert np.linalg.norm(np.subtract(hottest_lps_mm, HOT_LPS_MM)) <= 2.0
    assert record["change_hottest"] == pytest.approx(2.25 - 3.9)
    assert record["change_elsewhere"] == pytest.approx(-0.05)
    stored_record = json.loads((tmp_path / "N1-malignancy.json").read_text())
    assert stored_record["change_hottest"] == record["change_hottest"]
    with Image.open(tmp_path / record["picture"]) as picture:
        assert picture.format == "PNG"


def test_says_what_hiding_did(heat: SaliencyMap) -> None:
    assert hiding_in_words(heat) == (
        "Hiding the most salient tenth of the cube changes it from 3.90 to 2.25; "
        "hiding as much elsewhere changes it to 3.85 on average."
    )


def test_a_sheet_is_a_picture_and_always_the_same(heat: SaliencyMap, study: Study) -> None:
    one, again = (
        saliency_sheet(heat, study.volume, center_lps_mm=HOT_LPS_MM, edge_mm=60.0) for _ in range(2)
    )
    assert one == again
    levels = np.asarray(Image.open(io.BytesIO(one)).convert("RGB")).astype(int)
    coloured = np.ptp(levels, axis=-1) > 60
    assert coloured[: levels.shape[0] // 2].sum() == 0  # the upper row is the scan alone
    assert coloured[levels.shape[0] // 2 :].sum() > 500


def test_a_page_without_heat_is_as_it_was(report: Report, study: Study, lungs: LungMask) -> None:
    plain = render_html(report, study=study, lungs=lungs)
    assert render_html(report, study=study, lungs=lungs, saliency_maps=()) == plain
    assert "Grad-CAM" not in plain
    assert ".looked" not in plain


@pytest.fixture(scope="module")
def heated(
    report: Report,
    study: Study,
    lungs: LungMask,
    heat: SaliencyMap,
    tmp_path_factory: pytest.TempPathFactory,
    masks: dict[str, NoduleMask],
) -> Path:
    folder = tmp_path_factory.mktemp("heated")
    write_report_files(
        report, study=study, lungs=lungs, masks=masks, folder=folder, saliency_maps=[heat]
    )
    return folder


def test_heat_is_shown_with_its_finding_and_what_it_is_not(heated: Path) -> None:
    page = (heated / "report.html").read_text()
    articles = {m[1]: m[0] for m in re.finditer(r'<article id="(N\d)".*?</article>', page, re.S)}
    assert {name for name, text in articles.items() if "Grad-CAM" in text} == {"N1"}
    text = " ".join(articles["N1"].split())
    assert "cube of 32 mm that the networks saw" in text
    assert "from 3.90 to 2.25" in text
    assert "proves no cause" in text
    assert " style=" not in page  # the policy would refuse it


def test_the_switch_for_marks_hides_the_heat_and_leaves_the_picture(
    browser: Any, heated: Path
) -> None:
    trouble: list[str] = []
    page = browser.new_page(viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    page.goto((heated / "report.html").as_uri())
    shown = page.locator("#N1 .looked svg.picture").nth(1)  # coronal, 3 mm from the heat

    def seen() -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(shown.screenshot())).convert("RGB")).astype(int)

    with_heat = seen()
    page.get_by_label("Show the pictures without overlays").check()
    without = seen()
    page.get_by_label("Show the pictures without overlays").uncheck()
    with_heat_again = seen()
    page.close()
    assert trouble == []
    assert np.ptp(with_heat, axis=-1).max() > 40
    assert np.ptp(with_heat_again, axis=-1).max() > 40
    assert np.ptp(without, axis=-1).max() < 20
    # the ball of 30 HU in lung of -870 is there all the same: (30 + 1350) / 1500 x 255
    assert without.max() >= 230


def test_heat_is_printed(heated: Path, written: Path, chromium: str, tmp_path: Path) -> None:
    sizes = [
        write_pdf(folder / "report.html", pdf_path=tmp_path / f"{name}.pdf").stat().st_size
        for name, folder in (("plain", written), ("heated", heated))
    ]
    assert sizes[1] > sizes[0] + 5000
