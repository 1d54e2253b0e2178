"""Places that a sample may be about: a nodule, lung beside it, and what is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nodule.geometry import Vector, as_vector
from nodule.malignancy.training._backgrounds import Background, BackgroundKind
from nodule.malignancy.training._nodule_examples import NoduleCropView, NoduleExample
from nodule.training import Outline, Piece

DEEP_MM = 14.0
"""A view this deep shows enough above and below to tell a nodule from a vessel."""

_RIM_MM = (2.0, 6.0)  # of its own lung that an inserted nodule brings
_AWAY_MM = 8.0  # from any reader's outline to the centre of a negative
_BORDER_MM = 9.0
_STRUCTURE_ABOVE_HU = -600.0
_EMPTY_BELOW_HU = -750.0
_FAR_MM = 60.0  # beyond the corner of any cube


def nodule_piece(rng: Generator, view: NoduleCropView) -> Piece:
    """Return a nodule with 2 to 6 mm of its surroundings."""
    outline = Outline(
        distance=view.distance, center_zyx=view.center_zyx, rim_mm=rng.uniform(*_RIM_MM)
    )
    return replace(view.piece, outline=outline)


def empty_lung(rng: Generator, example: NoduleExample) -> Piece:
    """Return aerated lung beside a nodule, at its height and in its outline."""
    view = example.views[0]
    calm = (view.distance.array_mm > _AWAY_MM) & (view.hu < _EMPTY_BELOW_HU)
    # at another height or on the border the outline would be cut off elsewhere
    height = round(view.center_zyx[0])
    calm[np.arange(len(calm)) != height] = False
    border = round(_BORDER_MM / view.spacing_zyx_mm[1])
    inner = np.zeros_like(calm)
    inner[:, border:-border, border:-border] = True
    return replace(nodule_piece(rng, view), center_zyx=_any(rng, calm & inner, view))


def elsewhere(rng: Generator, deep: Sequence[NoduleCropView]) -> Piece:
    """Return a deep view, looked at where something dense is that no reader marked."""
    view = deep[int(rng.integers(len(deep)))]
    dense = (view.distance.array_mm > _AWAY_MM) & (view.hu > _STRUCTURE_ABOVE_HU)
    # the outermost slices would show half of what they hold
    margin = int(DEEP_MM / 3 / view.spacing_zyx_mm[0])
    dense[:margin] = False
    dense[len(dense) - margin :] = False
    return replace(view.piece, center_zyx=_any(rng, dense, view))


def _any(rng: Generator, where: NDArray[np.bool_], view: NoduleCropView) -> Vector:
    index = np.flatnonzero(where)
    if not len(index):
        index = np.array([int(view.distance.stored.argmax())])
    return as_vector(np.unravel_index(index[rng.integers(len(index))], where.shape))


def scan_place(
    rng: Generator,
    backgrounds: Sequence[Background],
    kind: BackgroundKind,
    *,
    half_mm: Sequence[float] = (_FAR_MM, _FAR_MM, _FAR_MM),
) -> Piece:
    """Return a place in one of the scans that have such, with ``half_mm`` zyx to each side."""
    able = [each for each in backgrounds if kind in each.places]
    scan = able[int(rng.integers(len(able)))]
    places = scan.places[kind]
    hu, center = scan.block(places[rng.integers(len(places))], half_mm=half_mm)
    return Piece(hu=hu, spacing_zyx_mm=scan.spacing_zyx_mm, center_zyx=center)
