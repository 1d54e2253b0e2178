"""Results seen by OHIF, as its makers built it, over an archive's DICOMweb in a real browser.

``.ci/run`` fetches the built viewer; where it is not, these tests skip.
"""

import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicom_case import Case, read_case, write_series
from made_findings import remeasured
from ohif import served
from orthanc_archive import Archive, running_orthanc
from test_reviewed_document import reviewed

from nodule.ct import inventory
from nodule.dicom import write_dicom
from nodule.dicom.tracking import tracking_uids
from nodule.report import Report

FETCHED = Path.home() / ".cache/ohif-3.13.2/package/dist"  # by .ci/run
VIEWER = Path(os.environ.get("OHIF_DIST", FETCHED))
PIXEL_MM = 2.0  # square: OHIF 3.13 takes rows' spacing for columns' and the reverse
SPACING_ZYX_MM = (4.0, PIXEL_MM, PIXEL_MM)
ROOT = "1.2.826.0.1.3680043.10.9"
LOAD_MS = 60_000
FLAGS = (
    *("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
)
SHOWN = """() => {
  const { viewportGridService, cornerstoneViewportService } = window.services;
  const id = viewportGridService.getState().activeViewportId;
  const viewport = cornerstoneViewportService.getCornerstoneViewport(id);
  return viewport && viewport.getCurrentImageId ? viewport.getCurrentImageId() : null;
}"""
MARKS = """() => window.cornerstoneTools.annotation.state.getAllAnnotations()
  .filter(each => each.metadata.toolName === 'DICOMSRDisplay')
  .map(each => ({ uid: each.annotationUID, points: each.data.handles.points,
                  labels: each.data.labels.map(label => label.label) }))"""
SEGMENTS = """() => window.services.segmentationService.getSegmentations()
  .map(each => Object.values(each.segments).map(segment => segment.label))"""


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """A page of the viewer, and whatever it complained of."""

    page: Any
    complaints: list[str]

    def open(self, description: str) -> None:
        """Open a series by its description."""
        entry = self.page.get_by_text(description, exact=False).first
        entry.dblclick(timeout=LOAD_MS)

    def shows(self, sop_instance_uid: str, frame: int = 1) -> None:
        """Wait until the view shows an image."""
        self.page.wait_for_function(
            f"""([uid, frame]) => {{
              const image = ({SHOWN})();
              return image && image.includes(`/instances/${{uid}}/frames/${{frame}}`);
            }}""",
            arg=[sop_instance_uid, frame],
            timeout=LOAD_MS,
        )

    def next(self) -> None:
        """Click to the next finding."""
        self.page.locator('[data-cy="viewport-action-arrows-right"]').click(timeout=LOAD_MS)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    if not (VIEWER / "index.html").is_file():
        pytest.skip("the built OHIF (npm package @ohif/app) is not on this machine")
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


def store(archive: Archive, folder: Path) -> None:
    for path in sorted(folder.rglob("*.dcm")):
        request = urllib.request.Request(
            f"http://127.0.0.1:{archive.http_port}/instances",
            data=path.read_bytes(),
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            assert reply.status == 200


@pytest.fixture(scope="module")
def address(archive: Archive) -> Iterator[str]:
    with served(VIEWER, archive_port=archive.http_port) as url:
        yield url


@pytest.fixture(scope="module")
def chrome(chromium: str, browser_driver: Any) -> Iterator[Any]:
    browser = browser_driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture
def view(chrome: Any, address: str) -> Iterator[Any]:
    """Return a function that opens a study."""
    page = chrome.new_page(viewport={"width": 1500, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )

    def opened(study_uid: str) -> Viewer:
        page.goto(f"{address}/viewer?StudyInstanceUIDs={study_uid}", timeout=LOAD_MS)
        page.get_by_text("Skip all", exact=True).first.click(timeout=LOAD_MS)
        return Viewer(page=page, complaints=complaints)

    yield opened
    page.close()


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("series")
    write_series(folder, {}, spacing_zyx_mm=SPACING_ZYX_MM, root=ROOT)
    return with_axes(read_case(folder, spacing_zyx_mm=SPACING_ZYX_MM))


def with_axes(case: Case) -> Case:
    """Return a case whose first finding has its two axes drawn on one image."""
    grid = case.study.volume.geometry

    def line(*ends_zyx: tuple[int, int, int]) -> Any:
        return tuple(tuple(grid.index_to_lps(end).tolist()) for end in ends_zyx)

    first, *others = case.report.findings
    drawn = remeasured(
        first,
        long_axis_ends_lps_mm=line((5, 9, 21), (5, 12, 25)),
        short_axis_ends_lps_mm=line((5, 8, 24), (5, 11, 22)),
    )
    report = case.report.model_copy(update={"findings": (drawn, *others)})
    return replace(case, report=report)


def write(case: Case, report: Report, folder: Path) -> None:
    kept = {each.nodule.id for each in report.active}
    masks = {id_: mask for id_, mask in case.masks.items() if id_ in kept}
    write_dicom(report, masks=masks, lungs=case.lungs, source=case.source, folder=folder)


def check_findings(viewer: Viewer, case: Case, report: Report) -> None:
    """Click through all findings: each on its image, its first mark within a pixel."""
    uids = tracking_uids(report)
    stated = (*report.active, *report.rejected)
    grid = case.study.volume.geometry
    for number, finding in enumerate(stated):
        if number:
            viewer.next()
        z = finding.nodule.image.number - 1
        viewer.shows(str(case.images[z].SOPInstanceUID))
        (mark,) = (m for m in viewer.page.evaluate(MARKS) if m["uid"] == uids[finding.nodule.id])
        measured = finding.nodule.measurement
        ends = None if measured is None else measured.long_axis_ends_lps_mm
        expected = np.asarray([finding.nodule.center_lps_mm] if ends is None else ends)
        there = grid.lps_to_index(np.asarray(mark["points"])[: len(expected)])
        wanted = grid.lps_to_index(expected)
        assert np.abs(there - wanted)[:, 1:].max() < 1.0, finding.nodule.id  # rows and columns
        assert np.abs(there[:, 0] - z).max() < 1e-3, finding.nodule.id


@pytest.fixture(scope="module")
def stored(archive: Archive, series: Case, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Store a study with the SR and SEG of its first report and of a reviewed one; return that."""
    after = reviewed(series)
    kept = (series.report.findings[0], series.report.findings[2])
    after = after.model_copy(update={"findings": kept})
    folder = tmp_path_factory.mktemp("results")
    write(series, series.report, folder / "first")
    write(series, after, folder / "reviewed")
    store(archive, series.folder)
    store(archive, folder)
    return after


@pytest.mark.slow
@pytest.mark.parametrize("state", ["first", "reviewed"])
def test_every_finding_is_a_click_away_beside_its_segments(
    stored: Report, view: Any, series: Case, state: str
) -> None:
    seg, sr = ("S:9701", "S:9702") if state == "first" else ("S:9711", "S:9712")
    report = series.report if state == "first" else stored
    viewer = view(series.report.study.series.study_instance_uid)
    viewer.open(seg)
    viewer.page.get_by_text("Yes", exact=True).first.click(timeout=LOAD_MS)
    viewer.page.wait_for_function(f"() => ({SEGMENTS})().length > 0", timeout=LOAD_MS)
    names = [f"Nodule {id_}" for id_ in ("N1", "N2") if id_ in {e.nodule.id for e in report.active}]
    assert viewer.page.evaluate(SEGMENTS) == [names]
    viewer.open(sr)
    check_findings(viewer, series, report)
    assert viewer.page.evaluate(SEGMENTS) == [names]  # both are there together
    shown = ["Long axis", "Short axis", "Diameter", "Volume", "Malignancy", "Certainty of Finding"]
    said = [[each for each in m["labels"] if each in shown] for m in viewer.page.evaluate(MARKS)]
    assert shown in said
    assert viewer.complaints == []


@pytest.mark.slow
def test_frames_of_a_multi_frame_study_are_found(
    archive: Archive, view: Any, tmp_path: Path
) -> None:
    single, multi = tmp_path / "single", tmp_path / "multi"
    single.mkdir()
    multi.mkdir()
    root = f"{ROOT}.7"
    write_series(single, {}, spacing_zyx_mm=SPACING_ZYX_MM, root=root)
    legacy = [pydicom.dcmread(path) for path in single.iterdir()]
    converted = hd.legacy.LegacyConvertedEnhancedCTImage(
        legacy, series_instance_uid=f"{root}.8", series_number=4, sop_instance_uid=f"{root}.9",
        instance_number=1,
    )  # fmt: skip
    converted.save_as(multi / "multi.dcm")
    case = with_axes(read_case(single, spacing_zyx_mm=SPACING_ZYX_MM))
    case = replace(case, source=inventory(multi).choose())
    write(case, case.report, tmp_path / "results")
    store(archive, multi)
    store(archive, tmp_path / "results")
    viewer = view(f"{root}.1")
    viewer.open("S:9702")
    frames = list(converted.PerFrameFunctionalGroupsSequence)
    for number, finding in enumerate(case.report.findings):
        if number:
            viewer.next()
        place = case.images[finding.nodule.image.number - 1].ImagePositionPatient
        (frame,) = (
            n
            for n, groups in enumerate(frames, start=1)
            if np.allclose(groups.PlanePositionSequence[0].ImagePositionPatient, place, atol=1e-3)
        )
        viewer.shows(f"{root}.9", frame)
    assert viewer.complaints == []


@pytest.mark.slow
def test_a_document_without_findings_opens_without_a_complaint(
    archive: Archive, view: Any, tmp_path: Path
) -> None:
    root = f"{ROOT}.5"
    (tmp_path / "ct").mkdir()
    write_series(tmp_path / "ct", {}, spacing_zyx_mm=SPACING_ZYX_MM, root=root)
    case = read_case(tmp_path / "ct", spacing_zyx_mm=SPACING_ZYX_MM)
    write(case, case.report.model_copy(update={"findings": (), "dominant": None}), tmp_path)
    store(archive, tmp_path)
    viewer = view(f"{root}.1")
    viewer.open("S:9702")
    viewer.page.wait_for_timeout(3000)
    assert viewer.complaints == []
