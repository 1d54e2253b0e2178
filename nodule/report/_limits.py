"""What a report's word is worth, said alike on the page and in ``report.json``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The disclaimers, for programs that show findings without the page."""

    purpose: str = "Research software: a second reader’s draft, never a diagnosis."
    use: str = (
        "For research only; not cleared for any clinical use. Every finding, and every place "
        "without one, must be judged by a radiologist on the original images."
    )
    suspicion: str = (
        "Suspicion is what radiologists would rate, not pathology: the networks were trained on "
        "radiologists’ opinions (LIDC-IDRI)."
    )
    search: str = (
        "Only nodules are searched for. Nodules below 4 mm, ground glass, central ones and "
        "those on vessels or pleura are missed most. On slices thicker than 3 mm neither absence "
        "nor size should be relied on."
    )
    sizes: str = (
        "Sizes carry the uncertainty of slice thickness and outline: two measurements of one "
        "nodule differ by up to 25 % of volume or 1.5 to 2 mm of diameter, and changes below 25 % "
        "of volume or 2 mm are not growth."
    )
    rules: str = (
        "Lung-RADS is for screening, Fleischner for incidental nodules from 35 years without known "
        "cancer or immunosuppression. 4X, S and 0 are the reader’s alone, stated in the person "
        "file’s table [reader]."
    )
