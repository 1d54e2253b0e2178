"""What may be asked of DICOM results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DicomExtra(StrEnum):
    """Each field of :class:`DicomOptions`, with the word that a command has for it."""

    lungs = "lungs"
    deflated = "deflated"
    key_objects = "key-objects"


@dataclass(frozen=True, kw_only=True)
class DicomOptions:
    """What DICOM files hold besides what they always do.

    Parameters
    ----------
    lungs : segments of both lungs in ``seg.dcm``.
    deflated : ``seg.dcm`` compressed without loss, by a transfer syntax that not every receiver
        takes.
    key_objects : ``key.dcm``, a selection of the key images.
    """

    lungs: bool = False
    deflated: bool = False
    key_objects: bool = False
