"""What a reader decided on a report: applied to it, or turned into labels for training."""

import importlib
from typing import TYPE_CHECKING, Any

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

_HOMES = {
    "Reviewed": "apply",
    "apply_review": "apply",
    "read_report": "review_file",
    "read_review": "review_file",
    "review_labels": "training_labels",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
