"""The crop set as training examples: one per nodule, with every view of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.geometry import Vector, as_vector
from nodule.malignancy._answers import LEVELS
from nodule.training import (
    CropSet,
    NoduleRecord,
    PackedCrop,
    Piece,
    ShapeDistance,
    decode_hu,
    distinct,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleCropView:
    """One image of a nodule and its surroundings.

    Parameters
    ----------
    packed : image and masks as stored.
    center_zyx : index of the centre of what the readers marked, or took for no nodule.
    """

    packed: PackedCrop
    center_zyx: Vector

    @property
    def hu(self) -> NDArray[np.float32]:
        """The image, HU [z, y, x]."""
        return decode_hu(self.packed.stored)

    @functools.cached_property
    def distance(self) -> ShapeDistance:
        """Distance of each voxel from the nearest that any reader marked."""
        return ShapeDistance.of(self.packed.reader_bits > 0, self.spacing_zyx_mm)

    @property
    def piece(self) -> Piece:
        """All that the view shows, about its nodule's centre."""
        return Piece(hu=self.hu, spacing_zyx_mm=self.spacing_zyx_mm, center_zyx=self.center_zyx)

    @property
    def spacing_zyx_mm(self) -> Vector:
        """Voxel spacing."""
        return self.packed.geometry.spacing_zyx_mm

    @property
    def depth_mm(self) -> float:
        """How much of the body's length the view shows."""
        return self.packed.geometry.shape_zyx[0] * self.spacing_zyx_mm[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleExample:
    """A nodule, what its readers said, and its views.

    Parameters
    ----------
    record : the row that brings the most readers.
    votes : per characteristic, how many readers gave each rating from 1 up; zeros where unrated.
    views : at least one.
    """

    record: NoduleRecord
    votes: Mapping[str, tuple[int, ...]]
    views: tuple[NoduleCropView, ...]

    @property
    def reader_share(self) -> float:
        """Share of the four LIDC readers who marked it as a nodule."""
        return min(self.record.n_readers, 4) / 4


def count_votes(record: NoduleRecord) -> dict[str, tuple[int, ...]]:
    """Return how many readers gave each rating, per characteristic."""
    return {
        name: tuple(record.ratings.get(name, ()).count(rating) for rating in range(1, levels + 1))
        for name, levels in LEVELS.items()
    }


def load_examples(
    crops: CropSet, *, keep: Callable[[NoduleRecord], bool]
) -> tuple[NoduleExample, ...]:
    """Read the nodules of a crop set that ``keep`` lets through, each once.

    Records that link to one nodule become its views; the votes are those of the record with
    every reader's own ratings where there is one. A ``crop51`` without a link to another record
    of its patient may be any of that patient's nodules and is left out, and so is a view in which
    nobody outlined anything, such as those of LUNA16's sets: it does not tell where to look.
    """
    kept = [record for record in crops.records if keep(record)]
    chosen = {record.nodule_key: record for record in distinct(kept)}
    wanted = [record for record in kept if record.nodule_key in chosen]
    views: dict[str, list[NoduleCropView]] = {key: [] for key in chosen}
    for packed in crops.pack_all(wanted):
        if packed.reader_bits.any():
            views[packed.record.nodule_key].append(_view(packed))
    return tuple(
        NoduleExample(record=record, votes=count_votes(record), views=tuple(views[key]))
        for key, record in chosen.items()
        if views[key]
    )


def _view(packed: PackedCrop) -> NoduleCropView:
    marked = packed.reader_bits
    inside = np.argwhere(majority(marked))
    return NoduleCropView(packed=packed, center_zyx=as_vector(inside.mean(axis=0)))


def load_rejected(
    crops: CropSet, *, keep: Callable[[NoduleRecord], bool]
) -> tuple[NoduleCropView, ...]:
    """Read the places of a crop set, let through by ``keep``, that readers took for no nodule."""
    views = []
    for packed in crops.pack_all([record for record in crops.negatives if keep(record)]):
        assert packed.record.center_lps_mm is not None
        center = packed.geometry.lps_to_index(packed.record.center_lps_mm)
        views.append(NoduleCropView(packed=packed, center_zyx=as_vector(center)))
    return tuple(views)


def majority(reader_bits: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return what at least half of the readers marked, or any reader if that is nothing."""
    counts = np.bitwise_count(reader_bits)
    readers = int(np.bitwise_or.reduce(reader_bits, axis=None)).bit_count()
    half = counts * 2 >= max(readers, 1)
    agreed: NDArray[np.bool_] = half & (counts > 0)
    return agreed if agreed.any() else counts > 0


def patients(examples: Iterable[NoduleExample]) -> tuple[str, ...]:
    """Return every patient once, sorted."""
    return tuple(sorted({example.record.patient_id for example in examples}))


def views_deeper_than(
    examples: Sequence[NoduleExample], depth_mm: float
) -> tuple[NoduleCropView, ...]:
    """Return the views that show at least so much of the body's length."""
    return tuple(v for e in examples for v in e.views if v.depth_mm >= depth_mm)
