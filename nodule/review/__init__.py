"""What a reader decided on a report: applied to it, or turned into labels for training."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.review.apply import Reviewed, apply_review
    from nodule.review.review_file import read_report, read_review
    from nodule.review.training_labels import review_labels

__all__ = [
    "Reviewed",
    "apply_review",
    "read_report",
    "read_review",
    "review_labels",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "apply": ["Reviewed", "apply_review"],
        "review_file": ["read_report", "read_review"],
        "training_labels": ["review_labels"],
    },
)
