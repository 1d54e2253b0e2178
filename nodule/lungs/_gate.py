"""What is lung of all that the network calls lung: a piece of air is judged as a whole.

Walls of tissue part lungs from foam and from gas in the bowel, on the fine grid at least, where
the network's coarse answer may join them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.hu import HuArray
from nodule.lungs._body import within_body
from nodule.lungs._coarse import COARSENING, SLAB, Shares, coarsen
from nodule.lungs._distance import distance_to
from nodule.lungs._shape import DARK_SHARE, HALF, refine

_PER_ML = 1000  # fine voxels
_AIR_BELOW_HU = -500.0
_GAS_BELOW_HU = -960.0  # darker than all but emphysema
_LEAST_PIECE_ML = 0.5
_NEAR = 2  # coarse voxels around a part that may belong to it
_LEAST_INSIDE = 0.25  # lungs 0.95 and more, foam up to 0.13 on the scans at hand
# shares and gas of lungs, healthy and made ill: 0.87 to 0.99, 0 to 0.44; of foam, bowel and skulls:
# 0.34 to 0.74, and where gas is more than 0.25, up to 0.87
_LEAST_SHARE = 0.75
_MOST_GAS = 0.2
_SURE_SHARE = 0.9
_NO_TISSUE = 0.8  # gas beyond the worst emphysema: no lung, however sure the network


@dataclass(frozen=True, kw_only=True)
class AirPiece:
    """Air that tissue separates from all other air that the network calls lung.

    Parameters
    ----------
    volume_ml : of its air.
    share : the network's mean share of lung, 0 to 1.
    gas : share of it darker than lung is, 0 to 1.
    """

    volume_ml: float
    share: float
    gas: float

    @property
    def is_lung(self) -> bool:
        """Whether it looks like lung.

        Bowel and stomach hold gas, of which the network is not sure; an emphysematous lung or
        one beside a pneumothorax may hold as much, but the network has no doubt of it.
        """
        if self.gas >= _NO_TISSUE:
            return False
        return self.share >= (_LEAST_SHARE if self.gas < _MOST_GAS else _SURE_SHARE)


def inside_body(shares: Shares, coarse_hu: NDArray[np.float32]) -> tuple[Shares, float]:
    """Leave out the parts that lie outside the body for the most part, as the foam of a table.

    What reaches the image's sides: the chest wall may lie beyond them.

    Parameters
    ----------
    shares : float32 [2, z, y, x], right and left.
    coarse_hu : HU on the same grid.

    Returns
    -------
    The shares, 0 beyond the immediate surroundings of what is inside, and the volume in ml of
    what is outside.
    """
    lung = shares.sum(0) > HALF
    labels, count = ndimage.label(lung)
    inside = np.array(ndimage.mean(within_body(coarse_hu, lung), labels, range(count + 1)))
    rim = np.ones_like(lung)
    rim[:, 1:-1, 1:-1] = False
    inside[np.unique(labels[rim])] = 1.0
    kept = (inside >= _LEAST_INSIDE)[labels] & lung
    near = ndimage.binary_dilation(kept, iterations=_NEAR) & ~(lung & ~kept)
    outside_ml = float((lung & ~kept).sum()) * COARSENING**3 / _PER_ML
    return shares * near, outside_ml


def lung_pieces(
    shares: Shares, array_zyx: HuArray, *, least_part: float
) -> tuple[Shares, NDArray[np.bool_], tuple[AirPiece, ...]]:
    """Leave out what is gas of the bowel or otherwise no lung.

    Parameters
    ----------
    shares : float32 [2, z, y, x], right and left, on the coarse grid.
    array_zyx : HU on the fine grid.
    least_part : share of the largest lung piece below which a piece is not a main one.

    Returns
    -------
    The shares, 0 where a piece is no lung, and in the tissue nearer to such a piece than to a
    lung; the coarse voxels of the main pieces; and all pieces of at least half a millilitre,
    largest first.
    """
    main = np.zeros(shares.shape[1:], np.bool_)
    box = ndimage.find_objects((shares.sum(0) > DARK_SHARE).astype(np.uint8))
    if not box:
        return shares, main, ()
    near, coarse = shares[(slice(None), *box[0])], box[0]
    fine = tuple(slice(each.start * COARSENING, each.stop * COARSENING) for each in coarse)
    hu = array_zyx[fine]
    labels, count = ndimage.label((refine(near, hu) > 0) & (hu < _AIR_BELOW_HU))
    pieces = _measure(labels, count, near, hu)
    least_ml = least_part * max((e.volume_ml for e in pieces.values() if e.is_lung), default=0.0)
    verdict = np.zeros((2, count + 1), np.float32)  # lung or not; main or not
    for number, piece in pieces.items():
        verdict[0, number] = 1.0 if piece.is_lung else -1.0
        verdict[1, number] = piece.is_lung and piece.volume_ml >= least_ml
    balance = _coarse_mean(verdict[0], labels)
    main[coarse] = _coarse_mean(verdict[1], labels) > 0
    kept = shares.copy()
    kept[(slice(None), *coarse)] *= ~_beside_others(balance)
    return kept, main, tuple(sorted(pieces.values(), key=lambda each: -each.volume_ml))


def _beside_others(balance: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell what is nearer to what is no lung than to lung."""
    others, lungs = balance < 0, balance > 0
    if not others.any():
        return others
    if not lungs.any():
        return ~lungs
    return ~lungs & (distance_to(others) < distance_to(lungs))


def _coarse_mean(by_label: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the mean over each coarse voxel of what is looked up by label."""
    slabs = (labels[z : z + SLAB] for z in range(0, len(labels), SLAB))
    return np.concatenate([coarsen(by_label[slab]) for slab in slabs])


def _measure(
    labels: NDArray[np.int32], count: int, shares: Shares, hu: HuArray
) -> dict[int, AirPiece]:
    sizes = np.zeros(count + 1, np.int64)
    share, gas = np.zeros((2, count + 1))
    rows, columns = (np.arange(n) // COARSENING for n in labels.shape[1:])
    lung = shares.sum(0)
    for z, slice_yx in enumerate(labels):
        place = np.nonzero(slice_yx)
        number = slice_yx[place]
        near = lung[z // COARSENING][rows[place[0]], columns[place[1]]]
        sizes += np.bincount(number, minlength=count + 1)
        share += np.bincount(number, weights=near, minlength=count + 1)
        gas += np.bincount(number, weights=hu[z][place] < _GAS_BELOW_HU, minlength=count + 1)
    return {
        int(n): AirPiece(
            volume_ml=float(sizes[n]) / _PER_ML,
            share=float(share[n] / sizes[n]),
            gas=float(gas[n] / sizes[n]),
        )
        for n in np.flatnonzero(sizes >= _LEAST_PIECE_ML * _PER_ML)
    }
