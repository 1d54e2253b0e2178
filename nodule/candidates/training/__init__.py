"""How the candidates network is trained."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.candidates.training._candidates_task import CandidatesTask

__all__ = [
    "CandidatesTask",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_candidates_task": ["CandidatesTask"],
    },
)
