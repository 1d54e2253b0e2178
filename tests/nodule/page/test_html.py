"""The page in a real browser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodule.advice.case import Case
from nodule.advice.context import Context
from nodule.advice.management import manage
from nodule.findings import Malignancy
from nodule.masks import NoduleMask
from nodule.outputs import write_report_files
from nodule.report import Provenance, Report, build_report
from nodule.review.apply import apply_review
from nodule.review.review_file import read_review
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask

# the grey under a point of the patient, in a plane
PIXEL = """([plane, point]) => {
  const canvas = document.querySelector(`[data-plane=${plane}] canvas`);
  const [x, y] = noduleViewer.toPixel(plane, point);
  return [...canvas.getContext("2d").getImageData(Math.round(x), Math.round(y), 1, 1).data];
}"""
COLOURED = """(plane) => {
  const canvas = document.querySelector(`[data-plane=${plane}] canvas`);
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] > 200 && data[i + 1] > 160 && data[i + 2] < 130) count += 1;
  }
  return count;
}"""
BALL = [20.0, 30.0, -40.0]


@pytest.fixture
def page(browser: Any, written: Path) -> Iterator[Any]:
    """Return the page, its viewer ready; it must not have complained when the test is over."""
    trouble: list[str] = []
    page = browser.new_page(viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith("file:") else trouble.append(r.url[:99]))
    page.goto((written / "report.html").as_uri())
    page.wait_for_selector("#viewer[data-ready]")
    yield page
    page.close()
    assert [t for t in trouble if not t.startswith(("data:image", "blob:"))] == []


def settle(page: Any) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def caption(page: Any, plane: str = "axial") -> str:
    text: str = page.text_content(f"[data-plane={plane}] .place")
    return text


def look_at(page: Any, point: list[float]) -> None:
    page.evaluate("(point) => noduleViewer.jump(point)", point)
    settle(page)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_greys_are_those_of_the_window(page: Any, plane: str) -> None:
    look_at(page, BALL)
    # 30 HU becomes 32; (32 + 1350) / 1500 x 255
    assert page.evaluate(PIXEL, [plane, BALL]) == pytest.approx([235, 235, 235, 255], abs=1)
    page.get_by_role("button", name="Mediastinum").click()
    settle(page)
    # (32 + 160) / 400 x 255
    assert page.evaluate(PIXEL, [plane, BALL]) == pytest.approx([122, 122, 122, 255], abs=1)


def test_lung_is_dark_beside_the_ball(page: Any) -> None:
    page.uncheck("#viewer-marks")
    look_at(page, BALL)
    # -870 HU becomes -872; (-872 + 1350) / 1500 x 255; clear of the crosshair
    grey = page.evaluate(PIXEL, ["axial", [10.0, 38.0, -40.0]])
    assert grey == pytest.approx([81, 81, 81, 255], abs=2)


def test_a_jump_from_the_table_shows_the_image_that_the_table_names(page: Any) -> None:
    """N1's long axis lies on the slice at z = -42, its centre at z = -40.4, nearest to another."""
    page.get_by_role("button", name="N1: show in slices").first.click()
    settle(page)
    assert page.evaluate("noduleViewer.cursor()") == pytest.approx([20.0, 30.0, -42.0])
    for plane in ("axial", "coronal", "sagittal"):
        x, y, width, height = page.evaluate(
            """(plane) => {
              const canvas = document.querySelector(`[data-plane=${plane}] canvas`);
              const at = noduleViewer.toPixel(plane, [20, 30, -42]);
              return [...at, canvas.width, canvas.height];
            }""",
            plane,
        )
        assert (x, y) == pytest.approx((width / 2, height / 2), abs=1)
    # z = -42 is index 14 of 30, whose image number is 16
    assert caption(page).startswith("image 16 (slice 15 of 30), z −42.0 mm")
    table = page.locator("table.list tbody tr").first.locator("td").nth(2)
    assert table.text_content() == "16"
    assert "(image 16, series 7)" in page.text_content(".impression")


def test_a_jump_from_a_picture_centres_the_finding(page: Any) -> None:
    page.locator("#N3 svg[data-jump]").first.click()
    settle(page)
    assert page.evaluate("noduleViewer.cursor()") == pytest.approx([5.0, 15.0, -60.0])


def test_the_wheel_the_keys_and_the_slider_turn_slices(page: Any) -> None:
    look_at(page, BALL)
    assert caption(page) == "image 15 (slice 16 of 30), z −40.0 mm"
    page.hover("[data-plane=axial] canvas")
    page.mouse.wheel(0, -120)
    settle(page)
    assert caption(page) == "image 14 (slice 17 of 30), z −38.0 mm"
    page.focus("[data-plane=axial] canvas")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    settle(page)
    assert caption(page) == "image 16 (slice 15 of 30), z −42.0 mm"
    page.focus("[data-plane=axial] input")
    page.keyboard.press("Home")
    settle(page)
    assert caption(page) == "image 30 (slice 1 of 30), z −70.0 mm"
    assert page.get_attribute("[data-plane=axial] input", "aria-valuetext") == caption(page)


