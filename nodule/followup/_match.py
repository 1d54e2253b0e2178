"""Which finding of one study is which finding of the other.

Every pair may save as many millimetres as its distance falls short of its gate, and the
assignment saves the most in all. A pair at or beyond its gate saves nothing and is none. What a
pair's ban would cost, its *regret*, tells how sure it is: a close rival, or a distance near the
gate, makes it small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodule.errors import InputError
from nodule.findings import Finding
from nodule.followup._lung_map import LungMap
from nodule.sphere import sphere_diameter_mm

Array = NDArray[np.float64]

_TOLERANCE_MM = 3.0  # two readings of one centre, and what a smooth map leaves
_SURFACE_ERRORS = 2.0  # how many of the map's own errors a nodule may lie off
_AMBIGUOUS_BELOW_MM = 3.0


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One nodule in both studies.

    Parameters
    ----------
    current, prior : indices of the findings.
    distance_mm : between the current centre, mapped to the prior scan, and the prior one.
    gate_mm : from which on they would not be taken for one.
    regret_mm : what the whole assignment loses without this pair.
    """

    current: int
    prior: int
    distance_mm: float
    gate_mm: float
    regret_mm: float

    @property
    def ambiguous(self) -> bool:
        """Whether another assignment is nearly as good."""
        return self.regret_mm < _AMBIGUOUS_BELOW_MM


@dataclass(frozen=True, kw_only=True)
class Matching:
    """The findings of both studies, matched or alone.

    Parameters
    ----------
    pairs : in the order of the current findings.
    new, resolved : indices of current and of prior findings without a partner.
    ambiguous_new, ambiguous_resolved : those of them that might stand in an ambiguous pair.
    """

    pairs: tuple[Pair, ...]
    new: tuple[int, ...]
    resolved: tuple[int, ...]
    ambiguous_new: frozenset[int] = frozenset()
    ambiguous_resolved: frozenset[int] = frozenset()


def match_findings(
    current: Sequence[Finding], prior: Sequence[Finding], *, lung_map: LungMap
) -> Matching:
    """Match findings of two studies of one patient.

    The gate of a pair is 3 mm, twice the map's surface error, and the mean of both radii: large
    nodules have uncertain centres, and a poor registration more so.

    Parameters
    ----------
    current, prior : in any order.
    lung_map : from the current scan to the prior one.
    """
    shape = (len(current), len(prior))
    here = lung_map.to_prior(np.reshape([f.nodule.center_lps_mm for f in current], (-1, 3)))
    there = np.reshape([f.nodule.center_lps_mm for f in prior], (-1, 3)).astype(float)
    distance_mm = np.linalg.norm(here[:, None] - there[None], axis=-1).reshape(shape)
    radii = [np.array([_radius_mm(f) for f in findings]) for findings in (current, prior)]
    tolerance_mm = _TOLERANCE_MM + _SURFACE_ERRORS * lung_map.surface_error_mm
    gate_mm = tolerance_mm + (radii[0][:, None] + radii[1][None]) / 2
    return assign(distance_mm, gate_mm=gate_mm.reshape(shape))


def assign(distance_mm: ArrayLike, *, gate_mm: ArrayLike) -> Matching:
    """Pair rows (current) and columns (prior) so that most millimetres within gates are saved.

    Parameters
    ----------
    distance_mm : shape (current, prior).
    gate_mm : the same shape; at or beyond it there is no pair.

    Raises
    ------
    InputError : ``SHAPE_MISMATCH``.
    """
    distance, gate = np.asarray(distance_mm, float), np.asarray(gate_mm, float)
    if distance.ndim != 2 or distance.shape != gate.shape:
        raise InputError(
            "distances and gates do not belong together",
            code="SHAPE_MISMATCH",
            expected="two tables of one shape",
            got=(distance.shape, gate.shape),
        )
    saving = np.maximum(gate - distance, 0.0)
    best = _solve(saving)
    others = {pair: _solve(_without(saving, pair)) for pair in best.items()}
    total = _total(saving, best)
    pairs = tuple(
        Pair(
            current=row,
            prior=column,
            distance_mm=float(distance[row, column]),
            gate_mm=float(gate[row, column]),
            regret_mm=total - _total(saving, other),
        )
        for (row, column), other in others.items()
    )
    close = [others[pair.current, pair.prior] for pair in pairs if pair.ambiguous]
    new = set(range(distance.shape[0])) - set(best)
    resolved = set(range(distance.shape[1])) - set(best.values())
    return Matching(
        pairs=pairs,
        new=tuple(sorted(new)),
        resolved=tuple(sorted(resolved)),
        ambiguous_new=frozenset(new.intersection(chain(*close))),
        ambiguous_resolved=frozenset(resolved.intersection(chain(*(o.values() for o in close)))),
    )


def _without(saving_mm: Array, pair: tuple[int, int]) -> Array:
    left = saving_mm.copy()
    left[pair] = 0.0
    return left


def _solve(saving_mm: Array) -> Mapping[int, int]:
    from scipy.optimize import linear_sum_assignment  # which most runs do without

    rows, columns = linear_sum_assignment(saving_mm, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if saving_mm[r, c] > 0}


def _total(saving_mm: Array, assignment: Mapping[int, int]) -> float:
    return float(sum(saving_mm[row, column] for row, column in assignment.items()))


def _radius_mm(finding: Finding) -> float:
    mask = finding.mask
    return 0.0 if mask is None else sphere_diameter_mm(mask.volume_mm3) / 2
