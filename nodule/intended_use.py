"""What the software is for, what it is not for, and what is known to limit it.

The one source of these texts: report, page and command take them from here.
"""

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


@dataclass(frozen=True, kw_only=True)
class IntendedUse:
    """Sentences for whoever uses the software.

    Parameters
    ----------
    limits : what it is, on what terms, and what is known to limit its answers.
    users, images, task : for whom, on which images, and what it does with them.
    not_for : uses that it was not made for and must not be put to.
    """

    limits: Limits
    users: str
    images: str
    task: str
    not_for: tuple[str, ...]

    @property
    def known_limits(self) -> tuple[str, ...]:
        """What is known to limit the answers, the gravest first."""
        stated = self.limits
        return stated.search, stated.sizes, stated.suspicion, stated.rules


INTENDED_USE = IntendedUse(
    limits=Limits(),
    users="Researchers who read chest CT, or who work with somebody who does.",
    images=(
        "CT of an adult’s chest that holds both lungs whole, in Hounsfield units, in slices of 0.5 "
        "to 3.0 mm without gaps, with an untilted gantry."
    ),
    task=(
        "It proposes lung nodules, measures them, rates from 1 to 5 how suspicious a radiologist "
        "would call them, compares two studies of a person, and states what published guidelines "
        "say of what was measured and stated."
    ),
    not_for=(
        "a diagnosis, or a decision on treatment or follow-up, without a radiologist’s own reading",
        "ruling out nodules or cancer, choosing which images are read, or leaving any unread",
        "anything but nodules of the lung: other disease is at most warned of, never assessed",
        "children, and chests after the removal of a lung",
        "other parts of the body, other images than CT, and pictures of CT on film or screen",
    ),
)
