"""``nodule explain`` and ``nodule run --explain`` with the shipped networks on a phantom."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from nodule.phantom import make_phantom, random_spec


def nodule(*argv: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from pipelines.cli.main import main; main()", *map(str, argv)],
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def plain_page(phantom_study: Path, cache: Path) -> bytes:
    """Return the page of a run that was not asked to explain, before any that was."""
    out = cache.with_name("plain")
    last_line(nodule("run", phantom_study, "-o", out, "--cache", cache))
    return (out / phantom_study.name / "report.html").read_bytes()


@pytest.mark.slow
def test_maps_lie_on_the_nodule_and_stand_their_test(
    phantom_study: Path, cache: Path, plain_page: bytes, tmp_path: Path
) -> None:
    done = nodule(
        "explain", phantom_study, "-o", tmp_path / "maps", "--cache", cache, "--finding", "N1"
    )
    said = last_line(done)
    assert said["of"] == "malignancy"
    (found,) = said["findings"]
    truth = make_phantom(random_spec(3, size="small")).nodules
    (solid,) = [each for each in truth if each.texture == "solid"]
    center_lps_mm = np.asarray(found["center_lps_mm"])
    assert np.linalg.norm(center_lps_mm - solid.center_lps_mm) < 2
    folder = Path(said["folder"])
    assert {path.name for path in folder.iterdir()} == {
        f"N1-malignancy.{suffix}" for suffix in ("nii.gz", "png", "json")
    }
    image = sitk.ReadImage(str(folder / found["map"]))  # SimpleITK turns RAS into LPS
    assert image.GetSpacing() == pytest.approx((0.7, 0.7, 0.7))
    heat = sitk.GetArrayFromImage(image)
    index = np.unravel_index(heat.argmax(), heat.shape)
    hottest_lps_mm = image.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]])
    assert np.linalg.norm(hottest_lps_mm - np.asarray(solid.center_lps_mm)) < solid.diameter_mm
    assert found["change_hottest"] < 3 * found["change_elsewhere"] < 0
    assert found["likeness_random_network"] < 0.8
    assert json.loads((folder / "N1-malignancy.json").read_text()) == found
    with Image.open(folder / found["picture"]) as picture:
        assert picture.size == (1152, 864)


@pytest.mark.slow
def test_the_report_shows_heat_where_asked_for_and_is_as_before_where_not(
    phantom_study: Path, cache: Path, plain_page: bytes, tmp_path: Path
) -> None:
    arguments = (phantom_study, "-o", tmp_path, "--cache", cache)
    folder = tmp_path / phantom_study.name
    (asked,) = last_line(nodule("run", *arguments, "--explain"))["done"]
    page = (folder / "report.html").read_text()
    assert page.count("Where the networks looked") == asked["findings"] > 0
    provenance = json.loads((folder / "report.json").read_text())["provenance"]
    assert provenance["config"]["explain"]["answer"] == "malignancy"
    (again,) = last_line(nodule("run", *arguments, "--explain"))["done"]
    assert again["ran"] == []
    (without,) = last_line(nodule("run", *arguments))["done"]
    assert without["ran"] == []
    assert (folder / "report.html").read_bytes() == plain_page


@pytest.mark.slow
def test_an_unknown_finding_is_refused(
    phantom_study: Path, cache: Path, plain_page: bytes, tmp_path: Path
) -> None:
    done = nodule(
        "explain", phantom_study, "-o", tmp_path / "maps", "--cache", cache, "--finding", "N99"
    )
    assert done.returncode == 2
    assert "NO_SUCH_FINDING" in done.stderr
    assert "N1" in done.stderr
    assert not (tmp_path / "maps").exists()
