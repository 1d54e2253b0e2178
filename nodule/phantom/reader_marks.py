"""What four readers would mark on a phantom, in the XML of LIDC.

Readers outline a nodule along the first pixels outside it, disagree by fractions of a millimetre
and by a step of a rating, and may overlook what is small or faint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    gaussian_filter,
    label,
)

from nodule.lidc import CHARACTERISTICS
from nodule.phantom.spec import Phantom, PhantomNodule

NAMESPACE = "http://www.nih.gov"
N_READERS = 4
OUTLINED_FROM_MM = 3.0
_SOFTNESS_VOXELS = (0.5, 1.0, 1.0)
_DISAGREEMENT = 0.06  # of the softened edge, a fraction of a pixel
_CLEAR_MM = 14.0
_TEXTURE_RATING = {"ground-glass": 1, "part-solid": 3, "solid": 5, "calcified": 5}
_HIGHEST = {"calcification": 6, "internalStructure": 4}
_NEVER_VARIES = ("internalStructure", "calcification")

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class SeriesNames:
    """The identifiers that readings refer to.

    Parameters
    ----------
    study_instance_uid, series_instance_uid : of the series read.
    sop_instance_uids : per slice, index z.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uids: Sequence[str]


def readings_xml(phantom: Phantom, names: SeriesNames) -> bytes:
    """Write the readings of four readers; equal phantoms give equal bytes.

    Nodules of 3 mm or more have nine ratings and outlines; below, one point. There is always at
    least one small nodule and one non-nodule per file, on vessels where the phantom has none.
    """
    spots = _vessel_spots(phantom, count=2)
    root = Element("LidcReadMessage", {"uid": f"{names.study_instance_uid}.1", "xmlns": NAMESPACE})
    header = SubElement(root, "ResponseHeader")
    _put(header, "Version", "1.8.1")
    _put(header, "TaskDescription", "Second unblinded read")
    _put(header, "SeriesInstanceUid", names.series_instance_uid)
    _put(header, "ResponseDescription", "1 - Reading complete")
    _put(header, "StudyInstanceUID", names.study_instance_uid)
    for reader in range(N_READERS):
        session = SubElement(root, "readingSession")
        _put(session, "annotationVersion", "3.12")
        _put(session, "servicingRadiologistID", f"phantom-reader-{reader + 1}")
        _read(
            session, phantom, names, spots, np.random.default_rng([phantom.spec.seed, 90, reader])
        )
    indent(root)
    return bytes(tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def _read(
    session: Element,
    phantom: Phantom,
    names: SeriesNames,
    spots: list[tuple[int, int, int]],
    rng: np.random.Generator,
) -> None:
    small = [n for n in phantom.nodules if n.diameter_mm < OUTLINED_FROM_MM]
    points = [_nearest_voxel(phantom, n) for n in small] or spots[:1]
    for number, nodule in enumerate(phantom.nodules, start=1):
        seen = rng.random() < _chance_of_notice(nodule)
        if nodule.diameter_mm >= OUTLINED_FROM_MM and seen:
            _put_nodule(session, phantom, names, number, rng)
    for number, point in enumerate(points, start=len(phantom.nodules) + 1):
        element = SubElement(session, "unblindedReadNodule")
        _put(element, "noduleID", f"Nodule {number:03d}")
        _put_outline(element, phantom, names, point[0], [point[1:]])
    for number, (z, row, column) in enumerate(spots[1:], start=1):
        element = SubElement(session, "nonNodule")
        _put(element, "nonNoduleID", f"Non-nodule {number:03d}")
        _put_place(element, phantom, names, z)
        locus = SubElement(element, "locus")
        _put(locus, "xCoord", column)
        _put(locus, "yCoord", row)


def _put_nodule(
    session: Element, phantom: Phantom, names: SeriesNames, number: int, rng: np.random.Generator
) -> None:
    box, mask = reader_mask(phantom, number, rng)
    if not mask.any():
        return
    element = SubElement(session, "unblindedReadNodule")
    _put(element, "noduleID", f"Nodule {number:03d}")
    characteristics = SubElement(element, "characteristics")
    for name, rating in _ratings(phantom.nodules[number - 1], rng).items():
        _put(characteristics, name, rating)
    for k, plane in enumerate(mask):
        for outline in outlines(plane):
            shifted = [(r + box[1].start, c + box[2].start) for r, c in outline]
            _put_outline(element, phantom, names, box[0].start + k, shifted)


def reader_mask(
    phantom: Phantom, number: int, rng: np.random.Generator
) -> tuple[tuple[slice, slice, slice], Mask]:
    """Draw what one reader takes for nodule ``number`` (from 1): a box zyx and its mask."""
    truth = phantom.nodule_labels_zyx == number
    if not truth.any():  # smaller than a voxel
        truth[_nearest_voxel(phantom, phantom.nodules[number - 1])] = True
    where = np.argwhere(truth)
    low = np.maximum(where.min(axis=0) - 4, 0)
    high = np.minimum(where.max(axis=0) + 5, truth.shape)
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    inside = truth[z, y, x]
    # at its own level the softened nodule has its true size; readers differ about that level
    soft = gaussian_filter(inside.astype(float), _SOFTNESS_VOXELS)
    level = np.sort(soft, axis=None)[-int(inside.sum())]
    wobble = gaussian_filter(rng.standard_normal(inside.shape), 1.5)
    wobble *= _DISAGREEMENT / max(float(wobble.std()), 1e-6)
    mask = soft + wobble >= level + rng.normal(0.0, _DISAGREEMENT)
    mask &= soft > 0.25 * soft.max()
    mask = _in_one_piece(mask if mask.any() else inside)
    return (z, y, x), np.stack([_plain(plane) for plane in mask])


def outlines(plane: Mask) -> Iterator[list[tuple[int, int]]]:
    """Yield closed chains of (row, column) along the first pixels outside a mask of one slice."""
    around = binary_dilation(np.pad(plane, 1))
    parts, count = label(around, np.ones((3, 3)))
    for part in range(1, count + 1):
        yield [(r - 1, c - 1) for r, c in _trace(parts == part)]


# the eight neighbours, clockwise from the left
_RING = ((0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1))


def _trace(region: Mask) -> list[tuple[int, int]]:
    """Follow the border of one region clockwise (Moore neighbours), first pixel repeated."""
    region = np.pad(region, 1)
    row, column = (int(v) for v in np.argwhere(region)[0])
    chain = [(row - 1, column - 1)]
    came_from, first_step = 0, None
    while True:
        for turn in range(1, 9):
            step = (came_from + turn) % 8
            dr, dc = _RING[step]
            if region[row + dr, column + dc]:
                break
        else:
            return chain
        if (row - 1, column - 1) == chain[0] and step == first_step:
            return chain
        first_step = step if first_step is None else first_step
        row, column = row + dr, column + dc
        chain.append((row - 1, column - 1))
        # look next from the last empty neighbour, as seen from the new pixel
        came_from = (step + 4) % 8 if step % 2 == 0 else (step + 5) % 8


def _plain(plane: Mask) -> Mask:
    """Fill what an outline cannot express: holes, and notches that the outline bridges."""
    padded = np.pad(plane, 2)
    closed = binary_fill_holes(binary_closing(padded))
    around = binary_fill_holes(binary_dilation(closed))
    return np.asarray(binary_erosion(around)[2:-2, 2:-2], dtype=np.bool_)


def _in_one_piece(mask: Mask) -> Mask:
    parts, count = label(mask)
    if count < 2:
        return mask
    return np.asarray(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))


