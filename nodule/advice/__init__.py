"""What published rules make of findings and of what is known of a person."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.advice._person import age_in_years
    from nodule.advice.case import Case
    from nodule.advice.context import Context, read_context
    from nodule.advice.management import Management, manage
    from nodule.advice.statement import Advice

__all__ = [
    "Advice",
    "Case",
    "Context",
    "Management",
    "age_in_years",
    "manage",
    "read_context",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_person": ["age_in_years"],
        "case": ["Case"],
        "context": ["Context", "read_context"],
        "management": ["Management", "manage"],
        "statement": ["Advice"],
    },
)
