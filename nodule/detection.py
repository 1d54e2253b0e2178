"""What was found in one study: what the chain hands to reports, comparisons and notebooks."""

from __future__ import annotations

from dataclasses import dataclass

from nodule.findings import Finding
from nodule.saliency import SaliencyMap
from nodule.stage_record import StageRecord
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask


@dataclass(frozen=True, kw_only=True, eq=False)
class Detection:
    """What the chain found in one study.

    Parameters
    ----------
    study : as read.
    lungs : on the canonical 1 mm grid.
    findings : the most probable first.
    stages : what made them, in order.
    saliency_maps : one a finding, in their order, where the chain explains; else none.
    """

    study: Study
    lungs: LungMask
    findings: tuple[Finding, ...]
    stages: tuple[StageRecord, ...] = ()
    saliency_maps: tuple[SaliencyMap, ...] = ()

    @property
    def patient(self) -> PatientHeader:
        """Who was scanned, as :attr:`nodule.study.Study.patient`."""
        return self.study.patient

    @property
    def input_sha256(self) -> str:
        """Digest of the input, as :attr:`nodule.study.Study.digest`."""
        return self.study.digest
