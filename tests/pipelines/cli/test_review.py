"""``nodule review`` as its users meet it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import typer
from typer.testing import CliRunner, Result

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.phantom import make_phantom, random_spec
from nodule.saliency import SaliencyChecks, SaliencyMap
from nodule.saliency_files import saliency_files, saliency_record
from nodule.training import CropSet
from pipelines.cli._dataset_review import review as dataset_review
from pipelines.cli._review import review_app

Nodule = Callable[..., Any]


@pytest.fixture
def first(nodule_run: Nodule, phantom_study: Path, tmp_path: Path) -> Path:
    """Return the folder of a report as ``nodule run`` has written it."""
    done = nodule_run(phantom_study, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    return tmp_path / "out" / "CASE-1"


def save_review(first: Path, **content: Any) -> Path:
    report = (first / "report.json").read_bytes()
    path = first / "review.json"
    header = {
        "format": "nodule-review-1",
        "report_sha256": hashlib.sha256(report).hexdigest(),
        "input_sha256": json.loads(report)["provenance"]["input_sha256"],
        "series_instance_uid": json.loads(report)["study"]["series"]["series_instance_uid"],
        "saved_at": "2026-03-04T05:06:07.089Z",
    }
    path.write_text(json.dumps(header | content))
    return path


def apply(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.add_typer(review_app, name="review")
    return CliRunner().invoke(app, ["review", "apply", *map(str, arguments)])


def test_writes_the_reviewed_report(
    first: Path, phantom_study: Path, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    before = json.loads((first / "report.json").read_bytes())
    rejected, *standing = [each["nodule"]["id"] for each in before["findings"]]
    truth = max(make_phantom(random_spec(3, size="small")).nodules, key=lambda n: n.diameter_mm)
    review = save_review(
        first,
        reader="A. Reader",
        decisions=[{"id": rejected, "verdict": "rejected"}],
        additions=[
            {"center_lps_mm": truth.center_lps_mm, "long_axis_mm": truth.diameter_mm},
        ],
    )
    out = tmp_path / "reviewed"
    out.mkdir()
    for name in ("sr.dcm", "report.pdf", "comparison.csv"):
        (out / name).touch()  # of an earlier report
    more = ("--dicom-with", "lungs", "--fhir", "--context", "incidental", "--indication", "Cough")
    result = apply(first / "report.json", review, "--study", phantom_study, "-o", out, *more)
    assert result.exit_code == 0, result.output
    after = json.loads((out / "report.json").read_bytes())
    assert [f["nodule"]["id"] for f in after["findings"]] == standing
    assert [f["nodule"]["id"] for f in after["rejected"]] == [rejected]
    assert after["added"][0]["nodule"]["image"]["sop_instance_uid"] is not None
    assert after["reviews"][0]["reader"] == "A. Reader"
    assert after["provenance"] == before["provenance"]
    assert (out / "lungs.nii.gz").read_bytes() == (first / "lungs.nii.gz").read_bytes()
    assert after["context"]["indication"] == "Cough"
    assert [a["rule_set"] for a in after["management"]["exam"]] == ["Fleischner", "BTS"]
    structured, segmentation = (pydicom.dcmread(out / name) for name in ("sr.dcm", "seg.dcm"))
    assert structured.VerificationFlag == "UNVERIFIED"
    # the light flow measures nothing and calls all air a right lung
    assert [s.SegmentLabel for s in segmentation.SegmentSequence] == ["Nodule R1", "Right lung"]
    named = {i.value for i in structured.iterall() if i.keyword == "ReferencedSOPInstanceUID"}
    assert segmentation.SOPInstanceUID in named
    assert dciodvfy(out / "sr.dcm") == dciodvfy(out / "seg.dcm") == []
    assert json.loads((out / "fhir.json").read_bytes())["resourceType"] == "Bundle"
    assert not (out / "report.pdf").exists()
    assert not (out / "comparison.csv").exists()
    assert "Reviewed draft" in (out / "report.html").read_text(encoding="utf-8")


def test_keeps_the_saliency_maps_of_what_it_keeps(
    first: Path, phantom_study: Path, tmp_path: Path
) -> None:
    """Of a finding that was rejected, or that is another place now, no map is shown."""
    report = json.loads((first / "report.json").read_bytes())
    ids = [each["nodule"]["id"] for each in report["findings"]]
    cube = Geometry(shape_zyx=(8, 8, 8), spacing_zyx_mm=(5.0, 5.0, 5.0))
    checks = SaliencyChecks(
        score=3.0,
        score_without_hottest=2.0,
        scores_without_elsewhere=(3.0,),
        likeness_random_head=0.5,
        likeness_random_network=0.1,
    )
    (first / "saliency").mkdir()
    for id_ in ids:
        made = SaliencyMap(
            finding_id=id_,
            answer="malignancy",
            saliency_zyx=np.ones((8, 8, 8), np.float16),
            geometry=cube,
            checks=checks,
        )
        record = {
            "input_sha256": report["provenance"]["input_sha256"],
            **saliency_record(made, center_lps_mm=(0.0, 0.0, 0.0)),
        }
        for name, content in saliency_files(made, record=record).items():
            (first / "saliency" / name).write_bytes(content)
    gone, kept = ids
    x, y, z = report["findings"][0]["nodule"]["center_lps_mm"]
    for said in ({"verdict": "rejected"}, {"moved_to_lps_mm": (x + 5.0, y, z)}):
        review = save_review(first, decisions=[{"id": gone, **said}])
        out = tmp_path / "-".join(said)
        result = apply(first / "report.json", review, "--study", phantom_study, "-o", out)
        assert result.exit_code == 0, result.output
        names = {path.name for path in (out / "saliency").glob("*")}
        assert names == {f"{kept}-malignancy.{kind}" for kind in ("json", "nii.gz")}
        page = (out / "report.html").read_text(encoding="utf-8")
        assert page.count("Where the networks looked</h4>") == 1


def test_refuses_the_images_of_another_report(
    first: Path, phantom_study: Path, tmp_path: Path
) -> None:
    report = json.loads((first / "report.json").read_bytes())
    report["provenance"]["input_sha256"] = "0" * 64
    (first / "report.json").write_text(json.dumps(report))
    review = save_review(first)
    result = apply(first / "report.json", review, "--study", phantom_study, "-o", tmp_path / "new")
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "OTHER_IMAGES"
    assert not (tmp_path / "new").exists()


def test_reviews_become_a_crop_set(first: Path, phantom_study: Path, tmp_path: Path) -> None:
    """The largest of the phantom's nodules, pointed at by two readers; one rejects all else."""
    truth = max(make_phantom(random_spec(3, size="small")).nodules, key=lambda n: n.diameter_mm)
    addition = {"center_lps_mm": truth.center_lps_mm, "long_axis_mm": truth.diameter_mm}
    one = save_review(first, additions=[addition])
    other = one.rename(first / "other.json")
    decisions = [{"id": id_, "verdict": "rejected"} for id_ in ("N1", "N2")]
    one = save_review(first, additions=[addition], decisions=decisions)
    app = typer.Typer()
    app.command()(dataset_review)
    words = [phantom_study, first / "report.json", one, other, "-o", tmp_path / "set"]
    for _ in range(2):  # a second time replaces the first
        result = CliRunner().invoke(app, list(map(str, words)))
        assert result.exit_code == 0, result.output
    told = json.loads(result.output.splitlines()[-1])
    assert (told["nodules"], told["readings"], told["negatives"]) == (1, [2], 2)
    assert [each["why"] for each in told["left_out"]] == ["not judged"] * 2  # by the other reader
    assert "PHANTOM" not in result.output
    crops = CropSet.open(tmp_path / "set")
    found = json.loads((first / "report.json").read_bytes())["findings"]
    for negative, finding in zip(crops.negatives, found, strict=True):
        assert negative.center_lps_mm == pytest.approx(finding["nodule"]["center_lps_mm"])
    (record,) = crops.records
    assert record.center_lps_mm == pytest.approx(truth.center_lps_mm, abs=1.5)
    assert record.diameter_mm == pytest.approx(truth.diameter_mm, rel=0.25)
