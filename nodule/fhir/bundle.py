"""A report as a FHIR R4 bundle: patient, images, report and findings.

Findings are sets of observations as IHE's Imaging Diagnostic Report profile has them: a root with
the code of the RSNA/ACR element set and its members. What is coded and counted is what the SR
states, under the same tracking UIDs. Only elements that R4 (4.0.1) has are used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from pydicom.sr.coding import Code

from nodule.dicom import codes as code
from nodule.dicom.document_state import DocumentState
from nodule.dicom.readers import readers_of
from nodule.fhir import _coding as coding
from nodule.fhir._observations import Resource, Subject, finding_entries
from nodule.report.model import Report
from nodule.report.software import PRODUCT, software_version
from nodule.study import dicom_day

_CT = Code("CT", "DCM", "Computed Tomography")
_GENDERS = {"M": "male", "F": "female", "O": "other"}
_RADIOLOGY = Code("LP29684-5", "LN", "Radiology")


def build_bundle(report: Report) -> Resource:
    """Return a report as a collection of resources.

    Equal reports give equal bundles.
    """
    made_of = report.provenance.input_sha256
    state = DocumentState.of(report)
    final = state.complete and state.verification is not None
    readers = {name: coding.resource_id("reader", name) for name in readers_of(report)}
    study = report.study.series.study_instance_uid
    subject = Subject(
        status="final" if final else "preliminary",
        patient=coding.resource_id("patient", made_of),
        device=coding.resource_id("device", report.software.identifier),
        study=None if study is None else coding.resource_id("study", study),
        taken_on=_iso(dicom_day(report.study.patient.study_date)),
        readers=readers,
    )
    entries = [(subject.patient, _patient(report)), (subject.device, _device(report))]
    entries += [(id_, _reader(name)) for name, id_ in readers.items()]
    if subject.study is not None:
        entries.append((subject.study, _imaging_study(report, subject)))
    findings = list(finding_entries(report, subject))
    exam = list(_exam_entries(report, subject, [id_ for id_, _, root in findings if root]))
    results = [*(id_ for id_, _, root in findings if root), *(id_ for id_, _ in exam)]
    diagnosis = _diagnostic_report(report, state, subject, results)
    entries.append((coding.resource_id("report", report.sha256), diagnosis))
    entries += [(id_, resource) for id_, resource, _ in findings]
    entries += exam
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:sha256:{report.sha256}"},
        "entry": [{"fullUrl": id_, "resource": resource} for id_, resource in entries],
    }


def bundle_json(report: Report) -> bytes:
    """Return the content of ``fhir.json``."""
    return f"{json.dumps(build_bundle(report), indent=2, ensure_ascii=False)}\n".encode()


def _patient(report: Report) -> Resource:
    who = report.study.patient
    patient: Resource = {"resourceType": "Patient"}
    if who.patient_id:
        patient["identifier"] = [{"value": who.patient_id}]
    name = _human_name(who.patient_name or "")
    if name:
        patient["name"] = [name]
    if who.sex in _GENDERS:
        patient["gender"] = _GENDERS[who.sex]
    born = _iso(dicom_day(who.birth_date))
    return patient | ({} if born is None else {"birthDate": born})


def _human_name(dicom_name: str) -> dict[str, Any]:
    """Return the first component group of a PN as a name."""
    parts = [part.strip() for part in dicom_name.split("=")[0].split("^")]
    family, given, middle = (*parts, "", "", "")[:3]
    name: dict[str, Any] = {"family": family} if family else {}
    first = [part for part in (given, middle) if part]
    return name | ({"given": first} if first else {})


def _device(report: Report) -> Resource:
    return {
        "resourceType": "Device",
        "identifier": [{"value": report.software.identifier}],
        "manufacturer": PRODUCT,
        "deviceName": [{"name": PRODUCT, "type": "model-name"}],
        "type": coding.concept(code.AI),
        "version": [{"value": software_version(report.provenance)}],
    }


def _reader(name: str) -> Resource:
    return {"resourceType": "Practitioner", "name": [{"text": name.replace("^", " ").strip()}]}


def _imaging_study(report: Report, subject: Subject) -> Resource:
    header, patient = report.study.series, report.study.patient
    study: Resource = {
        "resourceType": "ImagingStudy",
        "identifier": [coding.oid(str(header.study_instance_uid))],
        "status": "available",
        "modality": [coding.concept(_CT)["coding"][0]],
        "subject": {"reference": subject.patient},
        "procedureCode": [coding.concept(code.CT_PROCEDURE)],
    }
    if subject.taken_on is not None:
        study["started"] = subject.taken_on
    if patient.study_description:
        study["description"] = patient.study_description
    if header.series_instance_uid is not None:
        study["series"] = [_series(report, header.series_instance_uid)]
    return study


def _series(report: Report, uid: str) -> Resource:
    header = report.study.series
    series: Resource = {
        "uid": uid,
        "modality": coding.concept(_CT)["coding"][0],
        "numberOfInstances": report.study.grid.shape_zyx[0],
    }
    if header.series_number is not None and header.series_number >= 0:
        series["number"] = header.series_number
    if header.series_description:
        series["description"] = header.series_description
    return series


def _exam_entries(
    report: Report, subject: Subject, findings: list[str]
) -> Iterator[tuple[str, Resource]]:
    """Yield that nothing was found, and the exam's category, with their ids."""
    made_of = report.provenance.input_sha256
    by = {"device": {"reference": subject.device}}
    if not report.active:
        yield (
            coding.resource_id("absent", made_of),
            subject.observation(
                (coding.PRESENCE, code.SCOPES["nodule"]),
                valueCodeableConcept=coding.concept(code.ABSENT, coding.ABSENT),
                **by,
                **subject.of_images,
            ),
        )
    for advice in report.management.exam:
        if advice.rule_set == "Lung-RADS" and advice.answer is not None:
            category = code.lung_rads_category(advice.version, advice.answer)
            derived = {"derivedFrom": [{"reference": each} for each in findings]}
            yield (
                coding.resource_id("exam", made_of, advice.rule_set),
                subject.observation(
                    (code.LUNG_RADS, None),
                    valueCodeableConcept=coding.concept(category),
                    **by,
                    **(derived if findings else {}),
                ),
            )


def _diagnostic_report(
    report: Report, state: DocumentState, subject: Subject, results: list[str]
) -> Resource:
    said: Resource = {
        "resourceType": "DiagnosticReport",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:sha256:{report.sha256}"}],
        "status": subject.status,
        "category": [coding.concept(_RADIOLOGY)],
        "code": coding.concept(code.CT_PROCEDURE),
        "subject": {"reference": subject.patient},
        "result": [{"reference": each} for each in results],
        "conclusion": f"{report.software.status}. {len(report.active)} nodules are stated.",
    }
    if subject.taken_on is not None:
        said["effectiveDateTime"] = subject.taken_on
    if subject.study is not None:
        said["imagingStudy"] = [{"reference": subject.study}]
    if subject.readers:
        said["resultsInterpreter"] = [{"reference": id_} for id_ in subject.readers.values()]
    if state.reviewed_at is not None:
        said["issued"] = state.reviewed_at.isoformat().replace("+00:00", "Z")
    return said


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
