"""From a spec to a phantom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.geometry import Geometry
from nodule.phantom import nodule_bodies, scanner, shapes
from nodule.phantom.anatomy import (
    HILA_LPS_MM,
    MAIN_BRONCHI,
    TRACHEA,
    VEIN_ROOTS_LPS_MM,
    Chest,
    lobe_of,
    make_chest,
    smooth_path,
)
from nodule.phantom.fields import STEP_MM, Array, Fields, Grid, PlaneReader
from nodule.phantom.patches import add_patches
from nodule.phantom.spec import Phantom, PhantomNodule, PhantomSpec
from nodule.phantom.tissue import Painter
from nodule.phantom.tree import Segments, companions, draw_tubes, grow
from nodule.volume import LungMask, Volume

AIRWAY_WALL_HU, LUMEN_HU = 20.0, -985.0
_SUBPLANE_MM = 1.3  # at most, for averaging over the slice profile
_WORKERS = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class _Trees:
    vessels: Segments
    trunk: Segments  # trachea and main bronchi: outside the lungs
    bronchi: Segments


def make_phantom(spec: PhantomSpec) -> Phantom:
    """Build a synthetic chest CT.

    Parameters
    ----------
    spec : what to build; equal specs give equal bytes.

    Returns
    -------
    Phantom : the image, the lungs and lobes, and the nodules as placed.

    Raises
    ------
    InputError : ``NO_ROOM`` when a nodule fits nowhere.
    """
    streams = [np.random.default_rng([spec.seed, k]) for k in range(4)]
    geometry = spec.geometry
    corners = geometry.corners_lps_mm()
    chest = make_chest(_whole_chest(corners), streams[0])
    trees = _grow_trees(chest.fields, spec, streams[1])
    hu = _compose(chest, spec)
    lobes = _label_lobes(chest.fields, geometry)
    _draw_trees(hu, trees, geometry, blood_hu=min(spec.blood_hu, 180.0))
    disease = add_patches(hu, chest.fields, spec.patches, geometry=geometry)
    nodules, labels = _add_nodules(hu, chest.fields, trees.vessels, spec, streams[2])
    hu = scanner.blur_in_plane(hu, geometry, sigma_mm=spec.blur_mm)
    hu += scanner.noise_like(hu, geometry, sigma_hu=spec.noise_hu, rng=streams[3])
    hu = scanner.detect(hu)
    if spec.circle_padding:
        hu = scanner.pad_circle(hu, geometry)
    sides = np.where(lobes == 0, 0, np.where(lobes <= 3, LungMask.RIGHT, LungMask.LEFT))
    return Phantom(
        spec=spec,
        volume=Volume(array_zyx=hu, geometry=geometry),
        lungs=LungMask(labels_zyx=sides.astype(np.uint8), geometry=geometry),
        lobes_zyx=lobes,
        nodule_labels_zyx=labels,
        disease_zyx=disease,
        nodules=nodules,
    )


def _whole_chest(corners_lps_mm: NDArray[np.float64]) -> Grid:
    """Cover the scan and both lungs, so that a small field of view shows the same person."""
    low = np.minimum(corners_lps_mm.min(axis=0), (-150.0, -110.0, -165.0))
    high = np.maximum(corners_lps_mm.max(axis=0), (150.0, 120.0, 150.0))
    # on whole steps, so that the person does not depend on the scan
    return Grid.around(np.floor(low / 60) * 60, np.ceil(high / 60) * 60)


def _axes_mm(geometry: Geometry) -> tuple[Array, Array, Array]:
    x0, y0, z0 = geometry.origin_lps_mm
    z, y, x = (
        np.float32(o) + np.float32(s) * np.arange(n, dtype=np.float32)
        for o, s, n in zip((z0, y0, x0), geometry.spacing_zyx_mm, geometry.shape_zyx, strict=True)
    )
    return z, y, x


def _compose(chest: Chest, spec: PhantomSpec) -> Array:
    z, y, x = _axes_mm(spec.geometry)
    painter = Painter(
        chest=chest,
        reader=PlaneReader(chest.fields, x_mm=x, y_mm=y),
        x_mm=x,
        y_mm=y,
        blood_hu=spec.blood_hu,
        parenchyma_hu=spec.parenchyma_hu,
    )
    layers = int(np.ceil(spec.thickness_mm / _SUBPLANE_MM))
    within = ((np.arange(layers) + 0.5) / layers - 0.5) * spec.thickness_mm

    def slice_at(height: float) -> Array:
        total = painter.plane(height + float(within[0]))
        for shift in within[1:]:
            total += painter.plane(height + float(shift))
        return total / np.float32(layers)

    out = np.empty(spec.shape_zyx, np.float32)
    with ThreadPoolExecutor(_WORKERS) as pool:
        for k, plane in enumerate(pool.map(slice_at, map(float, z))):
            out[k] = plane
    return out


def _label_lobes(fields: Fields, geometry: Geometry) -> NDArray[np.uint8]:
    z, y, x = _axes_mm(geometry)
    reader = PlaneReader(fields, x_mm=x, y_mm=y)
    out = np.zeros(geometry.shape_zyx, np.uint8)
    for k, height in enumerate(map(float, z)):
        inside = reader.read("lung", height) < 0
        if inside.any():
            lobes = lobe_of(
                x[None, :], reader.read("oblique", height), reader.read("horizontal", height)
            )
            out[k] = lobes * inside
    return out


def _grow_trees(fields: Fields, spec: PhantomSpec, rng: np.random.Generator) -> _Trees:
    x, _, _ = fields.grid.mesh()
    arrays = fields.arrays
    lobes = lobe_of(x, arrays["oblique"], arrays["horizontal"]) * (arrays["lung"] < -2.0)
    trees: list[Segments] = []
    bronchi: list[Segments] = []
    for lobe in range(1, 6):
        where = np.argwhere(lobes == lobe)
        tips = round(0.5 * spec.vessels_per_ml * len(where) * STEP_MM**3 / 1000.0)
        for kind, roots in (("artery", HILA_LPS_MM), ("vein", VEIN_ROOTS_LPS_MM)):
            chosen = where[rng.choice(len(where), size=min(tips, len(where)), replace=False)]
            index = chosen[:, ::-1] + rng.uniform(-0.5, 0.5, size=chosen.shape)
            low = np.array([fields.grid.x_mm[0], fields.grid.y_mm[0], fields.grid.z_mm[0]])
            tree = grow(np.array(roots[lobe > 3]), low + STEP_MM * index, rng=rng)
            trees.append(tree)
            if kind == "artery":
                bronchi.append(companions(tree, narrowest_mm=1.25))
    trunk = [Segments.along(smooth_path(p)) for p in (TRACHEA, *MAIN_BRONCHI)]
    return _Trees(
        vessels=Segments.join(trees), trunk=Segments.join(trunk), bronchi=Segments.join(bronchi)
    )


def _draw_trees(hu: Array, trees: _Trees, geometry: Geometry, *, blood_hu: float) -> None:
    airways = Segments.join([trees.trunk, trees.bronchi])
    _lay(hu, draw_tubes(trees.trunk, geometry, widen_mm=1.3), AIRWAY_WALL_HU)
    _lay(hu, draw_tubes(trees.bronchi, geometry, widen_mm=0.7), AIRWAY_WALL_HU)
    # blood never darkens what it crosses: a branch inside the heart or a great vessel is hidden
    vessels = draw_tubes(trees.vessels, geometry)
    hu += vessels * np.maximum(np.float32(blood_hu) - hu, 0)
    _lay(hu, draw_tubes(airways, geometry), LUMEN_HU)


def _lay(hu: Array, share: Array, value_hu: float) -> None:
    hu += share * (np.float32(value_hu) - hu)


def _add_nodules(
    hu: Array, fields: Fields, vessels: Segments, spec: PhantomSpec, rng: np.random.Generator
) -> tuple[tuple[PhantomNodule, ...], NDArray[np.uint8]]:
    geometry = spec.geometry
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    nodules: tuple[PhantomNodule, ...] = ()
    for number, plan in enumerate(spec.nodules, start=1):
        shape = shapes.make_shape(plan, rng)
        nodule = nodule_bodies.place(
            plan,
            shape,
            fields=fields,
            vessels=vessels,
            geometry=geometry,
            taken=nodules,
            rng=rng,
        )
        assert nodule.plan.center_lps_mm is not None
        if plan.spiculation > 1:
            spikes = shapes.strands(plan, shape, np.array(nodule.plan.center_lps_mm))
            share = draw_tubes(spikes, geometry)
            hu += share * np.maximum(np.float32(plan.solid_hu) - hu, 0)
        drawing = nodule_bodies.draw(nodule, shape, geometry=geometry, fields=fields)
        nodule_bodies.fill(hu, nodule, drawing)
        labels[drawing.box][drawing.share >= 0.5] = number
        nodules = (*nodules, nodule)
    return nodules, labels
