"""A person scanned twice, from the files to what the reader gets: report, tables, SR and SEG.

The nodules and their places are planted, the networks are stand-ins; all else is the real chain.
"""

import atexit
import json
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import answers
import pydicom
import stand_ins


@dataclass(frozen=True)
class Planted:
    """A nodule of the person: None where a study does not show it."""

    center_lps_mm: tuple[float, float, float]
    texture: Any
    then_mm: float | None
    now_mm: float | None


GRID = answers.PhantomSpec(
    seed=5, shape_zyx=(136, 140, 168), spacing_zyx_mm=(2.1, 2.0, 1.9), vessels_per_ml=1.0
)
PLANTED = (  # places in lung, clear of thick vessels
    Planted((-68.8, 7.4, 78.8), "solid", then_mm=9.0, now_mm=12.0),
    Planted((49.2, 59.6, -19.5), "solid", then_mm=11.0, now_mm=11.0),
    Planted((-79.5, 6.0, 7.3), "solid", then_mm=14.0, now_mm=11.0),
    Planted((95.4, 13.0, -34.2), "part-solid", then_mm=12.0, now_mm=15.0),
    Planted((75.7, 33.5, 22.7), "ground-glass", then_mm=10.0, now_mm=None),
    Planted((-71.6, 61.4, -50.7), "solid", then_mm=None, now_mm=12.0),
)
BARE = (-60.0, -20.0, 40.0, 5.0)  # a candidate where nothing can be measured
EMPTY_LPS_MM = (60.0, -40.0, 40.0)  # another
PERSON: dict[str, Any] = {
    "indication": "Cough",
    "smoking": "former",
    "risk": "high",
    "risk_factors": ["asbestos"],
    "known_cancer": False,
    "prior_lung_cancer": False,
    "cancer_within_5_years": False,
    "extrathoracic_cancer_over_5_years_ago": False,
    "immunosuppressed": False,
    "family_history": True,
    "emphysema": False,
}
SEEN: dict[str, Any] = {
    "N1": {"lobe": "RUL", "spiculation": True, "pet_uptake": "moderate"},
    "N2": {"lobe": "LLL", "spiculation": False, "benign_feature": "perifissural"},
    "N3": {"lobe": "RML", "spiculation": False, "earlier_category": "4A"},
    "N4": {"lobe": "LLL", "spiculation": False, "earlier_category": "3", "pleural_based": True},
}
_VARIES = ("version", "identifier", "models")  # of the software
_NORMAL = "<varies>"
_FILES = ("findings.csv", "management.csv", "comparison.csv")
_OF_SOFTWARE = ("Device Observer Name", "Device Observer Serial Number", "Algorithm Version")


@dataclass(frozen=True, kw_only=True)
class Scans:
    """Where both studies lie, and where results go."""

    root: Path
    now: Path
    then: Path


