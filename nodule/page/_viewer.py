"""What the page's slice viewer needs: the chest in few bytes, and where its slices come from.

The browser gets the volume on an LPS-aligned grid whose voxels are whole bins of source voxels:
for an axis-aligned scan nothing is interpolated, only averaged, and one that is coarse along z
keeps its own slices.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.fast_gzip import gzipped
from nodule.geometry import AXIAL_DIRECTION, Geometry, as_vector
from nodule.hu import AIR_HU, LUNG_WINDOW, MEDIASTINAL_WINDOW, HuArray, HuWindow
from nodule.page.figures import ring_radius_mm
from nodule.report.model import Report
from nodule.report.reader_review import Decision
from nodule.report.reported_nodule import ReportedNodule
from nodule.resample import bin_average, resample_mask, resample_to_geometry
from nodule.study import Study
from nodule.volume import LungMask, Volume

BONE_WINDOW = HuWindow(low_hu=-450.0, high_hu=1050.0)  # customary display, W 1500 L 300
LOWEST_HU = -1024.0
STEP_HU = 8.0  # one grey of 256; the last is 1016 HU

_TARGET_ZYX_MM = (2.0, 1.5, 1.5)
_MOST_VOXELS = 16_000_000  # some 10 MB in the page
_WINDOWS = (("Lung", LUNG_WINDOW), ("Mediastinum", MEDIASTINAL_WINDOW), ("Bone", BONE_WINDOW))


@dataclass(frozen=True, kw_only=True)
class ViewerData:
    """What the page embeds.

    Parameters
    ----------
    settings : JSON that may stand in a script element.
    voxels, lungs : gzip in base64, one byte a voxel, z outermost and x innermost; greys, and
        1 inside a lung.
    window_names : of the presets, in their order.
    voxel_mm : edges xyz, for reading.
    """

    settings: str
    voxels: str
    lungs: str
    window_names: tuple[str, ...]
    voxel_mm: str


def viewer_data(report: Report, *, study: Study, lungs: LungMask, coarse: Volume) -> ViewerData:
    """Bring a study into the form in which the page shows it.

    Parameters
    ----------
    report : its findings are marked.
    study : its slices are named.
    lungs : on any grid; outlined.
    coarse : its volume as :func:`coarse_volume` gives it, which is shown.
    """
    inside = resample_mask(lungs, geometry=coarse.geometry).labels_zyx > 0
    return ViewerData(
        settings=script_json(_settings(report, study, coarse.geometry)),
        voxels=_packed(greys(coarse.array_zyx)),
        lungs=_packed(inside.astype(np.uint8)),
        window_names=tuple(name for name, _ in _WINDOWS),
        voxel_mm=" × ".join(f"{s:.2g}" for s in coarse.geometry.spacing_zyx_mm[::-1]),
    )


def coarse_volume(volume: Volume) -> Volume:
    """Return the volume in voxels of about 1.5 mm, 2 mm along z, on an LPS-aligned grid.

    Whole bins of source voxels are averaged; what is left over at the far edges of the grid, less
    than a bin, is cut away. Only a grid that is not aligned with LPS is interpolated then.
    """
    coarse = bin_average(volume, _bins(volume.geometry))
    aligned = _aligned(coarse.geometry)
    if aligned.is_close(coarse.geometry):
        return coarse
    return resample_to_geometry(coarse, geometry=aligned, outside_hu=AIR_HU)


def greys(array_hu: HuArray) -> NDArray[np.uint8]:
    """Return HU as 8 bits: grey g stands for ``LOWEST_HU + STEP_HU * g``; any shape."""
    levels = np.rint((array_hu - np.float32(LOWEST_HU)) / np.float32(STEP_HU))
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def script_json(value: Any) -> str:
    """Return JSON in which nothing can end the script element round it."""
    return json.dumps(value, sort_keys=True).replace("<", "\\u003c")


def _bins(source: Geometry) -> tuple[int, int, int]:
    """Return how many voxels to average along each axis, zyx."""
    target = np.asarray(_target_of(source))
    shape = np.asarray(source.shape_zyx)
    while True:
        bins = np.clip(np.rint(target / source.spacing_zyx_mm), 1, shape).astype(int)
        if np.prod(shape // bins) <= _MOST_VOXELS:
            z, y, x = (int(n) for n in bins)
            return z, y, x
        target = target * 1.1


def _target_of(source: Geometry) -> list[float]:
    """Return the size wanted along each index axis: that of the LPS axis nearest to it."""
    nearest_lps = np.abs(np.asarray(source.direction)).argmax(axis=0)
    return [_TARGET_ZYX_MM[2 - axis] for axis in nearest_lps]


def _aligned(source: Geometry) -> Geometry:
    """Return the LPS-aligned grid with the source's voxel sizes that covers it."""
    extent_mm = np.abs(source.affine[:3, :3]) @ np.asarray(source.shape_zyx)
    nearest_index = np.abs(np.asarray(source.direction)).argmax(axis=1)
    spacing_mm = np.asarray(source.spacing_zyx_mm)[nearest_index]
    count = np.maximum(np.ceil(extent_mm / spacing_mm - 1e-4), 1).astype(int)
    centre_mm = source.index_to_lps((np.asarray(source.shape_zyx) - 1) / 2)
    columns, rows, depth = (int(n) for n in count)
    return Geometry(
        shape_zyx=(depth, rows, columns),
        spacing_zyx_mm=as_vector(spacing_mm[::-1]),
        origin_lps_mm=as_vector(centre_mm - (count - 1) * spacing_mm / 2),
        direction=AXIAL_DIRECTION,
    )


def _settings(report: Report, study: Study, grid: Geometry) -> dict[str, Any]:
    source = study.volume.geometry
    decisions = report.decisions
    to_slice = np.linalg.inv(source.affine)[0]  # LPS and 1 to the source's index z
    return {
        "shape_xyz": grid.shape_zyx[::-1],
        "spacing_xyz_mm": [round(s, 6) for s in grid.spacing_zyx_mm[::-1]],
        "origin_lps_mm": [round(x, 4) for x in grid.origin_lps_mm],
        "lowest_hu": LOWEST_HU,
        "step_hu": STEP_HU,
        "windows": [[name, w.low_hu, w.high_hu] for name, w in _WINDOWS],
        "slice_of_lps": [round(float(f), 9) for f in to_slice],
        "slice_count": source.shape_zyx[0],
        "instance_numbers": [s.instance_number for s in study.slices],
        "findings": [
            {
                "id": finding.nodule.id,
                "center_lps_mm": finding.nodule.center_lps_mm,
                "look_at_lps_mm": finding.nodule.key_point_lps_mm,
                "verdict": _verdict(decisions.get(finding.nodule.id)),
                "size": _axes(finding),
                "radius_mm": round(ring_radius_mm(finding.extent_mm), 2),
            }
            for finding in report.active
        ],
        "review": {
            "report_sha256": report.sha256,
            "input_sha256": report.provenance.input_sha256,
            "series_instance_uid": report.study.series.series_instance_uid,
            "next_added": report.next_added,
            "context": report.context.model_dump(mode="json"),
        },
    }


def _axes(finding: ReportedNodule) -> tuple[float, float] | None:
    measured = finding.nodule.measurement
    return None if measured is None else (measured.long_axis_mm, measured.short_axis_mm)


def _verdict(decision: Decision | None) -> str | None:
    return None if decision is None else decision.verdict


def _packed(array: NDArray[np.uint8]) -> str:
    content = gzipped(slice_yx.tobytes() for slice_yx in array)
    return base64.b64encode(content).decode("ascii")
