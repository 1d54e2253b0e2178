"""Whose data the weights were trained on, told by what the patients are called."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nodule.weights.card_text import wrapped

_LIDC = (
    "LIDC-IDRI, The Cancer Imaging Archive, CC BY 3.0, doi:10.7937/K9/TCIA.2015.LO9QL9SX. Armato "
    "SG et al., Med Phys 2011;38:915-931. Clark K et al., J Digit Imaging 2013;26:1045-1057."
)
_LUNA16 = (
    "LUNA16, a selection of LIDC-IDRI whose patients are told apart by their series, CC BY 4.0 "
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


def sources_text(patients: Iterable[str]) -> str:
    """Return the section ``Sources``: the collections that the patients belong to.

    Patients of no known collection are counted, for a person to name their source.
    """
    told: dict[str, None] = {}
    unknown = 0
    for patient in patients:
        texts = next((texts for name, texts in _COLLECTIONS if name.fullmatch(patient)), None)
        unknown += texts is None
        told |= dict.fromkeys(texts or ())
    lines = list(told)
    if unknown:
        lines.append(f"Patients of other sources: {unknown}, to be named here with their licence.")
    return "\n".join(_item(line) for line in lines) or "Synthetic data only."


def _item(text: str) -> str:
    return wrapped(f"- {text}").replace("\n", "\n  ")