@cache
def scans() -> Scans:
    root = Path(tempfile.mkdtemp(prefix="golden-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    scans = Scans(root=root, now=root / "now", then=root / "then")
    _write(scans.now, {each: each.now_mm for each in PLANTED}, date="20000701", age="061Y")
    _write(scans.then, {each: each.then_mm for each in PLANTED}, date="19990601", age="060Y")
    return scans


def _write(folder: Path, sizes_mm: dict[Planted, float | None], *, date: str, age: str) -> None:
    plans = tuple(
        answers.NodulePlan(diameter_mm=mm, texture=each.texture, center_lps_mm=each.center_lps_mm)
        for each, mm in sizes_mm.items()
        if mm is not None
    )
    spec = answers.replace(GRID, nodules=plans)
    answers.write_study(answers.make_phantom(spec), folder)
    for path in folder.glob("*.dcm"):
        image = pydicom.dcmread(path)
        image.StudyDate = image.SeriesDate = date
        image.PatientAge, image.PatientSex = age, "F"
        image.save_as(path)


def _stages(bare: tuple[stand_ins.Place, ...]) -> dict[str, Any]:
    places = tuple((*each.center_lps_mm, each.now_mm or each.then_mm or 0.0) for each in PLANTED)
    return stand_ins.stages(places, bare=bare)


def _process(
    name: str, *, prior: bool = False, bare: tuple[stand_ins.Place, ...] = (BARE,), **stated: Any
) -> Path:
    where = scans()
    return answers.process(
        where.now,
        stages=_stages(bare),
        stated=stated,
        out=where.root / name,
        prior=where.then if prior else None,
    )


@cache
def baseline() -> Path:
    """A first round of screening."""
    facts: dict[str, Any] = {
        **PERSON,
        "findings": SEEN,
        "reader": {"significant_other_finding": True},
    }
    return _process("baseline", setting="screening-baseline", **facts)


@cache
def incidental() -> Path:
    """Nodules found by chance, each of which can be measured."""
    return _process("incidental", bare=(), setting="incidental", **PERSON, findings=SEEN)


@cache
def known_cancer() -> Path:
    return _process("known-cancer", setting="known-cancer")


@cache
def followup() -> Path:
    """A later round of screening, with the prior study."""
    return _process("followup", prior=True, setting="screening-annual", **PERSON, findings=SEEN)


@cache
def reviewed() -> Path:
    """The follow-up after a reader rejected two findings, moved two and added two.

    One is moved within its radius, one to another nodule; one addition cannot be measured.
    """
    findings = _report(followup())["findings"]
    places = {e["nodule"]["id"]: e["nodule"]["center_lps_mm"] for e in findings}
    x, y, z = places["N2"]
    saved = {
        "reader": "A. Reader",
        "decisions": [
            {"id": "N1", "verdict": "accepted", "comment": "Grew."},
            {"id": "N3", "verdict": "rejected", "comment": "A vessel."},
            {"id": "N5", "verdict": "rejected"},
            {"id": "N2", "moved_to_lps_mm": [x + 1.0, y, z]},
            {"id": "N6", "moved_to_lps_mm": places["N3"]},
        ],
        "additions": [
            {"center_lps_mm": places["N5"], "long_axis_mm": 11.0, "comment": "Here."},
            {"center_lps_mm": EMPTY_LPS_MM, "long_axis_mm": 9.0},
        ],
    }
    out = scans().root / "reviewed"
    return answers.review(followup(), saved, study=scans().now, out=out)


@cache
def incidental_followup() -> Path:
    """An incidental nodule with a prior study: growth is judged by other rules."""
    facts: dict[str, Any] = {**PERSON, "findings": SEEN}
    return _process("incidental-followup", prior=True, setting="incidental", **facts)


@cache
def round_not_stated() -> Path:
    """Screening of a person of whom nothing is known."""
    return _process("round-not-stated", setting="screening")


WHOLE = {  # whose every result is pinned
    "screening-baseline": baseline,
    "incidental": incidental,
    "known-cancer": known_cancer,
    "follow-up": followup,
    "reviewed": reviewed,
}
ADVICE = {  # of which only the advice differs
    "incidental follow-up": incidental_followup,
    "round not stated": round_not_stated,
}
OBJECTS = ("screening-baseline", "follow-up", "reviewed")  # whose DICOM objects differ


def results(name: str) -> dict[str, Any]:
    """Return all that a study's folder says, without what depends on versions."""
    folder = WHOLE[name]()
    tables = {each: folder / each for each in _FILES}
    said: dict[str, Any] = {
        "report": normal_report(_report(folder)),
        "tables": {each: lines(path) for each, path in tables.items() if path.exists()},
    }
    if name in OBJECTS:
        said["sr"] = [normal_item(*each) for each in answers.content(folder / "sr.dcm")]
        said["seg"] = answers.segments(folder / "seg.dcm")
    return said


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def advice() -> dict[str, Any]:
    """Return what the rules say where the images are those of another case."""
    said = {name: _report(make())["management"] for name, make in ADVICE.items()}
    return {
        name: {
            "exam": [_short(each) for each in management["exam"]],
            **{
                finding["id"]: [_short(each) for each in finding["advice"]]
                for finding in management["findings"]
            },
        }
        for name, management in said.items()
    }


def _short(advice: dict[str, Any]) -> list[Any]:
    """Leave out what other cases pin: citation, management, inputs."""
    kept = ("rule_set", "outcome", "answer", "subject", "due", "missing", "caveats")
    return [*(advice[name] for name in kept), [each["answer"] for each in advice["offers"]]]


def _report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    return report


def normal_report(report: dict[str, Any]) -> dict[str, Any]:
    software = {**report["software"], **dict.fromkeys(_VARIES, _NORMAL)}
    provenance = {**report["provenance"], "weights": _NORMAL, "versions": _NORMAL}
    del provenance["constants"]  # digests of the code that these pins are there to check
    normal: dict[str, Any] = _without_digests(
        {**report, "software": software, "provenance": provenance}
    )
    return normal


def _without_digests(value: Any) -> Any:
    """Replace digests: they follow from bytes that other packages write."""
    if isinstance(value, dict):
        return {
            key: _NORMAL if key.endswith("sha256") else _without_digests(each)
            for key, each in value.items()
        }
    return [_without_digests(each) for each in value] if isinstance(value, list) else value


def normal_item(name: str, value: str) -> list[str]:
    return [name, _NORMAL if name.strip() in _OF_SOFTWARE else value]
