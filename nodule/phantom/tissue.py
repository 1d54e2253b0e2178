"""From organs to Hounsfield units, one axial plane at a time.

Each tissue is drawn over the ones before it with an edge one pixel wide, which is what partial
volume does. Ribs need no centre lines: a rib is where the shell around the thoracic cavity meets
a slanted band of heights, so it is curved and oblique as a real one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nodule.hu import AIR_HU
from nodule.phantom.anatomy import Chest
from nodule.phantom.fields import Array, PlaneReader

FAT_HU = -102.0
MUSCLE_HU = 52.0
SKIN_HU = 25.0
MYOCARDIUM_HU = 48.0
LIVER_HU = 58.0
SPLEEN_HU = 50.0
CARTILAGE_HU = 95.0
CORTEX_HU = 720.0
MARROW_HU = 190.0
DISC_HU = 85.0
CORD_HU = 32.0
GAS_HU = -960.0
FISSURE_HU = 190.0  # above the parenchyma before blur; about 60 remain at 2.5 mm slices

RIB_PITCH_MM = 27.0
VERTEBRA_PITCH_MM = 25.0
TABLE_Y_MM = 117.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Canvas:
    """The plane being composed.

    Parameters
    ----------
    x_mm, y_mm : pixel centres, shapes (1, columns) and (rows, 1), LPS.
    z_mm : its height.
    pixel_mm : width of an edge.
    """

    x_mm: Array
    y_mm: Array
    z_mm: float
    pixel_mm: float

    def window(
        self, plane: Array, *, x_mm: tuple[float, float], y_mm: tuple[float, float]
    ) -> tuple[Array, Canvas]:
        """Return a view of a plane within limits, and the canvas that fits it."""
        columns = slice(*np.searchsorted(self.x_mm[0], x_mm))
        rows = slice(*np.searchsorted(self.y_mm[:, 0], y_mm))
        part = replace(self, x_mm=self.x_mm[:, columns], y_mm=self.y_mm[rows])
        return plane[rows, columns], part

    def inside(self, distance_mm: NDArray[np.floating], *, edge_mm: float | None = None) -> Array:
        """Share of each pixel inside a signed distance, in [0, 1]."""
        width = np.float32(self.pixel_mm if edge_mm is None else edge_mm)
        share = np.clip(np.float32(0.5) - distance_mm / width, 0, 1)
        return np.asarray(share, dtype=np.float32)


def over(below: Array, share: Array, value_hu: float | Array) -> None:
    """Draw a tissue over a plane, in place."""
    below += share * (np.float32(1) * value_hu - below)


@dataclass(frozen=True, kw_only=True, eq=False)
class Painter:
    """Composes planes of one chest.

    Parameters
    ----------
    chest : the organs.
    reader : of ``chest.fields`` on the pixel grid.
    x_mm, y_mm : pixel centres, LPS, 1-D.
    blood_hu, parenchyma_hu : as in :class:`nodule.phantom.spec.PhantomSpec`.
    """

    chest: Chest
    reader: PlaneReader
    x_mm: Array
    y_mm: Array
    blood_hu: float
    parenchyma_hu: float

    def plane(self, z_mm: float) -> Array:
        """Return HU at a height without airways, lung vessels and nodules, (rows, columns)."""
        canvas = Canvas(
            x_mm=self.x_mm[None, :],
            y_mm=self.y_mm[:, None],
            z_mm=z_mm,
            pixel_mm=float(self.x_mm[1] - self.x_mm[0]),
        )
        f = _PlaneFields(self.reader, z_mm)
        hu = np.full((self.y_mm.size, self.x_mm.size), AIR_HU, np.float32)
        _lay_table(hu, canvas)
        self._lay_wall(hu, canvas, f)
        _lay_ribs(hu, canvas, f)
        _lay_sternum(hu, canvas, f)
        _lay_scapulae(hu, canvas, f)
        _lay_clavicles(hu, canvas, f)
        over(hu, canvas.inside(f["cage"] + 1), FAT_HU + 5 * f["mottle"])
        self._lay_abdomen(hu, canvas, f)
        self._lay_mediastinum(hu, canvas, f)
        self._lay_lung(hu, canvas, f)
        _lay_spine(hu, canvas, self.chest.spine_y_mm(z_mm))
        return hu

    def _lay_wall(self, hu: Array, canvas: Canvas, f: _PlaneFields) -> None:
        cage, body, mottle = f["cage"], f["body"], f["mottle"]
        over(hu, canvas.inside(body), FAT_HU + 6 * mottle)
        x, y = canvas.x_mm, canvas.y_mm
        high = np.float32(np.clip((canvas.z_mm - 10) / 70, 0, 1))
        # latissimus and serratus at the side, pectorals in front, erector spinae behind
        side = np.exp(-(((y - 18) / 48) ** 2))
        front = np.exp(-(((y + 75) / 28) ** 2) - ((np.abs(x) - 68) / 38) ** 2)
        back = np.exp(-(((y - 92) / 26) ** 2) - ((np.abs(x) - 24) / 26) ** 2)
        thickness = 11 + side * (5 + 24 * high) + front * (3 + 12 * high) + 26 * back
        thickness = np.minimum(thickness + 3 * mottle, cage - body - 5)
        muscle = np.maximum(cage - thickness, body + 5)
        share = canvas.inside(muscle, edge_mm=1.5)
        # sheets of fat part the layers of muscle
        layer = np.abs(np.mod(cage + 2.2 * mottle, np.float32(11.0)) - 9.5)
        share *= 1 - 0.75 * canvas.inside(layer - 0.9, edge_mm=1.6) * (cage > 5)
        over(hu, share, MUSCLE_HU + 4 * f["grain"])
        over(hu, canvas.inside(np.abs(body + 1.0) - 1.0), SKIN_HU)

    def _lay_mediastinum(self, hu: Array, canvas: Canvas, f: _PlaneFields) -> None:
        # small soft structures in the fat: nodes, thymus, unnamed vessels
        over(hu, canvas.inside(f["cage"] + 3) * canvas.inside(1.9 - f["grain"], edge_mm=0.9), 35.0)
        # fat lies under the pericardium, most of it in the grooves
        over(hu, canvas.inside(f["heart"]), FAT_HU)
        over(hu, canvas.inside(f["heart"] + 2.5 + 2.5 * f["mottle"]), MYOCARDIUM_HU)
        over(hu, canvas.inside(f["oesophagus"]), 38.0)
        over(hu, canvas.inside(f["vessels"] - 0.8), 45.0)  # walls first: blood joins blood
        over(hu, canvas.inside(f["chambers"]), self.blood_hu)
        over(hu, canvas.inside(f["vessels"] + 0.4), self.blood_hu)

    def _lay_abdomen(self, hu: Array, canvas: Canvas, f: _PlaneFields) -> None:
        diaphragm = f["diaphragm"]
        if diaphragm.max() < -2:
            return
        cavity = np.maximum(f["cage"] + 1, -diaphragm)
        over(hu, canvas.inside(np.maximum(np.abs(diaphragm) - 2, f["cage"] + 1)), MUSCLE_HU)
        enhanced = 0.25 * (self.blood_hu - 45.0)
        over(hu, canvas.inside(np.maximum(f["liver"], cavity)), LIVER_HU + enhanced)
        over(hu, canvas.inside(np.maximum(f["spleen"], cavity)), SPLEEN_HU + 1.6 * enhanced)
        stomach = np.maximum(f["stomach"], cavity)
        over(hu, canvas.inside(stomach), 42.0)
        contents = np.where(canvas.y_mm < -34, GAS_HU, 18 + 12 * f["grain"])
        over(hu, canvas.inside(stomach + 5 + 1.5 * f["mottle"]), contents.astype(np.float32))

    def _lay_lung(self, hu: Array, canvas: Canvas, f: _PlaneFields) -> None:
        lung = f["lung"]
        if lung.min() > 2:
            return
        gravity = 0.32 * canvas.y_mm + 0.10 * np.float32(-canvas.z_mm)
        tissue = self.parenchyma_hu + gravity + 9 * f["mottle"] + 15 * f["grain"]
        oblique, horizontal = f["oblique"], f["horizontal"]
        sheet = canvas.inside(np.abs(oblique) - 0.45)
        minor = canvas.inside(np.abs(horizontal) - 0.35) * (oblique > 0) * (canvas.x_mm < 0)
        tissue = tissue + FISSURE_HU * np.maximum(sheet, minor)
        over(hu, canvas.inside(lung), tissue.astype(np.float32))


class _PlaneFields:
    """The fields of one plane, read when first asked for."""

    def __init__(self, reader: PlaneReader, z_mm: float) -> None:
        self._reader = reader
        self._z_mm = z_mm
        self._planes: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._planes:
            self._planes[name] = self._reader.read(name, self._z_mm)
        return self._planes[name]


def _lay_bone(hu: Array, canvas: Canvas, distance: Array, *, cortex_mm: float) -> None:
    over(hu, canvas.inside(distance), CORTEX_HU)
    over(hu, canvas.inside(distance + cortex_mm), MARROW_HU)


def _lay_ribs(hu: Array, canvas: Canvas, f: _PlaneFields) -> None:
    cage = f["cage"]
    x, y, z = canvas.x_mm, canvas.y_mm, np.float32(canvas.z_mm)
    slope = np.float32(0.62 - 0.0022 * np.clip(z, -60, 100))  # the upper ribs lie flatter
    height = z + slope * (70 - y) + 0.02 * np.abs(x)
    phase = np.mod(height, np.float32(RIB_PITCH_MM)) - np.float32(RIB_PITCH_MM / 2)
    shell = np.hypot((cage - 5.5) / 3.6, phase / 6.4)
    rib = (shell - 1) * 3.6
    rib = np.maximum(rib, height - 165)  # none above the first
    # the bone ends in cartilage towards the sternum, and behind at the spine
    front = (y + 46) + 0.35 * np.abs(x)
    _lay_bone(hu, canvas, np.maximum(rib, np.maximum(-front, 14 - np.abs(x))), cortex_mm=1.3)
    cartilage = np.maximum(rib + 0.5, np.maximum(front, 20 - np.abs(x)))
    over(hu, canvas.inside(cartilage), CARTILAGE_HU)


def _lay_sternum(hu: Array, canvas: Canvas, f: _PlaneFields) -> None:
    z = canvas.z_mm
    if not -75 < z < 92:
        return
    cage = canvas.window(f["cage"], x_mm=(-40, 40), y_mm=(-140, 0))[0]
    hu, canvas = canvas.window(hu, x_mm=(-40, 40), y_mm=(-140, 0))
    half_width = float(np.interp(z, (-75, -40, 20, 50, 92), (6, 17, 14, 16, 27)))
    plate = np.hypot((cage - 7) / 5.2, canvas.x_mm / half_width) - 1
    _lay_bone(hu, canvas, (plate * 5.2).astype(np.float32), cortex_mm=1.2)


def _lay_scapulae(hu: Array, canvas: Canvas, f: _PlaneFields) -> None:
    z = canvas.z_mm
    if z < 12:
        return
    x, y = np.abs(canvas.x_mm), canvas.y_mm
    # a thin blade on the muscle behind the ribs, wider towards its spine
    reach = float(np.interp(z, (12, 40, 90, 130), (6, 22, 34, 40)))
    along = np.abs(y - 52 + 0.25 * (z - 60)) - reach
    behind = np.maximum(along, 52 - x)
    blade = np.maximum(np.abs(f["cage"] - 22) - 2.6 - 2.5 * (along > -9), behind)
    blade = np.maximum(blade, f["body"] + 10)
    _lay_bone(hu, canvas, blade.astype(np.float32), cortex_mm=1.2)


def _lay_clavicles(hu: Array, canvas: Canvas, f: _PlaneFields) -> None:
    if canvas.z_mm > 70:
        _lay_bone(hu, canvas, f["clavicles"], cortex_mm=1.4)


def _lay_spine(hu: Array, canvas: Canvas, centre_y: float) -> None:
    hu, canvas = canvas.window(hu, x_mm=(-45, 45), y_mm=(centre_y - 25, centre_y + 70))
    x, y = np.abs(canvas.x_mm), canvas.y_mm - np.float32(centre_y)
    phase = canvas.z_mm % VERTEBRA_PITCH_MM - VERTEBRA_PITCH_MM / 2
    disc = abs(phase) > 9.8
    waist = 1.0 - 0.10 * math.cos(math.pi * phase / 12.0)
    body = (np.hypot(x / (19 * waist), (y + 1) / (15 * waist)) - 1) * 15
    canal = (np.hypot(x / 9.5, (y - 23) / 8.5) - 1) * 8.5
    if disc:
        over(hu, canvas.inside(body + 0.5), DISC_HU)
    else:
        plate = abs(phase) > 8.6
        _lay_bone(hu, canvas, body, cortex_mm=6.0 if plate else 1.1)
    arch = _arch(x, y, phase)
    _lay_bone(hu, canvas, arch, cortex_mm=1.5)
    over(hu, canvas.inside(canal), FAT_HU * 0.3)
    over(hu, canvas.inside(canal + 2.5), CORD_HU)


def _arch(x: Array, y: Array, phase: float) -> Array:
    """Lamina, pedicles, transverse and spinous process at a height within a vertebra."""
    ring = np.abs((np.hypot(x / 13.5, (y - 23) / 12.5) - 1) * 12.5) - 2.6
    if not -9 < phase < 8:
        ring = ring + 20
    ring = np.maximum(ring, (13 - y) if abs(phase - 2) > 5.5 else (6 - y))
    # the spinous processes point down and back, each over the next vertebra
    half = VERTEBRA_PITCH_MM / 2
    slant = np.abs(np.mod(phase + 0.6 * (y - 33) + half, 2 * half) - half) - 4.5
    process = np.maximum(np.maximum(x - 3.0, slant), np.abs(y - 46) - 11)
    arch = np.minimum(ring, process)
    if -2 < phase < 8:
        across = np.abs(y - 24 - 0.35 * (x - 12)) - 4.2
        arch = np.minimum(arch, np.maximum(across, np.maximum(x - 36, 11 - x)))
    return np.asarray(arch, dtype=np.float32)


def _lay_table(hu: Array, canvas: Canvas) -> None:
    hu, canvas = canvas.window(hu, x_mm=(-400, 400), y_mm=(80, 400))
    depth = canvas.y_mm - np.float32(TABLE_Y_MM) + 0.00075 * canvas.x_mm**2
    top = np.maximum(np.abs(depth - 14) - 14, np.abs(canvas.x_mm) - 205)
    over(hu, canvas.inside(top), -930.0)
    skin = np.minimum(np.abs(depth - 1) - 1, np.abs(depth - 27) - 1)
    over(hu, canvas.inside(np.maximum(skin, np.abs(canvas.x_mm) - 205)), -120.0)
