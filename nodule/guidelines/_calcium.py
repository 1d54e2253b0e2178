"""What is offered where something is as dense as calcium and nobody has judged its pattern."""

from __future__ import annotations

from collections.abc import Sequence

from nodule.guidelines.facts import NoduleFacts
from nodule.guidelines.result import Offer

_PATTERNS = "complete, central, popcorn or in concentric rings"  # Lung-RADS v2022, category 1


def offer_if_benign(answer: str, nodules: Sequence[NoduleFacts]) -> Offer:
    """Offer what would be answered were calcification benign, for a reader who sees its pattern.

    Parameters
    ----------
    answer : what would hold.
    nodules : all that were asked about; those with calcium are named.
    """
    names = ", ".join(each.id for each in nodules if each.perhaps_benign and each.id)
    subject = f"the calcification of {names}" if names else "its calcification"
    when = f"{subject}, dense as calcium, has a benign pattern: {_PATTERNS}"
    return Offer(answer=answer, when=when, suggested=True)
