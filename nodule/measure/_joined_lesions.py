"""Which grown masks are one lesion, and what that lesion's mask is.

Decisions
---------
* **One lesion seen twice**: of two masks that share half of the smaller one, only that of the more
  probable candidate counts. Both were grown from one body, and the more probable place lay better.
* **Parts of one lesion**: masks that count and share any voxel are one lesion, whose mask holds
  all of their voxels. So no voxel belongs to two lesions.
* **A candidate without a mask** belongs to the lesion in which its centre lies.
* **What a lesion is called** follows from its parts: dense parts together are solid; dense and
  ground-glass ones together are part-solid, with all that is dense as the core.
* **The assessment** is that of the most probable candidate as a whole, so that one place explains
  it. Of equals, the detector's score decides, then the place: the order in which candidates come
  never matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.findings import Candidate, ScoredCandidate
from nodule.geometry import Geometry
from nodule.masks import Mask, NoduleMask, Texture

Grown = tuple[ScoredCandidate, NoduleMask | None]

_SAME_NODULE_SHARE = 0.5  # of the smaller mask
_DENSE: tuple[Texture | None, ...] = ("solid", "calcified")


@dataclass(frozen=True, kw_only=True)
class JoinedLesion:
    """One lesion.

    Parameters
    ----------
    lead : the most probable of its candidates, whose assessment is the lesion's.
    mask : None where none was grown.
    grown_from : the most probable candidate with a mask, from which that was grown.
    """

    lead: ScoredCandidate
    mask: NoduleMask | None
    grown_from: Candidate | None


def join_lesions(grown: Iterable[Grown], *, grid: Geometry) -> tuple[JoinedLesion, ...]:
    """Join what is one lesion; masks of different lesions share no voxel.

    Parameters
    ----------
    grown : candidates with their masks, in any order.
    grid : of the volume in which the masks were grown.

    Returns
    -------
    Lesions by falling probability.
    """
    ordered = sorted(grown, key=_rank)
    counted: list[tuple[ScoredCandidate, NoduleMask]] = []
    for each, mask in ordered:
        if mask is not None and not any(_same(mask, other) for _, other in counted):
            counted.append((each, mask))
    lesions = [_united(parts, grid) for parts in _overlapping(counted)]
    bare = [each for each, mask in ordered if mask is None]
    return tuple(sorted(_with_bare(lesions, bare, grid), key=lambda each: _place(each.lead)))


def _rank(grown: Grown) -> tuple[float, ...]:
    return _place(grown[0])


def _place(each: ScoredCandidate) -> tuple[float, ...]:
    candidate = each.candidate
    return (
        *(-each.probability, -candidate.score, *candidate.center_lps_mm, candidate.diameter_mm),
        *each.malignancy.distribution,
    )


def _common(one: NoduleMask, other: NoduleMask) -> int:
    """Count the voxels that two masks of one grid share."""
    low = np.maximum(one.start_zyx, other.start_zyx)
    high = np.minimum(
        np.add(one.start_zyx, one.shape_zyx), np.add(other.start_zyx, other.shape_zyx)
    )
    if (high <= low).any():
        return 0
    parts = [
        each.array_zyx[tuple(slice(a, b) for a, b in zip(low - start, high - start, strict=True))]
        for each, start in ((one, np.asarray(one.start_zyx)), (other, np.asarray(other.start_zyx)))
    ]
    return int(np.count_nonzero(parts[0] & parts[1]))


def _same(one: NoduleMask, other: NoduleMask) -> bool:
    smaller = min(np.count_nonzero(one.array_zyx), np.count_nonzero(other.array_zyx))
    return bool(_common(one, other) >= _SAME_NODULE_SHARE * smaller)


def _overlapping(
    counted: Sequence[tuple[ScoredCandidate, NoduleMask]],
) -> list[list[tuple[ScoredCandidate, NoduleMask]]]:
    """Group masks that share voxels, each with any of its group; the order within is kept."""
    groups: list[list[tuple[ScoredCandidate, NoduleMask]]] = []
    for each in counted:
        joined, apart = [each], []
        for group in groups:
            if any(_common(each[1], mask) for _, mask in group):
                joined += group
            else:
                apart.append(group)
        groups = [*apart, sorted(joined, key=_rank)]
    return groups


def _united(parts: Sequence[tuple[ScoredCandidate, NoduleMask]], grid: Geometry) -> JoinedLesion:
    lead = parts[0][0]
    masks = [mask for _, mask in parts]
    mask = masks[0] if len(masks) == 1 else _union(masks, grid)
    return JoinedLesion(lead=lead, mask=mask, grown_from=lead.candidate)


def _union(masks: Sequence[NoduleMask], grid: Geometry) -> NoduleMask:
    low = np.min([each.start_zyx for each in masks], axis=0)
    high = np.max([np.add(each.start_zyx, each.shape_zyx) for each in masks], axis=0)
    textures = {each.texture for each in masks}
    whole, core = np.zeros(high - low, np.bool_), np.zeros(high - low, np.bool_)
    for each in masks:
        box = tuple(
            slice(a, a + n) for a, n in zip(each.start_zyx - low, each.shape_zyx, strict=True)
        )
        whole[box] |= each.array_zyx
        core[box] |= _dense_part(each)
    texture = _texture(textures)
    z, y, x = low.tolist()
    return NoduleMask.cropped(
        whole,
        start_zyx=(z, y, x),
        source=grid,
        texture=texture,
        core_zyx=core if texture == "part-solid" and core.any() else None,
    )


def _dense_part(mask: NoduleMask) -> Mask:
    if mask.texture in _DENSE:
        return mask.array_zyx
    return np.zeros_like(mask.array_zyx) if mask.core_zyx is None else mask.core_zyx


def _texture(textures: set[Texture | None]) -> Texture | None:
    if len(textures) == 1:
        return next(iter(textures))
    if None in textures:
        return None
    return "solid" if textures <= set(_DENSE) else "part-solid"


def _with_bare(
    lesions: list[JoinedLesion], bare: Iterable[ScoredCandidate], grid: Geometry
) -> list[JoinedLesion]:
    """Put candidates without a mask where they lie; those that lie alone are lesions too."""
    found = list(lesions)
    alone: dict[tuple[int, ...], JoinedLesion] = {}
    for each in bare:  # the most probable first
        voxel = _voxel(each, grid)
        number = next((n for n, lesion in enumerate(found) if _holds(lesion.mask, voxel)), None)
        if number is None:
            alone.setdefault(tuple(voxel), JoinedLesion(lead=each, mask=None, grown_from=None))
        else:
            lesion = found[number]
            lead = min(lesion.lead, each, key=_place)
            found[number] = JoinedLesion(lead=lead, mask=lesion.mask, grown_from=lesion.grown_from)
    return [*found, *alone.values()]


def _voxel(each: ScoredCandidate, grid: Geometry) -> NDArray[np.int64]:
    index = np.rint(grid.lps_to_index(each.candidate.center_lps_mm)).astype(np.int64)
    return np.clip(index, 0, np.asarray(grid.shape_zyx) - 1)


def _holds(mask: NoduleMask | None, voxel: NDArray[np.int64]) -> bool:
    if mask is None:
        return False
    place = voxel - mask.start_zyx
    inside = bool((place >= 0).all() and (place < mask.shape_zyx).all())
    return inside and bool(mask.array_zyx[tuple(place)])
