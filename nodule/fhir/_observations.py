"""Findings as Observations: a root of RDES195 each, and a member for each statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.sr.coding import Code

from nodule.dicom import codes as code
from nodule.dicom.readers import Judgement, judgements
from nodule.dicom.statements import (
    StatedCode,
    StatedNumber,
    site_codes,
    stated_codes,
    stated_numbers,
)
from nodule.dicom.tracking import tracking_uids
from nodule.fhir import _coding as coding
from nodule.report.model import Report
from nodule.report.reported_nodule import ReportedNodule

Resource = dict[str, Any]
_IMAGING = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "imaging",
            "display": "Imaging",
        }
    ]
}
_SITE = Code("363698007", "SCT", "Finding site")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What all observations of a report share.

    Parameters
    ----------
    status : of each observation.
    patient, device : references.
    study : reference to the images, None where they have no DICOM names.
    taken_on : date of the study, None where it is not stated.
    readers : reference to each reader, by name.
    """

    status: str
    patient: str
    device: str
    study: str | None
    taken_on: str | None
    readers: dict[str, str]

    def observation(self, said: Code | tuple[Code | None, ...], **more: Any) -> Resource:
        """Return an observation of the images."""
        names = said if isinstance(said, tuple) and not isinstance(said, Code) else (said,)
        resource: Resource = {
            "resourceType": "Observation",
            "status": self.status,
            "category": [_IMAGING],
            "code": coding.concept(*names),
            "subject": {"reference": self.patient},
        }
        if self.taken_on is not None:
            resource["effectiveDateTime"] = self.taken_on
        return resource | more

    @property
    def of_images(self) -> dict[str, Any]:
        """What is derived from the images."""
        return {} if self.study is None else {"derivedFrom": [{"reference": self.study}]}


def finding_entries(report: Report, subject: Subject) -> Iterator[tuple[str, Resource, bool]]:
    """Yield each observation with its id, and whether it is the root of a finding."""
    said, uids = judgements(report), tracking_uids(report)
    for finding in (*report.active, *report.rejected):
        id_ = finding.nodule.id
        judgement = said.get(id_)
        root_id = coding.resource_id("finding", uids[id_])
        members = []
        for number, member in enumerate(_members(report, finding, judgement, subject)):
            member_id = coding.resource_id("statement", uids[id_], str(number))
            members.append(member_id)
            yield member_id, member, False
        yield root_id, _root(finding, judgement, subject, uids[id_], members), True


def _root(
    finding: ReportedNodule,
    judgement: Judgement | None,
    subject: Subject,
    uid: str,
    members: list[str],
) -> Resource:
    place, side = site_codes(finding)
    root = subject.observation(
        (coding.NODULE_SET, code.SCOPES[finding.scope]),
        identifier=[coding.oid(uid), {"value": finding.nodule.id}],
        bodySite=coding.concept(place, side),
        hasMember=[{"reference": each} for each in members],
        **_by(finding.assessment is not None, judgement, subject),
        **subject.of_images,
    )
    notes = () if judgement is None else (judgement.comment, *judgement.statements)
    written = [{"text": text} for text in notes if text]
    return root | ({"note": written} if written else {})


def _members(
    report: Report, finding: ReportedNodule, judgement: Judgement | None, subject: Subject
) -> Iterator[Resource]:
    rejected = finding in report.rejected
    by_software = _by(True, None, subject) | subject.of_images
    yield _presence(rejected, finding, judgement, subject)
    for number in stated_numbers(finding, rejected=rejected):
        yield subject.observation(
            (number.name, coding.element(number.name)),
            valueQuantity=coding.quantity(number.value, number.unit),
            **_method(number),
            **by_software,
        )
    place, side = site_codes(finding)
    answer = coding.location(finding.lobe, finding.nodule.lung)
    yield subject.observation(
        (_SITE, coding.LOCATION),
        valueCodeableConcept=coding.concept(place, side, answer),
        **by_software,
    )
    for said in stated_codes(report, finding, judgement):
        if said.name != code.PRESENCE:
            by = _by(False, judgement, subject) if said.name == code.VERDICT else by_software
            yield subject.observation(
                (said.name, coding.element(said.name)),
                valueCodeableConcept=coding.concept(said.value, _answer(report, finding, said)),
                **by,
            )


def _presence(
    rejected: bool, finding: ReportedNodule, judgement: Judgement | None, subject: Subject
) -> Resource:
    answer = (code.ABSENT, coding.ABSENT) if rejected else (code.PRESENT, coding.PRESENT)
    return subject.observation(
        (code.PRESENCE, coding.PRESENCE),
        valueCodeableConcept=coding.concept(*answer),
        **_by(finding.assessment is not None and not rejected, judgement, subject),
        **subject.of_images,
    )


def _method(number: StatedNumber) -> dict[str, Any]:
    how = number.method or number.derivation
    return {} if how is None else {"method": coding.concept(how)}


def _answer(report: Report, finding: ReportedNodule, said: StatedCode) -> Code | None:
    """Return an answer of the element set beside the DICOM one."""
    if said.name == code.TEXTURE:
        measured = finding.nodule.measurement
        return coding.composition(None if measured is None else measured.texture)
    if said.name == code.DIFFERENCE and report.comparison is not None:
        growth = report.changes[finding.nodule.id].growth
        return None if growth is None else coding.change_since(growth, report.comparison.days)
    return None


def _by(software: bool, judgement: Judgement | None, subject: Subject) -> dict[str, Any]:
    """Say who states it: the device, the reader, or both."""
    said_by: dict[str, Any] = {"device": {"reference": subject.device}} if software else {}
    reader = None if judgement is None else judgement.reader
    if reader is not None:
        said_by["performer"] = [{"reference": subject.readers[reader]}]
    return said_by
