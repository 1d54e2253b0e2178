"""How well a volume is known, from the size of a nodule and of the voxels."""

from __future__ import annotations

from nodule.sphere import sphere_diameter_mm
from nodule.study import Study

_EDGE_SHARE = 0.25  # of a voxel's edge: how far the whole surface may be off


def volume_error_share(volume_mm3: float, *, study: Study) -> float:
    """Half width of a volume's 95 % interval, as a share of it.

    A surface that lies off by e on a sphere of diameter d changes its volume by about 6 e / d.
    With e a quarter of the mean voxel edge, two volumes of an 8 mm nodule at 0.8 x 0.8 x 1.25 mm
    differ by up to 25.5 %, which is how well automated volumetry repeats itself (Marchianò et al.
    2009, Radiology 251:919). Thick slices count by their thickness where they overlap.

    Raises
    ------
    InputError : ``BAD_SIZE``.
    """
    dz, dy, dx = study.volume.geometry.spacing_zyx_mm
    depth = max(dz, study.series.slice_thickness_mm or 0.0)
    edge_mm: float = (depth * dy * dx) ** (1 / 3)
    return 6.0 * _EDGE_SHARE * edge_mm / sphere_diameter_mm(volume_mm3)
