"""What was found in one study: what the chain hands to reports, comparisons and notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nodule.errors import ConfigError
from nodule.findings import Assessment, Finding, masks_of
from nodule.lung_disease import LungDisease
from nodule.masks import NoduleMask
from nodule.nifti_image import nifti
from nodule.nodules import Measurement
from nodule.notebook_table import html_table
from nodule.resample import resample_mask
from nodule.saliency import SaliencyMap
from nodule.stage_record import StageRecord
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask
from nodule.whole_files import write_whole

if TYPE_CHECKING:
    import pandas as pd

_SIZES = ("long_axis_mm", "short_axis_mm")
_VOLUMES = ("effective_diameter_mm", "volume_mm3", "solid_volume_mm3")
_DENSITY = ("texture", "mean_hu", "sphericity")
_BEFORE_N1 = 10  # so that N1 has the label 11


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Detection:
    """What the chain found in one study.

    Parameters
    ----------
    study : as read.
    lungs : on the canonical 1 mm grid.
    findings : the most probable first.
    patient : who was scanned, for a report; never stored.
    stages : what made the findings, in order.
    saliency_maps : one a finding, in their order, where the chain explains; else none.
    disease : how much of the lungs is diseased beyond nodules, None where nobody measured it.
    """

    study: Study
    lungs: LungMask
    findings: tuple[Finding, ...]
    patient: PatientHeader = PatientHeader()  # noqa: RUF009  # frozen
    stages: tuple[StageRecord, ...] = ()
    saliency_maps: tuple[SaliencyMap, ...] = ()
    disease: LungDisease | None = None

    def __repr__(self) -> str:
        return f"Detection({len(self.findings)} findings, {self.study!r})"

    def _repr_html_(self) -> str:
        """Return a table of the findings for a notebook; nothing in it identifies the patient."""
        headings = ("", "lung", "axes, mm", "volume, mm³", "type", "probability", "malignancy")
        return html_table(
            map(_shown, self.findings),
            caption=f"Lung nodules: {len(self.findings)} findings, an unverified draft",
            headings=headings,
        )

    @property
    def input_sha256(self) -> str:
        """Digest of the input, as :attr:`nodule.study.Study.digest`."""
        return self.study.digest

    @property
    def masks(self) -> dict[str, NoduleMask]:
        """The masks on the study's grid by finding's id, of those findings that have one."""
        return masks_of(self.findings)

    def to_pandas(self) -> pd.DataFrame:
        """Return a table with a row a finding, indexed by its id.

        Columns are named with their unit, positions are LPS. Where no volume can be stated, the
        volumes and the effective diameter are missing, as in the report.

        Raises
        ------
        ConfigError : ``NO_PANDAS``.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ConfigError(
                "pandas is not installed",
                code="NO_PANDAS",
                expected="the packages of the extra notebook",
                hint="pip install 'nodule[notebook]'",
            ) from error
        rows = [_row(each) for each in self.findings]
        return pd.DataFrame(rows, columns=list(_COLUMNS)).set_index("id")

    def save_nifti(self, path: Path | str) -> dict[str, int]:
        """Write lungs and findings as one image of labels on the study's own grid.

        Parameters
        ----------
        path : such as ``labels.nii.gz``; written whole or not at all.

        Returns
        -------
        The labels by name: 1 ``right lung``, 2 ``left lung``, then 11 for ``N1`` and so on. A
        voxel of two findings has the label of the more probable one.
        """
        grid = self.study.volume.geometry
        labels_zyx = resample_mask(self.lungs, geometry=grid).labels_zyx.astype(np.uint16)
        names = {"right lung": LungMask.RIGHT, "left lung": LungMask.LEFT}
        masks = self.masks
        numbers = {
            each.nodule.id: _BEFORE_N1 + number
            for number, each in enumerate(self.findings, start=1)
            if each.nodule.id in masks
        }
        for id_, mask in reversed(masks.items()):
            labels_zyx[mask.box][mask.array_zyx] = numbers[id_]
        write_whole(Path(path), nifti(labels_zyx, grid))
        return names | numbers


_COLUMNS = (
    *("id", "lung", "lung_zone", "x_lps_mm", "y_lps_mm", "z_lps_mm"),
    *("probability", "malignancy", "suspicion", "indeterminate"),
    *_SIZES,
    *_VOLUMES,
    *("volume_low_mm3", "volume_high_mm3"),
    *_DENSITY,
    "pleura_distance_mm",
)


def _row(finding: Finding) -> Mapping[str, Any]:
    nodule = finding.nodule
    x, y, z = nodule.center_lps_mm
    return {
        **{name: getattr(nodule, name) for name in ("id", "lung", "lung_zone")},
        **{"x_lps_mm": x, "y_lps_mm": y, "z_lps_mm": z},
        **_rated(finding.assessment),
        **_sized(nodule.measurement),
        "pleura_distance_mm": nodule.pleura_distance_mm,
    }


def _rated(assessment: Assessment | None) -> Mapping[str, Any]:
    if assessment is None:
        return {}
    malignancy = assessment.malignancy
    return {
        "probability": assessment.probability,
        "malignancy": malignancy.score,
        "suspicion": malignancy.suspicion,
        "indeterminate": malignancy.indeterminate,
    }


def _sized(measured: Measurement | None) -> Mapping[str, Any]:
    if measured is None:
        return {}
    cells = {name: getattr(measured, name) for name in (*_SIZES, *_DENSITY)}
    if measured.volume_ci95_mm3 is None:
        return cells
    low, high = measured.volume_ci95_mm3
    volumes = {name: getattr(measured, name) for name in _VOLUMES}
    return {**cells, **volumes, "volume_low_mm3": low, "volume_high_mm3": high}


def _shown(finding: Finding) -> tuple[str | None, ...]:
    row = _row(finding)
    axes = volume = None
    if "long_axis_mm" in row:
        axes = f"{row['long_axis_mm']:.1f} × {row['short_axis_mm']:.1f}"
    if "volume_mm3" in row:
        low, high = row["volume_low_mm3"], row["volume_high_mm3"]
        volume = f"{row['volume_mm3']:.0f} ({low:.0f} to {high:.0f})"
    rated: tuple[str | None, str | None] = (None, None)
    if finding.assessment is not None:
        rated = (f"{row['probability']:.2f}", f"{row['malignancy']:.1f} of 5")
    side = " ".join(filter(None, (row["lung"], row["lung_zone"]))) or None
    return row["id"], side, axes, volume, row.get("texture"), *rated
