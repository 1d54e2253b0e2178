"""What wrote a report, under names that change whenever its answers may."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from nodule.detection import Detection
from nodule.installed import installed_packages
from nodule.report.model import Provenance, Software
from nodule.report.reader_review import AppliedReview
from nodule.stage_record import StageRecord

PRODUCT = "nodule"
_DRAFT = "AI-generated draft, not verified"
_REVIEWED = "AI-generated draft, reviewed by a reader, not verified"
_ATTESTED = "AI-generated draft, reviewed and attested to by a reader"
_SHOWN_DIGITS = 12


def provenance_of(found: Detection) -> Provenance:
    """Say what makes a report: input, stages, weights, settings and versions."""
    return provenance_from(found.input_sha256, found.stages)


def provenance_from(input_sha256: str, stages: Sequence[StageRecord]) -> Provenance:
    """Say what stages would make a report of an input."""
    return Provenance(
        input_sha256=input_sha256,
        stages={each.name: each.version for each in stages},
        constants={each.name: each.constants_sha256 for each in stages},
        weights={name: sha for each in stages for name, sha in each.weights.items()},
        config={each.name: dict(each.settings) for each in stages},
        versions=dict(installed_packages()),
        engines={each.name: each.engine for each in stages if each.engine is not None},
    )


def software_of(provenance: Provenance, *, reviews: Sequence[AppliedReview] = ()) -> Software:
    """State product, version, networks, and what the report's word is worth.

    Parameters
    ----------
    provenance : of the report.
    reviews : that were applied to it; the last says whether somebody attests to it.
    """
    version = software_version(provenance)
    return Software(
        name=PRODUCT,
        version=version,
        identifier=f"{PRODUCT}/{version}/{answers_digest(provenance)}",
        models={stage: digest[:_SHOWN_DIGITS] for stage, digest in provenance.weights.items()},
        status=_status(reviews),
    )


def _status(reviews: Sequence[AppliedReview]) -> str:
    if not reviews:
        return _DRAFT
    return _REVIEWED if reviews[-1].attested_for is None else _ATTESTED


def software_version(provenance: Provenance) -> str:
    """Return the package's version as the report states it."""
    return provenance.versions.get(PRODUCT, "unknown")


def answers_digest(provenance: Provenance) -> str:
    """Return one short digest over weights, versions and constants of the stages."""
    parts = [provenance.weights, provenance.stages, provenance.constants]
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
