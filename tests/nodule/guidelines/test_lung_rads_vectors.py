"""Every published Lung-RADS vector, in the words of the file."""

import csv
from pathlib import Path

import pytest

from nodule.guidelines.facts import NoduleFacts, Person, Size
from nodule.guidelines.lung_rads import (
    AirwayNodule,
    Cyst,
    Lesion,
    Prior,
    ReaderStatement,
    ScreenedNodule,
    classify_exam,
    classify_lesion,
)

SCREENED = Person(age_years=60, route="screening")


def _across(diameter_mm: float) -> Size:
    return Size(axes_mm=(diameter_mm, diameter_mm))


def _solid(size: Size, course: str, prior: Prior | None = None, **look: str) -> ScreenedNodule:
    return ScreenedNodule(
        nodule=NoduleFacts(composition="solid", size=size, **look),
        temporal_status=course,
        prior=prior,
    )


def _lesion(row: dict[str, str]) -> Lesion | None:
    """Read a row of the file."""
    kind = row["type"]
    if kind == "none":
        return None
    if kind.startswith("airway"):
        course = "stable" if row["status"] == "persisting" else "baseline"
        return AirwayNodule(level="proximal", temporal_status=course)
    if kind.startswith("cyst"):
        return _cyst(kind, row["status"])
    if "long=" in kind:
        return _solid(Size(axes_mm=(5.9, 6.0)), "baseline")
    if "volume" in kind:
        return _solid(Size(volume_mm3=float(row["mean_diameter_mm"])), "baseline")
    return _nodule(row)


def _cyst(kind: str, status: str) -> Cyst:
    change = "cyst growing" if "cystic component growing" in kind else "wall growing"
    return Cyst(
        wall="thick" if "thick" in kind else "thin",
        multilocular="multilocular" in kind,
        temporal_status="changed" if status == "growing" else "baseline",
        changes=frozenset({change}) if status == "growing" else frozenset(),
    )


def _nodule(row: dict[str, str]) -> ScreenedNodule:
    size = _across(float(row["mean_diameter_mm"]))
    if row["type"].startswith("juxtapleural"):
        return _solid(size, "baseline", benign_feature="juxtapleural")
    course, prior = "baseline", None
    if row["status"] == "new":
        course = "new"
    elif row["status"] == "slow growing":
        course = "slowly growing"
    elif row["context"].startswith("followup"):
        course, prior = "followed", _prior(row)
    component = row["solid_component_mm"]
    return ScreenedNodule(
        nodule=NoduleFacts(
            composition=row["type"],
            size=size,
            solid_component=_across(float(component)) if component else None,
        ),
        temporal_status=course,
        prior=prior,
    )


def _prior(row: dict[str, str]) -> Prior:
    before = row["prior_diameter_mm"]
    category = row["extra"].removeprefix("prior category ").removesuffix(" (stepped)")
    grew = "solid comp growing 3.0->5.0" in row["status"]
    return Prior(
        size=_across(float(before)) if before else None,
        solid_component=_across(3.0) if grew else None,
        months=float(row["interval_months"]),
        category=category or None,
    )


def test_every_vector_of_the_file_comes_out_as_stated(shared: Path) -> None:
    path = shared / "clinical/vectors/lungrads_v2022_vectors.csv"
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 35
    got = {}
    for row in rows:
        lesion = _lesion(row)
        if row["expected"] == "not classified":
            assert lesion is not None
            got[row["id"]] = classify_lesion(lesion).answer
            continue
        reader = ReaderStatement(significant_other_finding=bool(row["extra"] and row["id"] == "Z2"))
        exam = classify_exam([lesion] if lesion else [], person=SCREENED, reader=reader)
        got[row["id"]] = exam.answer
    expected = {
        row["id"]: row["expected"].removesuffix(" (ambiguous with 3; take higher)") for row in rows
    }
    assert got == expected


@pytest.mark.parametrize("diameter_mm", [2.0, 40.0])
def test_a_cyst_that_is_not_classified_leaves_the_exam_at_the_other_lesions(
    diameter_mm: float,
) -> None:
    cyst = Cyst(wall="thin", multilocular=False, temporal_status="baseline")
    alone = classify_exam([cyst], person=SCREENED)
    beside = classify_exam([cyst, _solid(_across(diameter_mm), "baseline")], person=SCREENED)
    assert alone.answer == "1"
    assert beside.answer == {2.0: "2", 40.0: "4B"}[diameter_mm]
    assert "left out" in alone.caveats[0]
