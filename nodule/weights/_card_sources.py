"""The collections that training patients belong to, recognised by their identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LIDC = (
    "LIDC-IDRI, The Cancer Imaging Archive, CC BY 3.0, doi:10.7937/K9/TCIA.2015.LO9QL9SX. Armato "
    "SG et al., Med Phys 2011;38:915-931. Clark K et al., J Digit Imaging 2013;26:1045-1057."
)
_LUNA16 = (
    "LUNA16, a selection of LIDC-IDRI whose patients are identified by their series, CC BY 4.0 "
    "(tables). Setio AAA et al., Med Image Anal 2017;42:1-13."
)
_LUNGFCP = (
    "Lung Fused-CT-Pathology, The Cancer Imaging Archive; licence not stated where it was found."
)
_COLLECTIONS = (
    (re.compile(r"LIDC-IDRI-\d{4}"), (_LIDC,)),
    (re.compile(r"1\.3\.6\.1\.4\.1\.14519\.5\.2\.1\.6279\.6001\.\d+"), (_LIDC, _LUNA16)),
    (re.compile(r"LungFCP-.*|background-lungfcp"), (_LUNGFCP,)),
)


def sources(patients: Iterable[str]) -> tuple[str, ...]:
    """Return the section ``Sources``: the collections that the patients belong to.

    Patients of no known collection are counted, for a person to name their source.
    """
    named: dict[str, None] = {}
    unknown = 0
    for patient in patients:
        texts = next((texts for name, texts in _COLLECTIONS if name.fullmatch(patient)), None)
        unknown += texts is None
        named |= dict.fromkeys(texts or ())
    items = [f"- {text}" for text in named]
    if unknown:
        items.append(f"- Patients of other sources: {unknown}; name them and their licence here.")
    return tuple(items) or ("Synthetic data only.",)
