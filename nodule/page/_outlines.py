"""Where a nodule's mask crosses the plane of a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage import measure

from nodule.masks import NoduleMask
from nodule.page.figures import Picture, cut_plane

_HALF = 0.5  # of a voxel's share in the mask, where its outline is drawn


def outline_path(mask: NoduleMask, picture: Picture) -> str:
    """Return the outline of a mask as an SVG path in mm of a picture; empty where it misses it.

    Parameters
    ----------
    mask : on a part of the source grid; between voxels it is interpolated linearly.
    picture : square, as :func:`nodule.page.figures.plane_pictures` cuts it.
    """
    edge_mm = picture.size_mm[0]
    share = cut_plane(
        mask.array_zyx.astype(np.float32), mask.geometry, corner_lps_mm=picture.corner_lps_mm,
        plane=picture.plane, edge_mm=edge_mm, order=1, outside=0.0,
    )  # fmt: skip
    step_mm = edge_mm / len(share)
    lines = measure.find_contours(np.pad(share, 1), _HALF)  # type: ignore[no-untyped-call]
    return "".join(_path((line - 1.0 + 0.5) * step_mm) for line in lines)


def _path(rows_columns_mm: NDArray[np.float64]) -> str:
    kept = measure.approximate_polygon(rows_columns_mm, tolerance=0.05)  # type: ignore[no-untyped-call]
    return "M" + "L".join(f"{column:.2f} {row:.2f}" for row, column in kept) + "Z"
