"""The one door from the golden tests to the code: where modules move, only this file changes."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import typer
from numpy.typing import ArrayLike, NDArray
from typer.testing import CliRunner

from nodule.advice.context import Context
from nodule.chain import Chain
from nodule.ct import ReadCt
from nodule.dicom import DicomExtra
from nodule.findings import Candidate, Finding, Malignancy, ScoredCandidate
from nodule.geometry import Geometry, as_vector
from nodule.guidelines import bts, fleischner, growth, lung_rads, nelson, recist, risk
from nodule.guidelines.brock_models import BROCK_MODELS
from nodule.guidelines.facts import NoduleFacts, Person, Size
from nodule.guidelines.growth import Volumetry
from nodule.guidelines.result import Result
from nodule.guidelines.risk import BrockFacts, MayoFacts
from nodule.masks import NoduleMask
from nodule.measure.stage import Measure
from nodule.measure.volume_error import volume_ci95_mm3, volume_error_share
from nodule.phantom import NodulePlan, Phantom, PhantomSpec, make_phantom, write_study
from nodule.resample import Resample
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume
from pipelines.cli._review import review_app
from pipelines.process import process_study
from pipelines.request import RunRequest

__all__ = [
    "BROCK_MODELS",
    "BrockFacts",
    "Candidate",
    "Geometry",
    "LungMask",
    "Malignancy",
    "MayoFacts",
    "NoduleFacts",
    "NodulePlan",
    "Person",
    "Phantom",
    "PhantomSpec",
    "ReadCt",
    "Resample",
    "ScoredCandidate",
    "Size",
    "Volume",
    "Volumetry",
    "as_vector",
    "bts",
    "fleischner",
    "growth",
    "lung_rads",
    "make_phantom",
    "nelson",
    "recist",
    "replace",
    "risk",
    "volume_ci95_mm3",
    "volume_error_share",
    "write_study",
]

MEASURE = Measure()
VERSIONS = {MEASURE.name: MEASURE.version}
NO_MALIGNANCY = Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, 0.2))


def scored(center_lps_mm: ArrayLike, diameter_mm: float, probability: float) -> ScoredCandidate:
    """Return a candidate as both networks would hand it on."""
    return ScoredCandidate(
        candidate=Candidate(
            center_lps_mm=as_vector(center_lps_mm), score=0.9, diameter_mm=diameter_mm
        ),
        probability=probability,
        malignancy=NO_MALIGNANCY,
    )


def measured(
    volume: Volume,
    lungs: LungMask,
    candidates: Sequence[ScoredCandidate],
    *,
    slice_thickness_mm: float | None = None,
) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Measure candidates; return every finding, flat, with a description of its mask."""
    header = SeriesHeader(source_format="nifti", slice_thickness_mm=slice_thickness_mm)
    study = Study(volume=volume, series=header)
    findings = MEASURE.run(study=study, lungs=lungs, scored=tuple(candidates))
    return [(_flat(each), _described(each.mask)) for each in findings]


def _flat(finding: Finding) -> dict[str, Any]:
    nodule, assessment = finding.nodule, finding.assessment
    assert assessment is not None
    return {
        "id": nodule.id,
        "center_lps_mm": nodule.center_lps_mm,
        "probability": assessment.probability,
        "malignancy": assessment.malignancy,
        "measurement": nodule.measurement,
        "lung": nodule.lung,
        "lung_zone": nodule.lung_zone,
        "image": nodule.image.number,
        "pleura_distance_mm": nodule.pleura_distance_mm,
        "seed": nodule.seed,
    }


def _described(mask: NoduleMask | None) -> dict[str, Any] | None:
    if mask is None:
        return None
    return {
        "start_zyx": list(mask.start_zyx),
        "whole": bits(mask.array_zyx),
        "core": None if mask.core_zyx is None else bits(mask.core_zyx),
    }