def _chance_of_notice(nodule: PhantomNodule) -> float:
    faint = 0.15 if nodule.texture == "ground-glass" else 0.0
    return float(np.clip(0.55 + (nodule.diameter_mm - 3.0) / 6.0 - faint, 0.3, 1.0))


def _ratings(nodule: PhantomNodule, rng: np.random.Generator) -> Mapping[str, int]:
    faint = nodule.texture in ("ground-glass", "part-solid")
    suspicion = 1.4 + nodule.diameter_mm / 9.0 + 0.35 * (nodule.spiculation - 1) + 0.4 * faint
    typical = {
        "subtlety": 2.5 + nodule.diameter_mm / 6.0 - faint,
        "internalStructure": 1.0,
        "calcification": 3.0 if nodule.texture == "calcified" else 6.0,
        "sphericity": 5.0 - 3.0 * (nodule.plan.elongation - 1.0) - 0.3 * (nodule.lobulation - 1),
        "margin": 5.0 - 0.5 * (nodule.spiculation - 1) - 1.2 * faint,
        "lobulation": nodule.lobulation,
        "spiculation": nodule.spiculation,
        "texture": _TEXTURE_RATING[nodule.texture],
        "malignancy": 1.0 if nodule.texture == "calcified" else suspicion,
    }
    out: dict[str, int] = {}
    for name in CHARACTERISTICS:
        step = 0.0 if name in _NEVER_VARIES else rng.normal(0.0, 0.6)
        out[name] = int(np.clip(round(typical[name] + step), 1, _HIGHEST.get(name, 5)))
    return out


