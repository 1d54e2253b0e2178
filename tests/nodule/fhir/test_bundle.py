"""A report's FHIR bundle is valid and says what the SR says."""

import json
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from made_findings import made_finding, remeasured

sys.path.append(str(Path(__file__).parents[1] / "dicom"))

from dicom_case import Case, box_mask, read_case, write_series
from test_reviewed_document import decision, reviewed
from test_stated_facts import grown, screened

from nodule.dicom import build_segmentation, build_sr
from nodule.fhir import build_bundle, bundle_json
from nodule.nodules import Measurement
from nodule.report import Provenance, Report, build_report

RADELEMENT = "https://radelement.org"
Stated = dict[str, set[tuple[str, ...]]]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("series")
    write_series(folder, {})
    return read_case(folder)


def forty(case: Case) -> Report:
    """Return a report of forty findings, each of another size."""
    grid = case.study.volume.geometry
    findings = tuple(
        made_finding(
            f"N{n}",
            tuple(grid.index_to_lps((n % 14, 5 + n % 20, 6 + n % 25)).tolist()),
            measurement=Measurement(
                center_lps_mm=tuple(grid.index_to_lps((n % 14, 5 + n % 20, 6 + n % 25)).tolist()),
                long_axis_mm=4.0 + n / 8,
                short_axis_mm=3.0 + n / 8,
                volume_mm3=40.0 + n,
                texture=("solid", "part-solid", "ground-glass", "calcified")[n % 4],
            ),
            mask=box_mask(grid, (n % 13, 5 + n % 20, 6 + n % 25), (1, 2, 2)),
            study=case.study,
        )
        for n in range(1, 41)
    )
    return build_report(
        study=case.study,
        lungs=case.lungs,
        findings=findings,
        patient=case.source.patient,
        provenance=Provenance(
            input_sha256=case.source.digest, weights={}, config={}, versions={"nodule": "0.1.0"}
        ),
    )


def nothing(case: Case) -> Report:
    return case.report.model_copy(update={"findings": (), "dominant": None})


def followed_up(case: Case) -> Report:
    first = remeasured(replace(case.report.findings[0], lobe="LUL"), texture="solid")
    report = screened(case, first)
    return report.model_copy(update={"comparison": grown(first, "growing, VDT up to 400 days")})


REPORTS = {
    "three": lambda case: case.report,
    "none": nothing,
    "forty": forty,
    "review": reviewed,
    "prior": followed_up,
}


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest, case: Case) -> Report:
    made: Report = REPORTS[request.param](case)
    return made


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind
    ]