def test_keys_choose_the_window_and_the_next_finding(page: Any) -> None:
    page.focus("[data-plane=coronal] canvas")
    page.keyboard.press("2")
    page.keyboard.press("n")
    settle(page)
    # the first finding is shown from the start, N2 is next
    assert page.evaluate("noduleViewer.cursor()") == pytest.approx([10.0, 20.0, -30.0])
    assert page.text_content("#viewer-window").startswith("W 400 L 40 ")
    pressed = page.get_by_role("button", name="Mediastinum").get_attribute("aria-pressed")
    assert pressed == "true"


def test_a_drag_with_the_right_button_changes_the_window(page: Any) -> None:
    page.hover("[data-plane=axial] canvas")  # scrolls it into view
    box = page.locator("[data-plane=axial] canvas").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 250, box["y"] + 190, steps=5)
    page.mouse.up(button="right")
    settle(page)
    # from W 1500 L -600, 4 HU a pixel
    assert page.text_content("#viewer-window").startswith("W 1700 L −640 ")


def test_a_drag_moves_the_crosshair(page: Any) -> None:
    look_at(page, BALL)
    x, y = page.evaluate("noduleViewer.toPixel('axial', [14, 24, -40])")
    box = page.locator("[data-plane=axial] canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.up()
    settle(page)
    assert page.evaluate("noduleViewer.cursor()") == pytest.approx([14.0, 24.0, -40.0], abs=0.3)


def test_marks_can_be_switched_off(page: Any) -> None:
    look_at(page, [20.0, 30.0, -40.4])
    assert page.evaluate(COLOURED, "axial") > 100
    page.uncheck("#viewer-marks")
    settle(page)
    assert page.evaluate(COLOURED, "axial") == 0


def test_the_pictures_marks_can_be_switched_off_on_the_chest_too(page: Any) -> None:
    chest = page.get_by_role("group", name="The chest from the front with N1, N2, N3 marked")
    assert chest.get_by_role("link").count() == 3
    assert page.is_visible(".front .overlay")
    page.check("#clean")
    assert page.is_hidden(".front .overlay")
    assert page.is_hidden("#N1 .planes .overlay >> nth=0")


def test_a_share_of_everything_is_written_above_its_bar(
    browser: Any,
    report: Report,
    study: Study,
    lungs: LungMask,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    first = report.findings[0]
    assert first.assessment is not None
    sure = Malignancy(distribution=(0.0, 0.0, 0.0, 0.0, 1.0))
    assessment = replace(first.assessment, malignancy=sure)
    certain = report.model_copy(update={"findings": (replace(first, assessment=assessment),)})
    own = {"N1": masks["N1"]}
    write_report_files(certain, study=study, lungs=lungs, masks=own, folder=tmp_path, viewer=False)
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    share, bar, chart = (
        page.locator(f"#N1 .chart {inside}").last.bounding_box()
        for inside in (".share", ".bar", ">> xpath=.")
    )
    page.close()
    assert chart["y"] <= share["y"]
    assert share["y"] + share["height"] <= bar["y"] + 2.0  # a digit has no descender


def test_the_reasons_of_rules_have_the_width_of_a_telephone(
    browser: Any,
    report: Report,
    study: Study,
    lungs: LungMask,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    context = Context(setting="screening-baseline")
    case = Case(
        context=context,
        patient=report.study.patient,
        slice_mm=report.study.slice_mm,
        active=report.active,
        comparison=None,
    )
    advised = report.model_copy(update={"management": manage(case)})
    write_report_files(
        advised, study=study, lungs=lungs, masks=masks, folder=tmp_path, viewer=False
    )
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto((tmp_path / "report.html").as_uri())
    reason = page.locator(".management .wraps td:last-child").first.bounding_box()
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert reason["width"] > 260
    assert wide == 390


def test_says_so_where_the_browser_cannot_unpack(browser: Any, written: Path) -> None:
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto((written / "report.html").as_uri())
    assert "cannot unpack" in page.text_content("#viewer-status")
    assert page.is_hidden("#viewer-body")
    assert page.is_visible("#N1-title")
    page.close()


def test_a_review_is_saved_and_fits_its_report(
    page: Any,
    report: Report,
    study: Study,
    lungs: LungMask,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    page.get_by_role("radiogroup", name="Verdict on N1").get_by_label("accept").check()
    page.get_by_role("radiogroup", name="Verdict on N2").get_by_label("reject").check()
    page.get_by_label("Comment on N2").fill("vessel")
    look_at(page, [6.0, 16.0, -58.0])
    page.get_by_role("button", name="Move N3 to the crosshair").click()
    look_at(page, BALL)
    page.get_by_role("button", name="Add a finding at the crosshair").click()
    page.get_by_label("Long axis of R1 in mm").fill("6.5")
    page.get_by_label("Reader").fill("A. Reader")
    assert page.text_content("#review-count").startswith("1 accepted, 1 rejected, 1 undecided")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save the review file").click()
    assert waiting.value.suggested_filename == "review.json"
    waiting.value.save_as(tmp_path / "review.json")
    review = read_review(tmp_path / "review.json")
    assert review.report_sha256 == report.sha256
    assert review.reader == "A. Reader"
    assert [(d.id, d.verdict, d.moved_to_lps_mm, d.comment) for d in review.decisions] == [
        ("N1", "accepted", None, None),
        ("N2", "rejected", None, "vessel"),
        ("N3", None, (6.0, 16.0, -58.0), None),
    ]
    (addition,) = review.additions
    assert (addition.center_lps_mm, addition.long_axis_mm) == ((20.0, 30.0, -40.0), 6.5)
    reviewed = apply_review(report, review, study=study, lungs=lungs, masks=masks)
    assert [each.nodule.id for each in reviewed.report.active] == ["N1", "N3", "R1"]


def test_all_that_a_reader_signs_can_be_corrected_and_outlives_a_reload(
    page: Any,
    report: Report,
    study: Study,
    lungs: LungMask,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    page.locator("[data-review=N1] summary").click()
    page.get_by_label("Long axis of N1", exact=True).fill("11")
    page.get_by_label("Short axis of N1", exact=True).fill("12")
    assert "N1: the short axis is longer" in page.text_content("#review-fault")
    assert page.get_by_role("button", name="Save the review file").is_disabled()
    page.get_by_label("Short axis of N1", exact=True).fill("9")
    page.get_by_label("Type of N1").select_option("part-solid")
    page.get_by_label("Solid long axis of N1").fill("6")
    page.get_by_label("Solid short axis of N1").fill("5")
    page.get_by_label("Lung of N1", exact=True).select_option("right")
    page.get_by_label("Lobe of N1").select_option("RML")
    page.get_by_label("Spiculation of N1").select_option("yes")
    page.get_by_label("Benign sign of N1").select_option("fat")
    page.locator("#review summary", has_text="Person and exam").click()
    page.get_by_label("Setting", exact=True).select_option("screening-baseline")
    page.get_by_label("Age", exact=True).fill("61")
    page.get_by_label("known cancer", exact=True).select_option("no")
    page.get_by_label("S: another significant finding").check()
    page.get_by_label("Attested for").fill("General Hospital")
    assert "name the reader" in page.text_content("#review-fault")
    page.get_by_label("Reader").fill("A. Reader")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.wait_for_selector("#viewer[data-ready]")
    assert "not saved yet" in page.text_content("#review-count")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save the review file").click()
    waiting.value.save_as(tmp_path / "review.json")
    review = read_review(tmp_path / "review.json")
    (decision,) = review.decisions
    assert decision.size is not None
    assert decision.size.model_dump() == {
        "long_axis_mm": 11.0,
        "short_axis_mm": 9.0,
        "texture": "part-solid",
        "solid_axes_mm": (6.0, 5.0),
    }
    assert decision.lung == "right"
    assert (review.reader, review.attested_for) == ("A. Reader", "General Hospital")
    stated = review.context
    assert stated is not None
    assert (stated.setting, stated.age_years) == ("screening-baseline", 61)
    assert stated.known_cancer is False
    assert stated.reader is not None
    assert stated.reader.significant_other_finding
    facts = stated.findings["N1"]
    assert (facts.lobe, facts.spiculation, facts.benign_feature) == ("RML", True, "fat")
    assert stated.findings.keys() == {"N1"}
    reviewed = apply_review(report, review, study=study, lungs=lungs, masks=masks).report
    assert reviewed.findings[0].mean_diameter_mm == 10.0
    page.reload()
    page.wait_for_selector("#viewer[data-ready]")
    assert "not saved yet" not in page.text_content("#review-count")  # the draft has gone


def test_a_study_without_findings_and_image_numbers_can_be_read_and_added_to(
    browser: Any,
    study: Study,
    lungs: LungMask,
    patient: PatientHeader,
    provenance: Provenance,
    tmp_path: Path,
    masks: dict[str, NoduleMask],
) -> None:
    bare = replace(study, slices=())
    report = build_report(
        study=bare, lungs=lungs, findings=(), patient=patient, provenance=provenance
    )
    write_report_files(report, study=bare, lungs=lungs, masks={}, folder=tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    page.wait_for_selector("#viewer[data-ready]")
    look_at(page, BALL)
    assert caption(page) == "slice 16 of 30, z −40.0 mm"
    page.get_by_role("button", name="Add a finding at the crosshair").click()
    assert page.text_content("[data-review=R1]").startswith("R1added, slice 16 of 30")
    page.get_by_role("button", name="Remove R1").click()
    assert page.locator("[data-review]").count() == 0
    page.close()
