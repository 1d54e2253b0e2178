"""How far the images are what the software was made for.

Limits follow the input rules that readers' aids print (slices of 0.5 to 3.0 mm without gaps, an
untilted gantry, lungs of 80 to 1067 mm). What breaks the geometry is refused when a study is read;
what only lowers the worth of an answer is listed here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nodule.followup import lungs_cut
from nodule.lung_disease import DIFFUSE_SHARE, LungDisease
from nodule.report._study_parts import QualityCheck
from nodule.study import Study
from nodule.volume import LungMask

SLICES_MM = (0.5, 3.0)
_LUNGS_MM = (80.0, 1067.0)
LEAST_LUNGS_ML = 1000.0
"""Two lungs of an adult hold more even after breathing out: residual volume is 1.1 to 1.2 l."""
_SLICE_LIMIT = "0.5 to 3.0 mm"


def quality_checks(
    study: Study, lungs: LungMask, disease: LungDisease | None = None
) -> tuple[QualityCheck, ...]:
    """Judge a study's images; the order is that of the page."""
    return (*_slices(study), *_lungs(lungs), *_rest(study, lungs), *_disease(disease))


def _disease(disease: LungDisease | None) -> Iterator[QualityCheck]:
    if disease is not None:
        yield QualityCheck(
            name="Lung diseased beyond nodules",
            value=disease.in_words,
            limit=f"less than {100 * DIFFUSE_SHARE:.0f} % of either lung",
            kept=not disease.diffuse,
        )


def _slices(study: Study) -> Iterator[QualityCheck]:
    apart_mm = study.volume.geometry.spacing_zyx_mm[0]
    thick_mm = study.series.slice_thickness_mm
    yield QualityCheck(
        name="Slice spacing",
        value=f"{apart_mm:.2f} mm",
        limit=_SLICE_LIMIT,
        kept=_within(apart_mm, SLICES_MM),
    )
    yield QualityCheck(
        name="Slice thickness",
        value="not stated" if thick_mm is None else f"{thick_mm:g} mm",
        limit=_SLICE_LIMIT,
        kept=None if thick_mm is None else _within(thick_mm, SLICES_MM),
    )
    checked = study.series.source_format == "dicom"
    yield QualityCheck(
        name="Gaps, jitter, tilt",
        value="none" if checked else "not stated by this format",
        limit="none; refused otherwise",
        kept=True if checked else None,
    )


def _lungs(lungs: LungMask) -> Iterator[QualityCheck]:
    found = np.flatnonzero(lungs.labels_zyx.any(axis=(1, 2)))
    extent_mm = float(np.ptp(found) + 1) * lungs.geometry.spacing_zyx_mm[0] if found.size else 0.0
    low, high = _LUNGS_MM
    yield QualityCheck(
        name="Extent of the lungs",
        value=f"{extent_mm:.0f} mm",
        limit=f"{low:g} to {high:g} mm",
        kept=_within(extent_mm, _LUNGS_MM),
    )
    if found.size:
        cut = lungs_cut(lungs)
        yield QualityCheck(
            name="Lungs within the scan",
            value="cut by the end of the scan" if cut else "whole",
            limit="whole",
            kept=not cut,
        )


def _rest(study: Study, lungs: LungMask) -> Iterator[QualityCheck]:
    yield QualityCheck(
        name="Compression",
        value="lossy" if study.series.lossy else "no lossy compression stated",
        limit="not lossy",
        kept=not study.series.lossy,
    )
    yield QualityCheck(
        name="Kernel",
        value=study.series.convolution_kernel or "not stated",
        limit="a softer kernel; not assessed",
        kept=None,
    )
    yield QualityCheck(
        name="Breath",
        value=f"{sum(lungs.volume_ml):.0f} ml of lung",
        limit="full inspiration; not assessed",
        kept=None,
    )


def _within(value: float, limits: tuple[float, float]) -> bool:
    tolerance = 1e-3  # spacings come from positions
    return limits[0] - tolerance <= value <= limits[1] + tolerance
