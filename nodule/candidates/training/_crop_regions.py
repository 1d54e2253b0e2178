"""What training draws on: nodules to insert and lung regions to insert them into.

Both are cut from a crop set and from whole scans, and kept as int16 HU on their source grids, so
that a training patch is interpolated once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nodule.geometry import Vector, as_vector
from nodule.hu import NETWORK_WINDOW
from nodule.lidc import CERTAIN_READERS
from nodule.sphere import sphere_diameter_mm
from nodule.training import (
    CropSet,
    Lesion,
    PackedCrop,
    Region,
    ShapeDistance,
    decode_hu,
    distinct,
    index_mm,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from nodule.training import NoduleRecord


_CONSENSUS = 0.5
_IGNORED_MARGIN_MM = 4.0
_FAINT_BELOW = 4.0  # mean rating of texture: not solid


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleSource:
    """A nodule that may be inserted elsewhere.

    Parameters
    ----------
    array_hu : int16 [z, y, x].
    spacing_zyx_mm : voxel spacing.
    distance : from the nodule.
    lesion : centroid of the mask and the diameter of the sphere with its volume.
    faint : whether readers called it ground-glass or part-solid.
    """

    array_hu: NDArray[np.int16]
    spacing_zyx_mm: Vector
    distance: ShapeDistance
    lesion: Lesion
    faint: bool = False


def nodule_sources(crops: CropSet, *, folds: Sequence[int]) -> tuple[NoduleSource, ...]:
    """Return the certain nodules of the given folds, exact HU before calibrated ones."""
    wanted = [
        record
        for record in distinct(crops.records, prefer=("voi", "stack"))
        if record.fold in folds and record.n_readers >= CERTAIN_READERS
    ]
    sources = (_nodule_source(packed) for packed in crops.pack_all(_by_file(wanted)))
    return tuple(source for source in sources if source is not None)


def cube_regions(crops: CropSet, *, folds: Sequence[int]) -> tuple[Region, ...]:
    """Return the cubes with whole context as regions; their nodule is certain or ignored."""
    readers = {r.voi_file: r.n_readers for r in crops.records if r.kind == "voi"}
    regions = []
    for packed in crops.pack_all(
        [r for r in crops.records if r.kind == "crop51" and r.fold in folds]
    ):
        agreed = readers.get(packed.record.voi_file, 0) if packed.record.voi_file else 0
        lesion = _lesion(packed)
        if lesion is not None:
            regions.append(_region(packed, lesion, certain=agreed >= CERTAIN_READERS, near=()))
    return tuple(regions)


def slab_regions(crops: CropSet, *, folds: Sequence[int]) -> tuple[Region, ...]:
    """Return the stacks as regions, with all nodules that reach into them.

    A stack whose place in the patient is unknown is left out where its series has others.
    """
    stacks = [r for r in crops.records if r.kind == "stack" and r.fold in folds]
    by_series: dict[tuple[str, str], list[NoduleRecord]] = {}
    for record in stacks:
        by_series.setdefault(_series(record), []).append(record)
    regions = []
    for packed in crops.pack_all(stacks):
        others = [r for r in by_series[_series(packed.record)] if r is not packed.record]
        placed = all(r.frame_known for r in (packed.record, *others))
        lesion = _lesion(packed)
        if lesion is None or (others and not placed):
            continue
        certain = packed.record.n_readers >= CERTAIN_READERS
        regions.append(_region(packed, lesion, certain=certain, near=others))
    return tuple(regions)


def rejected_regions(crops: CropSet, *, folds: Sequence[int]) -> tuple[Region, ...]:
    """Return the places that readers took for no nodule as regions, with all nodules near them."""
    stacks = [r for r in crops.records if r.kind == "stack" and r.frame_known]
    regions = []
    for packed in crops.pack_all([r for r in crops.negatives if r.fold in folds]):
        near = [r for r in stacks if _series(r) == _series(packed.record)]
        focus_mm = _placed(packed, packed.record).center_mm
        regions.append(_about(packed, focus_mm, _others(packed, near)))
    return tuple(regions)


def _series(record: NoduleRecord) -> tuple[str, str]:
    """Return what has one frame: studies of one patient have several."""
    return record.patient_id, record.series_uid


def _by_file(records: Iterable[NoduleRecord]) -> list[NoduleRecord]:
    return sorted(records, key=lambda record: (record.kind, record.file))


def _stored_hu(packed: PackedCrop) -> NDArray[np.int16]:
    return NETWORK_WINDOW.clip(decode_hu(packed.stored)).astype(np.int16)


def _consensus(packed: PackedCrop) -> NDArray[np.bool_]:
    return packed.unpack().consensus(_CONSENSUS)


def _lesion(packed: PackedCrop) -> Lesion | None:
    inside = np.argwhere(_consensus(packed))
    if not len(inside):
        return None
    spacing = np.asarray(packed.geometry.spacing_zyx_mm)
    volume_mm3 = len(inside) * packed.geometry.voxel_volume_mm3
    return Lesion(
        center_mm=as_vector(inside.mean(axis=0) * spacing),
        diameter_mm=sphere_diameter_mm(volume_mm3),
    )


def _nodule_source(packed: PackedCrop) -> NoduleSource | None:
    lesion = _lesion(packed)
    if lesion is None:
        return None
    texture = packed.record.ratings.get("texture", ())
    return NoduleSource(
        array_hu=_stored_hu(packed),
        spacing_zyx_mm=packed.geometry.spacing_zyx_mm,
        distance=ShapeDistance.of(_consensus(packed), packed.geometry.spacing_zyx_mm),
        lesion=lesion,
        faint=bool(texture) and sum(texture) / len(texture) < _FAINT_BELOW,
    )


def _region(
    packed: PackedCrop, lesion: Lesion, *, certain: bool, near: Sequence[NoduleRecord]
) -> Region:
    return _about(packed, lesion.center_mm, [(lesion, certain), *_others(packed, near)])


def _others(packed: PackedCrop, near: Sequence[NoduleRecord]) -> list[tuple[Lesion, bool]]:
    return [(_placed(packed, each), each.n_readers >= CERTAIN_READERS) for each in near]


def _about(packed: PackedCrop, focus_mm: Vector, nodules: Sequence[tuple[Lesion, bool]]) -> Region:
    """Return a crop as a region; of each nodule is said whether it is certain."""
    return Region(
        array_hu=_stored_hu(packed),
        spacing_zyx_mm=packed.geometry.spacing_zyx_mm,
        focus_mm=np.array([focus_mm]),
        lesions=tuple(lesion for lesion, certain in nodules if certain),
        ignored=tuple(_with_margin(lesion) for lesion, certain in nodules if not certain),
    )


def _placed(packed: PackedCrop, record: NoduleRecord) -> Lesion:
    assert record.center_lps_mm is not None
    return Lesion(
        center_mm=as_vector(index_mm(packed.geometry, record.center_lps_mm)),
        diameter_mm=record.diameter_mm,
    )


def _with_margin(lesion: Lesion) -> Lesion:
    return Lesion(
        center_mm=lesion.center_mm, diameter_mm=lesion.diameter_mm + 2 * _IGNORED_MARGIN_MM
    )
