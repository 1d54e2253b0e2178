"""What wrote a report, under names that change whenever its answers may."""

from __future__ import annotations

import hashlib
import json

from nodule.report.model import Provenance, SoftwarePart

PRODUCT = "nodule"
_DRAFT = "AI-generated draft, not verified"
_REVIEWED = "AI-generated draft, reviewed by a reader, not verified"
_SHOWN_DIGITS = 12


def software_part(provenance: Provenance, *, reviewed: bool = False) -> SoftwarePart:
    """State product, version, networks, and what the report's word is worth."""
    version = software_version(provenance)
    return SoftwarePart(
        name=PRODUCT,
        version=version,
        identifier=f"{PRODUCT}/{version}/{weights_digest(provenance)}",
        models={stage: digest[:_SHOWN_DIGITS] for stage, digest in provenance.weights.items()},
        status=_REVIEWED if reviewed else _DRAFT,
    )


def software_version(provenance: Provenance) -> str:
    """Return the package's version as the report states it."""
    return provenance.versions.get(PRODUCT, "unknown")


def weights_digest(provenance: Provenance) -> str:
    """Return one short digest over all networks' weights."""
    text = json.dumps(provenance.weights, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