def _nearest_voxel(phantom: Phantom, nodule: PhantomNodule) -> tuple[int, int, int]:
    index = phantom.volume.geometry.lps_to_index(nodule.center_lps_mm)
    z, y, x = np.clip(np.rint(index), 0, np.array(phantom.lobes_zyx.shape) - 1).astype(int)
    return int(z), int(y), int(x)


def _vessel_spots(phantom: Phantom, *, count: int) -> list[tuple[int, int, int]]:
    """Voxels on small vessels, well inside the lungs, away from nodules and each other."""
    geometry = phantom.volume.geometry
    rng = np.random.default_rng([phantom.spec.seed, 91])
    vessel = (phantom.volume.array_zyx > -350) & (phantom.volume.array_zyx < 120)
    candidates = rng.permutation(np.argwhere(vessel & (phantom.lungs.labels_zyx > 0)))
    places = [np.array(n.center_lps_mm) for n in phantom.nodules]
    spots: list[tuple[int, int, int]] = []
    reach = np.ceil(5.0 / np.array(geometry.spacing_zyx_mm)).astype(int)
    for index in candidates:
        here = geometry.index_to_lps(index)
        near = tuple(slice(max(i - r, 0), i + r + 1) for i, r in zip(index, reach, strict=True))
        deep = bool((phantom.lungs.labels_zyx[near] > 0).all())
        if deep and all(np.linalg.norm(here - p) > _CLEAR_MM for p in places):
            places.append(here)
            z, y, x = (int(i) for i in index)
            spots.append((z, y, x))
        if len(spots) == count:
            break
    return spots


def _put(parent: Element, name: str, value: object) -> None:
    SubElement(parent, name).text = str(value)


def _put_place(parent: Element, phantom: Phantom, names: SeriesNames, z: int) -> None:
    geometry = phantom.volume.geometry
    height = geometry.origin_lps_mm[2] + z * geometry.spacing_zyx_mm[0]
    _put(parent, "imageZposition", f"{height:.6f}")
    _put(parent, "imageSOP_UID", names.sop_instance_uids[z])


def _put_outline(
    parent: Element,
    phantom: Phantom,
    names: SeriesNames,
    z: int,
    edge_rc: Sequence[tuple[int, int]],
) -> None:
    roi = SubElement(parent, "roi")
    _put_place(roi, phantom, names, z)
    _put(roi, "inclusion", "TRUE")
    for row, column in edge_rc:
        edge = SubElement(roi, "edgeMap")
        _put(edge, "xCoord", column)
        _put(edge, "yCoord", row)
