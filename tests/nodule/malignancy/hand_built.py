"""A network whose answers are known by hand, and places in an oblique scan to show it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from nodule.geometry import Geometry, as_matrix, as_vector
from nodule.hu import AIR_HU
from nodule.malignancy._grad_cam import ReceptiveField
from nodule.volume import Volume

CUBE = 32
CENTER_LPS_MM = (-31.0, 12.5, 204.25)
# columns are the LPS unit vectors of the index axes z, y, x; no axis is near its own
DIRECTION = Rotation.from_euler("xyz", [35, -20, 130], degrees=True).as_matrix()[:, ::-1]
OBLIQUE = Geometry(
    shape_zyx=(60, 80, 70),
    spacing_zyx_mm=(1.5, 0.8, 0.9),
    origin_lps_mm=as_vector(CENTER_LPS_MM - DIRECTION @ (1.5 * 29, 0.8 * 40, 0.9 * 34)),
    direction=as_matrix(DIRECTION),
)


def place_of(index_zyx: tuple[float, ...]) -> np.ndarray:
    """Return where a voxel of a 1 mm cube round the centre lies, LPS mm."""
    return np.asarray(CENTER_LPS_MM) + DIRECTION @ (np.asarray(index_zyx) - (CUBE - 1) / 2)


def with_balls(*indices_zyx: tuple[int, int, int], radius_mm: float = 3.0) -> ReceptiveField:
    """Return air with a bright ball at each place of the cube."""
    where = OBLIQUE.index_to_lps(np.moveaxis(np.indices(OBLIQUE.shape_zyx), 0, -1))
    hu = np.full(OBLIQUE.shape_zyx, AIR_HU, np.float32)
    for index in indices_zyx:
        hu[np.linalg.norm(where - place_of(index), axis=-1) < radius_mm] = 400.0
    return ReceptiveField(
        volume=Volume(array_zyx=hu, geometry=OBLIQUE), center_lps_mm=CENTER_LPS_MM
    )


class LooksAt(nn.Module):
    """Answers with the brightness of one place of its cube, and of nothing else.

    Its only layer averages blocks of ``block`` voxels along an edge.
    """

    def __init__(self, index_zyx: tuple[int, int, int], *, weight: float = 1.0, block: int = 1):
        super().__init__()
        self.magnifications_mm = (1.0,)
        self.cube = CUBE
        self.explained_layer = "0"
        self.backbone = nn.Sequential(nn.Conv3d(1, 1, block, stride=block, bias=False))
        nn.init.constant_(self.backbone[0].weight, weight / block**3)
        self.place = tuple(i // block for i in index_zyx)

    def forward(self, cubes: Tensor) -> SimpleNamespace:
        z, y, x = self.place
        ratings = {"malignancy": torch.zeros(len(cubes), 5)}
        return SimpleNamespace(nodule=self.backbone(cubes)[:, 0, z, y, x], ratings=ratings)