def bits(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Describe a mask: its voxels are pinned by a digest."""
    return {
        "shape": list(mask.shape),
        "voxels": int(mask.sum()),
        "sha256": hashlib.sha256(np.packbits(mask).tobytes()).hexdigest(),
    }


def says(result: Result) -> list[Any]:
    """Return outcome, rule, answer, management and months due, then what else there is."""
    more = {
        "figures": {
            each.name: [each.value, each.low, each.high, each.unit] for each in result.figures
        },
        "missing": result.missing,
        "offers": [each.answer for each in result.offers],
        "caveats": result.caveats,
        "subject": result.subject,
    }
    kept = {name: value for name, value in more.items() if value}
    answer = [result.outcome, result.rule.id, result.answer, result.management, result.due_months]
    return [*answer, kept] if kept else answer


def table(cases: Iterable[tuple[str, Result]]) -> dict[str, list[Any]]:
    """Return what the rules say of every case; no two cases have one name."""
    said: dict[str, list[Any]] = {}
    for name, result in cases:
        assert name not in said, name
        said[name] = says(result)
    return said


def process(
    study: Path,
    *,
    stages: Mapping[str, Any],
    stated: Mapping[str, Any],
    out: Path,
    prior: Path | None = None,
) -> Path:
    """Run the whole chain on one study; return the folder of its results."""
    cache = out.parent / "cache"
    request = RunRequest(studies=(study,), prior=prior, cache=cache, dicom_with=(DicomExtra.lungs,))
    # what the request would read from files
    given = {"chain": Chain(**stages), "context": Context.model_validate(stated)}
    assert all(hasattr(RunRequest, name) for name in given)
    vars(request).update(given)
    return process_study(study, request, out=out).folder


def review(folder: Path, saved: Mapping[str, Any], *, study: Path, out: Path) -> Path:
    """Apply what a reader saved on the report in a folder, as the command does."""
    report = (folder / "report.json").read_bytes()
    known = json.loads(report)
    header = {
        "format": "nodule-review-1",
        "report_sha256": hashlib.sha256(report).hexdigest(),
        "input_sha256": known["provenance"]["input_sha256"],
        "series_instance_uid": known["study"]["series"]["series_instance_uid"],
        "saved_at": "2026-03-04T05:06:07Z",
    }
    out.mkdir(parents=True)
    (out / "review.json").write_text(json.dumps(header | dict(saved)))
    app = typer.Typer()
    app.add_typer(review_app, name="review")
    paths = map(str, (folder / "report.json", out / "review.json", "--study", study, "-o", out))
    done = CliRunner().invoke(app, ["review", "apply", *paths, "--dicom-with", "lungs"])
    assert done.exit_code == 0, done.output
    return out


def segments(path: Path) -> dict[str, Any]:
    """Describe every segment of ``seg.dcm`` on the whole grid, by its label."""
    segmentation = hd.seg.segread(path)
    return {
        each.SegmentLabel: {
            "number": int(each.SegmentNumber),
            "type": each.SegmentedPropertyTypeCodeSequence[0].CodeMeaning,
            "algorithm": each.SegmentAlgorithmType,
            **bits(_voxels(segmentation, int(each.SegmentNumber))),
        }
        for each in segmentation.SegmentSequence
    }


def _voxels(segmentation: hd.seg.Segmentation, number: int) -> NDArray[np.bool_]:
    volume = segmentation.get_volume(
        segment_numbers=[number], combine_segments=False, allow_missing_positions=True
    )
    return np.asarray(volume.array[..., 0] > 0)


def content(path: Path) -> list[list[str]]:
    """Return the content tree of ``sr.dcm``: concept name, indented by depth, and value.

    What the image library copies from the images' headers is left out.
    """
    return list(_items(pydicom.dcmread(path), depth=0))


def _items(item: pydicom.Dataset, *, depth: int) -> Any:
    for child in item.get("ContentSequence", ()):
        concept = child.get("ConceptNameCodeSequence")
        name = concept[0].CodeMeaning if concept else child.ValueType
        yield ["  " * depth + name, _value(child)]
        if child.ValueType != "IMAGE":
            yield from _items(child, depth=depth + 1)


def _value(item: pydicom.Dataset) -> str:
    match item.ValueType:
        case "NUM":
            number = item.MeasuredValueSequence[0]
            unit = number.MeasurementUnitsCodeSequence[0].CodeValue
            return f"{number.NumericValue} {unit}"
        case "CODE":
            code = item.ConceptCodeSequence[0]
            return f"{code.CodeMeaning} ({code.CodeValue}, {code.CodingSchemeDesignator})"
        case "TEXT":
            return str(item.TextValue)
        case "SCOORD":
            return f"{item.GraphicType} {[round(float(v), 2) for v in item.GraphicData]}"
        case "SCOORD3D":
            return f"{item.GraphicType} {[round(float(v), 3) for v in item.GraphicData]}"
        case "IMAGE":
            reference = item.ReferencedSOPSequence[0]
            number = reference.get("ReferencedSegmentNumber")
            kind = reference.ReferencedSOPClassUID.name
            return f"{kind}, {number}" if number else str(kind)
        case kind:
            return str(kind)  # a UID depends on the bytes of the study, the rest holds no value
