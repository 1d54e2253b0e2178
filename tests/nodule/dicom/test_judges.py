"""Judges that share no code find nothing in what forty kinds of studies become.

PixelMed's validator takes seconds over each document, so that by default it sees one of each kind;
``JUDGED=all pytest tests/nodule/dicom/test_judges.py`` puts all of them to it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicom_case import Case
from judged_studies import DAILY, RECIPES, make_series, make_study

JARS = Path("/usr/share/java")
CLASSES = (
    *("pixelmed", "commons-codec", "commons-net", "hsqldb", "jaxb-api", "jmdns", "javax.json"),
    *("slf4j-api", "slf4j-nop", "vecmath"),
)
# Java's own limits on style sheets are below what the validator's rules need
NO_LIMITS = tuple(f"-Djdk.xml.xpath{each}Limit=0" for each in ("ExprOp", "TotalOp", "ExprGrp"))
PRIVATE = re.compile("Unrecognized defined term = <(99NODULE|99LIDCQIICR)>")
DICOMDIR = re.compile("Missing attribute or value that would be needed to build DICOMDIR")
GROUP = (
    r'/CONTAINER \(126000,DCM,"Imaging Measurement Report"\)'
    r'/CONTAINER \(126010,DCM,"Imaging Measurements"\)/CONTAINER \(125007,DCM,"Measurement Group"\)'
)
EXPLAINED = (
    # CID 100 is extensible and has no code for a CT of the chest
    r'Error: .*Code \(24627-2,LN,"CT Chest"\) not found in context group 100',
    # TID 1410, 1411, 1419 and 1501 are extensible; finding category, algorithm and evaluations are
    # rows of later editions than the validator's
    rf"Warning: [\d.]+: {GROUP}/(CODE|TEXT) \((276214006|111000|111001|111002|111003|122405),.*"
    "Content Item not in template",
    rf"Warning: [\d.]+: {GROUP}/CODE \((RID36042|C41144|705057003|111049|5),.*"
    "Content Item not in template",
    # the places from which numbers were inferred, without which no viewer finds them
    rf"Warning: [\d.]+: {GROUP}/NUM \(.*\)/SCOORD(3D)? \(260753009,SCT,\"Source\"\)"
    r'(/IMAGE \(260753009,SCT,"Source"\))?: Content Item not in template',
    # who states a group, and in which words
    rf"Warning: [\d.]+: {GROUP}/\w+ \((1210(05|08|12|13|14|15|16)|121106|9),.*"
    "Content Item not in template",
    # rows of TID 1411 are asked of groups that say that they follow another template
    "Warning: .*template ID encoded in first row container (1410|1501) does not match expected",
    r"Error: Template 1411 .*\[Row (5|7|10)\] .*Missing conditional content item",
)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, ...]]:
    folder = tmp_path_factory.mktemp("studies")
    plain = make_series(folder / "plain", RECIPES["none"])
    return {name: written(folder / name, name, plain) for name in RECIPES}


def written(folder: Path, name: str, plain: Case) -> tuple[Path, ...]:
    recipe = RECIPES[name]
    own = recipe.attributes or recipe.multi_frame
    return make_study(folder, recipe, None if own else plain)


def files(studies: dict[str, tuple[Path, ...]]) -> Iterator[tuple[str, Path]]:
    for name, paths in studies.items():
        for path in paths:
            yield name, path


def test_there_are_forty_kinds_of_studies() -> None:
    assert len(RECIPES) == 40
    assert set(DAILY) <= set(RECIPES)


@pytest.mark.slow
def test_dciodvfy_finds_nothing(
    studies: dict[str, tuple[Path, ...]], dciodvfy: Callable[..., list[str]]
) -> None:
    for name, path in files(studies):
        faults = dciodvfy(path, warnings=True)
        # private schemes are no defined terms; what the source lacks no result can have
        left = [fault for fault in faults if not PRIVATE.search(fault)]
        if name.startswith("without "):
            left = [fault for fault in left if not DICOMDIR.search(fault)]
        assert left == [], (name, path.name)


@pytest.mark.slow
def test_highdicom_reads_all_of_it(studies: dict[str, tuple[Path, ...]]) -> None:
    for name, path in files(studies):
        if path.name == "seg.dcm":
            segmentation = hd.seg.segread(path)
            for number in segmentation.segment_numbers[:3]:
                volume = segmentation.get_volume(
                    segment_numbers=[number], combine_segments=False, allow_missing_positions=True
                )
                assert volume.array.any(), name
        elif path.name == "sr.dcm":
            content = hd.sr.srread(path).content
            groups = [
                *content.get_volumetric_roi_measurement_groups(),
                *content.get_planar_roi_measurement_groups(),
                *content.get_image_measurement_groups(),
            ]
            for group in groups:
                for measured in group.get_measurements():
                    assert np.isfinite(measured.value), name
                    assert len(measured.referenced_coordinates) == 1, name
                assert group.get_qualitative_evaluations(), name


@pytest.fixture(scope="module")
def dcmqi() -> Callable[..., None]:
    """Return a function that runs one of dcmqi's programs."""
    beside = Path(sys.executable).parent
    if shutil.which("tid1500reader", path=f"{beside}:{os.environ['PATH']}") is None:
        pytest.skip("dcmqi is not installed")

    def run(program: str, *arguments: object) -> None:
        found = shutil.which(program, path=f"{beside}:{os.environ['PATH']}")
        assert found is not None
        done = subprocess.run(
            [found, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert not re.search(r"^(E|F|ERROR)\b", said, re.MULTILINE), said

    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one", "axes and core", "review", "prior, growing"])
def test_dcmqi_reads_segments_and_measurements(
    studies: dict[str, tuple[Path, ...]], dcmqi: Callable[..., None], name: str, tmp_path: Path
) -> None:
    seg, sr, *_ = studies[name]
    dcmqi("tid1500reader", "--inputDICOM", sr, "--outputMetadata", tmp_path / "sr.json")
    groups = json.loads((tmp_path / "sr.json").read_bytes())["Measurements"]
    stated = hd.sr.srread(sr).content.get_volumetric_roi_measurement_groups()
    volumetric = {g["TrackingIdentifier"]: g for g in groups if "measurementItems" in g}
    for group in stated:
        items = volumetric[group.tracking_identifier]["measurementItems"]
        assert [float(item["value"]) for item in items] == [
            pytest.approx(float(m.value)) for m in group.get_measurements()
        ]
    dcmqi(
        "segimage2itkimage", "--inputDICOM", seg, "--outputDirectory", tmp_path, "-t", "nifti",
        "--prefix", "segment",
    )  # fmt: skip
    segments = pydicom.dcmread(seg).SegmentSequence
    assert len(list(tmp_path.glob("segment-*.nii.gz"))) == len(segments)


@pytest.mark.slow
def test_pixelmeds_validator_finds_nothing_that_is_not_explained(
    studies: dict[str, tuple[Path, ...]],
) -> None:
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None or not (JARS / "pixelmed.jar").exists():
        pytest.skip("PixelMed (libpixelmed-java) or a Java compiler is not installed")
    chosen = RECIPES if os.environ.get("JUDGED") == "all" else DAILY
    documents = [path for name in chosen for path in studies[name] if path.name == "sr.dcm"]
    classes = ":".join(str(JARS / f"{each}.jar") for each in CLASSES)
    program = Path(__file__).with_name("ValidateDocuments.java")
    done = subprocess.run(
        [java, *NO_LIMITS, "-cp", classes, program, *documents],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert sum(line.startswith("DOCUMENT ") for line in lines) == len(documents)
    assert sum("validation complete" in line.lower() for line in lines) >= len(documents)
    faults = [line for line in lines if line.startswith(("Error", "Warning"))]
    left = [fault for fault in faults if not any(re.search(each, fault) for each in EXPLAINED)]
    assert left == []
