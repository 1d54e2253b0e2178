"""DICOM's codes in FHIR, and beside them those of the RSNA/ACR common data elements.

RDES195 is the element set *Pulmonary Nodule* of radelement.org. Only elements that mean what the
report states are named; their answers are numbered from 0 in the set's own order.
"""

from __future__ import annotations

import uuid
from types import MappingProxyType
from typing import Any

from pydicom.sr.coding import Code

from nodule.dicom import codes as code

RADELEMENT = "https://radelement.org"
NODULE_SET = Code("RDES195", RADELEMENT, "Pulmonary Nodule")
PRESENCE = Code("RDE1717", RADELEMENT, "Presence")
PRESENT = Code("RDE1717.1", RADELEMENT, "present")
ABSENT = Code("RDE1717.0", RADELEMENT, "absent")
LOCATION = Code("RDE1304", RADELEMENT, "Location")
CHANGE = Code("RDE1706", RADELEMENT, "Change from priors")

_SYSTEMS = MappingProxyType(
    {
        "SCT": "http://snomed.info/sct",
        "DCM": "http://dicom.nema.org/resources/ontology/DCM",
        "LN": "http://loinc.org",
        "UCUM": "http://unitsofmeasure.org",
        "RADLEX": "http://radlex.org",
        "NCIt": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
        "IBSI": "https://theibsi.github.io",
        "UMLS": "http://www.nlm.nih.gov/research/umls",
    }
)
_ELEMENTS = MappingProxyType(
    {
        code.DIAMETER: Code("RDE1302", RADELEMENT, "Size"),  # "average diameter in mm"
        code.VOLUME: Code("RDE1705", RADELEMENT, "Volume"),
        code.TEXTURE: Code("RDE1301", RADELEMENT, "Composition"),
        code.DIFFERENCE: CHANGE,
        code.PRESENCE: PRESENCE,
    }
)
_COMPOSITIONS = MappingProxyType(
    {
        "solid": Code("RDE1301.0", RADELEMENT, "solid"),
        "ground-glass": Code("RDE1301.1", RADELEMENT, "ground glass"),
        "part-solid": Code("RDE1301.2", RADELEMENT, "part-solid"),
        "calcified": Code("RDE1301.4", RADELEMENT, "calcification"),
    }
)
_LOBES = MappingProxyType(
    {
        "LUL": Code("RDE1304.2", RADELEMENT, "left upper lobe"),
        "LLL": Code("RDE1304.4", RADELEMENT, "left lower lobe"),
        "RUL": Code("RDE1304.6", RADELEMENT, "right upper lobe"),
        "RML": Code("RDE1304.7", RADELEMENT, "right middle lobe"),
        "RLL": Code("RDE1304.8", RADELEMENT, "right lower lobe"),
    }
)
_SIDES = MappingProxyType(
    {
        "left": Code("RDE1304.1", RADELEMENT, "left lung"),
        "right": Code("RDE1304.5", RADELEMENT, "right lung"),
    }
)
_UNKNOWN_PLACE = Code("RDE1304.9", RADELEMENT, "unknown")
_UNCHANGED = (  # to how many days, and the answer
    (182, Code("RDE1706.1", RADELEMENT, "unchanged for less than 6 months")),
    (365, Code("RDE1706.2", RADELEMENT, "unchanged for 6-12 months")),
    (730, Code("RDE1706.3", RADELEMENT, "unchanged for 12-24 months")),
)
_UNCHANGED_LONG = Code("RDE1706.4", RADELEMENT, "unchanged more than 24 months")
_CHANGED = MappingProxyType(
    {
        "growing": Code("RDE1706.5", RADELEMENT, "larger since prior"),
        "decreasing": Code("RDE1706.6", RADELEMENT, "smaller since prior"),
    }
)
_IDS = uuid.UUID("5a0d2d1c-0a53-5d0e-9d7e-2f4a8d0f7b61")


def concept(*said: Code | None) -> dict[str, Any]:
    """Return one concept in the codes that name it; those that are None are left out."""
    return {"coding": [_coding(each) for each in said if each is not None]}


def _coding(said: Code) -> dict[str, str]:
    scheme = said.scheme_designator
    system = scheme if "://" in scheme else _SYSTEMS.get(scheme, f"urn:nodule:codes:{scheme}")
    return {"system": system, "code": said.value, "display": said.meaning}


def quantity(value: float, unit: Code) -> dict[str, Any]:
    """Return a number with its UCUM unit."""
    return {
        "value": value,
        "unit": unit.meaning,
        "system": _SYSTEMS["UCUM"],
        "code": unit.value,
    }


def element(name: Code) -> Code | None:
    """Return the element of RDES195 that asks what a DICOM code asks, None where none does."""
    return _ELEMENTS.get(name)


def composition(texture: str | None) -> Code | None:
    """Return the element's answer for a texture."""
    return None if texture is None else _COMPOSITIONS.get(texture)


def location(lobe: str | None, lung: str | None) -> Code:
    """Return the element's answer for a place."""
    if lobe is not None:
        return _LOBES[lobe]
    return _UNKNOWN_PLACE if lung is None else _SIDES[lung]


def change_since(growth: str, days: int | None) -> Code | None:
    """Return the element's answer for a growth class, None where the days are not known."""
    course = growth.partition(",")[0]
    if course in _CHANGED:
        return _CHANGED[course]
    if days is None:
        return None
    return next((answer for limit, answer in _UNCHANGED if days < limit), _UNCHANGED_LONG)


def oid(uid: str) -> dict[str, str]:
    """Return a DICOM UID as an identifier."""
    return {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}


def resource_id(*parts: str) -> str:
    """Name a resource after what it is of: equal parts, equal name."""
    return f"urn:uuid:{uuid.uuid5(_IDS, '/'.join(parts))}"