def as_validated(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return a bundle as fhir.resources reads and writes it.

    Its nearest release to R4 (4.0.1) is R4B (4.3.0), which has all that is used here unchanged.
    """
    r4b = pytest.importorskip("fhir.resources.R4B.bundle")
    again: dict[str, Any] = json.loads(r4b.Bundle.model_validate(bundle).model_dump_json())
    return again


def of_the_sr(case: Case, report: Report) -> Stated:
    """Return values and codes of each finding by its tracking UID, from DICOM's own JSON."""
    masks = {
        id_: mask
        for id_, mask in case.masks.items()
        if id_ in {each.nodule.id for each in report.active} and len(report.active) < 10
    }
    segmentation = None
    if masks:
        segmentation = build_segmentation(report, masks=masks, lungs=None, source=case.source)
    document = build_sr(report, source=case.source, segmentation=segmentation)
    root = json.loads(document.to_json())
    stated: Stated = {}
    for container in sequence(root, "0040A730"):
        if code_of(container, "0040A043")[1] == "126010":
            for group in sequence(container, "0040A730"):
                uid, said = statements_of(group)
                stated[uid] = said
    return stated


def sequence(item: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    return list(item.get(tag, {}).get("Value", []))


def code_of(item: dict[str, Any], tag: str) -> tuple[str, str]:
    (code,) = sequence(item, tag)
    return code["00080102"]["Value"][0], code["00080100"]["Value"][0]


def statements_of(group: dict[str, Any]) -> tuple[str, set[tuple[str, ...]]]:
    uid, said = "", set()
    for item in sequence(group, "0040A730"):
        kind, name = item["0040A040"]["Value"][0], code_of(item, "0040A043")
        if name == ("DCM", "112040"):
            uid = item["0040A124"]["Value"][0]
        elif kind == "NUM":
            (measured,) = sequence(item, "0040A300")
            number = Decimal(str(measured["0040A30A"]["Value"][0]))
            said.add((*name, str(number.normalize()), code_of(measured, "004008EA")[1]))
        elif kind == "CODE" and name[1] not in ("276214006", "121071", "111000", "121005"):
            said.add((*name, *code_of(item, "0040A168")))
    return uid, said


SYSTEMS = {
    "http://snomed.info/sct": "SCT",
    "http://dicom.nema.org/resources/ontology/DCM": "DCM",
    "http://radlex.org": "RADLEX",
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": "NCIt",
    "https://theibsi.github.io": "IBSI",
    "urn:nodule:codes:99NODULE": "99NODULE",
    "urn:nodule:codes:99LIDCQIICR": "99LIDCQIICR",
}


def of_the_bundle(bundle: dict[str, Any]) -> Stated:
    """Return the same from a bundle: values and DICOM codes by tracking UID."""
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    stated: Stated = {}
    for root in resources(bundle, "Observation"):
        if "hasMember" not in root:
            continue
        uid = root["identifier"][0]["value"].removeprefix("urn:oid:")
        stated[uid] = set()
        for member in root["hasMember"]:
            observed = by_url[member["reference"]]
            name = dicom_code(observed["code"])
            if "valueQuantity" in observed:
                value = observed["valueQuantity"]
                number = Decimal(str(value["value"])).normalize()
                stated[uid].add((*name, str(number), value["code"]))
            else:
                stated[uid].add((*name, *dicom_code(observed["valueCodeableConcept"])))
    return stated


def dicom_code(concept: dict[str, Any]) -> tuple[str, str]:
    first = concept["coding"][0]
    return SYSTEMS[first["system"]], first["code"]


def test_is_valid_and_survives_being_read(report: Report) -> None:
    bundle = json.loads(bundle_json(report))
    assert as_validated(bundle) == bundle


def test_says_what_the_sr_says(case: Case, report: Report) -> None:
    told = of_the_bundle(as_validated(json.loads(bundle_json(report))))
    structured = of_the_sr(case, report)
    assert told.keys() == structured.keys()
    for uid, said in structured.items():
        # DICOM states presence only of what is absent
        present = {each for each in told[uid] if each[1] == "705057003" and each[3] == "52101004"}
        assert told[uid] - present == said


def test_every_reference_leads_somewhere(report: Report) -> None:
    text = bundle_json(report).decode()
    bundle = json.loads(text)
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            here = [value["reference"]] if "reference" in value else []
            return here + [each for part in value.values() for each in references(part)]
        if isinstance(value, list):
            return [each for part in value for each in references(part)]
        return []

    assert set(references(bundle)) <= set(urls)


def answers(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return what each element of RDES195 answers, for a bundle of one finding."""
    said: dict[str, Any] = {}
    for observed in resources(bundle, "Observation"):
        for coding in observed["code"]["coding"]:
            if coding["system"] == RADELEMENT and "hasMember" not in observed:
                value = observed.get("valueCodeableConcept", {"coding": [{}]})["coding"][-1]
                said[coding["code"]] = value.get("code") or observed["valueQuantity"]["value"]
    return said


def test_answers_the_elements_of_rdes195(case: Case) -> None:
    bundle = build_bundle(followed_up(case))
    roots = [r for r in resources(bundle, "Observation") if "hasMember" in r]
    assert [r["code"]["coding"][0]["code"] for r in roots] == ["RDES195"]
    assert answers(bundle) == {
        "RDE1717": "RDE1717.1",  # present
        "RDE1302": 11.0,  # (12.6 + 9.4) / 2
        "RDE1705": 606.1,
        "RDE1304": "RDE1304.2",  # left upper lobe
        "RDE1301": "RDE1301.0",  # solid
        "RDE1706": "RDE1706.5",  # larger since prior
    }


@pytest.mark.parametrize(
    ("days", "answer"),
    [
        (181, "RDE1706.1"), (182, "RDE1706.2"), (364, "RDE1706.2"), (365, "RDE1706.3"),
        (729, "RDE1706.3"), (730, "RDE1706.4"),
    ],
)  # fmt: skip
def test_says_for_how_long_a_finding_is_unchanged(case: Case, days: int, answer: str) -> None:
    first = case.report.findings[0]
    comparison = replace(grown(first, "stable"), days=days)
    report = case.report.model_copy(update={"findings": (first,), "comparison": comparison})
    assert answers(build_bundle(report))["RDE1706"] == answer


def test_a_rejected_finding_is_absent(case: Case) -> None:
    bundle = build_bundle(reviewed(case))
    urls = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    presence = {}
    for root in resources(bundle, "Observation"):
        if "hasMember" in root:
            first = urls[root["hasMember"][0]["reference"]]  # IHE IDR: presence comes first
            presence[root["identifier"][1]["value"]] = first["valueCodeableConcept"]["coding"][-1]
    assert {id_: said["display"] for id_, said in presence.items()} == {
        "N1": "present",
        "N3": "present",
        "R1": "present",
        "N2": "absent",
    }


def test_names_the_reader_of_a_review_and_when(case: Case) -> None:
    bundle = build_bundle(reviewed(case))
    (reader,) = resources(bundle, "Practitioner")
    assert reader["name"] == [{"text": "Dr. Žofie Nováková"}]
    (said,) = resources(bundle, "DiagnosticReport")
    assert said["issued"] == "2026-04-05T06:07:08Z"
    assert said["status"] == "preliminary"
    notes = [n["text"] for r in resources(bundle, "Observation") for n in r.get("note", [])]
    assert "spiculated; 炎症?" in notes


def test_is_final_once_a_reader_attests_to_everything(case: Case) -> None:
    everything = (*reviewed(case).reviews[0].decisions, decision("N3", verdict="accepted"))
    report = reviewed(case, decisions=everything, attested_for="General Hospital")
    (said,) = resources(build_bundle(report), "DiagnosticReport")
    assert said["status"] == "final"


def test_names_patient_study_and_software(case: Case) -> None:
    bundle = build_bundle(case.report)
    (patient,) = resources(bundle, "Patient")
    assert patient["identifier"] == [{"value": "P-17"}]
    assert patient["name"] == [{"family": "Doe", "given": ["Jane"]}]
    assert (patient["gender"], patient["birthDate"]) == ("female", "1960-02-03")
    (study,) = resources(bundle, "ImagingStudy")
    uid = case.report.study.series.study_instance_uid
    assert study["identifier"] == [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}]
    assert (study["started"], study["series"][0]["numberOfInstances"]) == ("2026-01-02", 14)
    (device,) = resources(bundle, "Device")
    assert device["version"] == [{"value": "0.1.0"}]


def test_a_study_without_dicom_names_has_findings_all_the_same(case: Case) -> None:
    header = replace(case.study.series, study_instance_uid=None, series_instance_uid=None)
    study = replace(case.report.study, series=header)
    bundle = build_bundle(case.report.model_copy(update={"study": study}))
    assert resources(bundle, "ImagingStudy") == []
    assert len([r for r in resources(bundle, "Observation") if "hasMember" in r]) == 3
    assert as_validated(json.loads(json.dumps(bundle)))["type"] == "collection"
