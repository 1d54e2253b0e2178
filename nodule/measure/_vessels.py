"""A nodule's body without the vessels that run into it.

Kuhnigk et al. 2006 (IEEE TMI 25:417) cut vessels by an opening whose strength follows the
nodule's size. What is thin goes by such an opening, but a stub as long as the opening is wide
remains of it, and a vessel about as thick as the nodule remains whole. A stronger opening takes
both, and would round off a large nodule's lobes as well. So it is asked of bodies that are compact
and not large, and takes only what runs on: a vessel goes on, a lobe ends.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.measure._patch import Index, Mask, Patch, argmax, component

# chosen on folds 1 to 3 of the readers' nodules and on phantoms
_REACH, _REACH_MM = 1.6, 1.5  # how far from its inscribed sphere's centre a nodule may extend
_STRONGER = 0.75  # of the inscribed radius
_NOT_LARGE_MM = 4.0  # inscribed radius
_COMPACT = 1.5  # the size expected, at most, over the inscribed sphere's
_GOES_ON, _GOES_ON_MM = 1.5, 1.0  # from the inscribed sphere's centre, in its radii, and more
_PROUD_MM = 0.5  # beyond the stronger opening, where a vessel begins
_REGROWN = 1.5  # samples, by which what is cut grows back onto the nodule's surface


def without_vessels(
    body: Mask, patch: Patch, seed: Index, *, diameter_mm: float, fraction: float
) -> Mask:
    """Return where the nodule may lie: the body's thick part about the seed, grown back.

    Parameters
    ----------
    body : on the patch's grid, ``seed`` within or beside it.
    patch : its grid.
    diameter_mm : the nodule's likely size.
    fraction : of the inscribed radius; what is thinner is cut in any case.

    Returns
    -------
    Mask : reaching a sample beyond the body's surface, where nothing was cut.
    """
    depth_mm = _distance_mm(body, patch)
    near = patch.distance_mm(seed) <= max(2.0, 0.3 * diameter_mm)
    middle = argmax(np.where(near, depth_mm, 0.0))
    inscribed_mm = float(depth_mm[middle])
    thin_mm = fraction * inscribed_mm
    thick = component(depth_mm >= thin_mm, middle)
    away_mm = patch.distance_mm(middle)
    reached = thick & (away_mm <= _REACH * inscribed_mm + _REACH_MM)
    support = _within(reached, patch, thin_mm)
    if inscribed_mm > _NOT_LARGE_MM or diameter_mm > _COMPACT * 2 * inscribed_mm:
        return support
    strong_mm = _STRONGER * inscribed_mm
    beyond_mm = _distance_mm(~component(depth_mm >= strong_mm, middle), patch) - strong_mm
    vessels = _running_on(
        body & (beyond_mm > _PROUD_MM), away_mm, _GOES_ON * inscribed_mm + _GOES_ON_MM
    )
    if not vessels.any():
        return support
    regrown = _distance_mm(~vessels, patch) <= _REGROWN * patch.step_mm
    return support & ~(regrown & (beyond_mm > 0))


def _distance_mm(mask: Mask, patch: Patch) -> NDArray[np.float64]:
    """Return each sample's distance to what lies outside a mask, 0 there."""
    return cast("NDArray[np.float64]", ndimage.distance_transform_edt(mask) * patch.step_mm)


def _within(mask: Mask, patch: Patch, margin_mm: float) -> Mask:
    """Return a mask grown by a margin and one sample more."""
    return _distance_mm(~mask, patch) <= margin_mm + patch.step_mm


def _running_on(outer: Mask, away_mm: NDArray[np.float64], limit_mm: float) -> Mask:
    """Return the connected parts that reach further than a limit."""
    labels, count = ndimage.label(outer)
    farthest_mm = ndimage.maximum(away_mm, labels, index=np.arange(1, count + 1))
    return np.isin(labels, 1 + np.flatnonzero(np.asarray(farthest_mm) > limit_mm))
