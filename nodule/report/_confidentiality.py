"""What a report without identifiers says of how they were removed."""

from __future__ import annotations

from typing import Literal

from nodule.report.reader_review import Part

Profile = Literal["Basic Application Confidentiality Profile"]
Option = Literal["Retain Patient Characteristics Option"]


class Deidentification(Part):
    """How identifiers were removed.

    Parameters
    ----------
    standard, profile, options : as DICOM PS3.15 annex E calls them, edition 2024.
    pseudonyms : what names, UIDs and digests were replaced by.
    kept : what the profile would let stand, and what is not looked at.
    """

    standard: Literal["DICOM PS3.15 annex E"] = "DICOM PS3.15 annex E"
    profile: Profile = "Basic Application Confidentiality Profile"
    options: tuple[Option, ...] = ("Retain Patient Characteristics Option",)
    pseudonyms: str = "HMAC-SHA-256 with a secret key"
    kept: str = (
        "Sex, age in years up to 90, days between studies, how the images were made and the voxels "
        "stay. No text that anybody typed does."
    )
