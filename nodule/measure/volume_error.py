"""How far a volume may be off, and where none can be stated.

Three errors, each as the standard deviation of the volume's logarithm:

* ``o = 0.30`` is the outline: what belongs to a nodule is a matter of opinion. Chosen so that 95 %
  of the readers' consensus volumes of folds 1 to 3 (423 measurable nodules of LIDC-IDRI) lie
  within. It showed no trend with size or slice.
* ``r = 6 x 0.093 mm / d`` is repeatability: a surface off by a fixed length weighs on small
  nodules. The length makes the difference of two scans of a nodule of 98 mm³ lie within 27 %, as
  Marchianò et al. 2009 found in screening (Radiology 251:919).
* ``s = 0.5 (t / d)²`` is the slices' part, with their thickness ``t``: measured on synthetic balls
  of 5 to 12 mm scanned in slices of 1.25 to 5 mm at random offsets.

All three bear on what the volume is, so that the limits are ``V exp(-h)`` and ``V exp(h)`` with
``h = 1.96 sqrt(o² + r² + s²)``. A second measurement by the same method draws the same outline, so
that two scans are compared with ``r`` and ``s`` alone.

No volume is stated of a nodule thinner than two slices, whose synthetic copies came out a quarter
too large (Nietert et al. 2009, Chest 135:1580, warn of the same), nor of one that the end of the
scan may have cut.
"""

from __future__ import annotations

import math

from nodule.sphere import sphere_diameter_mm

_OUTLINE = 0.30
_SURFACE_MM = 0.093  # 0.27 / (1.96 sqrt(2)) * 5.7 mm / 6
_SLICES = 0.5
_LEAST_SLICES = 2.0
_NORMAL_95 = 1.96


def volume_ci95_mm3(
    volume_mm3: float, *, slice_mm: float, cut_off: bool = False
) -> tuple[float, float] | None:
    """Return limits that hold the volume in 95 of 100 nodules.

    Parameters
    ----------
    volume_mm3 : as measured, above 0.
    slice_mm : thickness of the slices or the way from one to the next, whichever is more.
    cut_off : whether the mask reaches the end of the scan.

    Returns
    -------
    The limits, or None where no volume can be stated.
    """
    if cut_off or sphere_diameter_mm(volume_mm3) < _LEAST_SLICES * slice_mm:
        return None
    factor = math.exp(_NORMAL_95 * math.hypot(_OUTLINE, *_repeated(volume_mm3, slice_mm)))
    return volume_mm3 / factor, volume_mm3 * factor


def volume_error_share(volume_mm3: float, *, slice_mm: float) -> float:
    """Return how far a second measurement by the same method may be off, as a share, at most 1.

    It is the upper half width ``exp(h) - 1`` of the 95 % interval, so that
    :mod:`nodule.guidelines.growth`, which works in logarithms, gets ``h`` back.

    Parameters
    ----------
    volume_mm3, slice_mm : as :func:`volume_ci95_mm3` takes them.
    """
    return min(1.0, math.expm1(_NORMAL_95 * math.hypot(*_repeated(volume_mm3, slice_mm))))


def _repeated(volume_mm3: float, slice_mm: float) -> tuple[float, float]:
    diameter_mm = sphere_diameter_mm(volume_mm3)
    return 6.0 * _SURFACE_MM / diameter_mm, _SLICES * (slice_mm / diameter_mm) ** 2
