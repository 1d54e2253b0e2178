"""Which part of the body a file states, by its attributes and by what people write into them.

It never refuses a study: lungs that look like lungs are believed. It tells what to say where there
are none, and what to warn of where there are.
"""

from __future__ import annotations

import re

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from nodule.ct.dicom import attributes
from nodule.study import CHEST

BODY_PART_KEYWORDS = (
    "BodyPartExamined",
    "ProtocolName",
    "StudyDescription",
    "SeriesDescription",
)
# what holds lungs, or may
_CHEST = (
    *("CHEST", "THORA\\w*", "THX", "LUNGS?", "PULMO\\w*", "MEDIAST\\w*", "HEART", "CARDIAC"),
    *("CORONAR\\w*", "RIBS?", "STERNUM", "BREAST", "ESOPHAGUS", "TRUNK", "TORSO", "AORTA"),
    *("(CHEST|NECK|HEAD)\\w*(CHEST|ABD)\\w*", "WHOLE ?BODY", "CAP", "TAP"),
    *("CTPA", "T ?SPINE", "BRONCH\\w*", "HRCT"),
)
_OTHER = (
    *("HEAD", "BRAIN", "SKULL", "CEREBR\\w*", "CRANI\\w*", "FACE", "FACIAL", "SINUS(ES)?"),
    *("ORBITS?", "EARS?", "IAC", "TEMPORAL", "JAW", "MANDIBLE", "MAXILLA", "DENTAL", "NECK"),
    *("[CL] ?SPINE", "CERVICAL", "LUMBAR", "LSPINE", "SACR\\w*", "ABD(OM\\w*)?", "LIVER"),
    *("KIDNEYS?", "RENAL", "KUB", "PANCREAS", "COLON\\w*", "BOWEL", "PELVI[SC]\\w*", "PROSTATE"),
    *("BLADDER", "HIPS?", "KNEES?", "LEGS?", "FEMUR", "TIBIA", "FOOT", "FEET", "ANKLES?"),
    *("HANDS?", "WRISTS?", "ELBOWS?", "ARMS?", "EXTREMIT\\w*"),
)


def stated_body_part(dataset: Dataset) -> str | None:
    """Return the part of the body that a file states: ``CHEST``, another's word, or None.

    The attributes are asked one after the other, but a chest in any of them counts.
    """
    texts = [_stated_region(dataset)]
    texts += [attributes.stated(dataset, key, attributes.text) or "" for key in BODY_PART_KEYWORDS]
    plain = [re.sub(r"[^A-Z0-9]+", " ", text.upper()) for text in texts]
    if any(_named(_CHEST, text) for text in plain):
        return CHEST
    return next((word for text in plain if (word := _named(_OTHER, text))), None)


def _stated_region(dataset: Dataset) -> str:
    """Return the meaning of the anatomic region's code, as enhanced images state it."""
    region = attributes.stated(dataset, "AnatomicRegionSequence", attributes.raw)
    if not isinstance(region, Sequence) or len(region) == 0:
        return ""
    return attributes.stated(region[0], "CodeMeaning", attributes.text) or ""


def _named(words: tuple[str, ...], text: str) -> str | None:
    found = re.search(rf"\b({'|'.join(words)})\b", text)
    return found and found[0]
