"""Planted nodules of each kind, measured from their true centres: no network takes part."""

from dataclasses import replace
from functools import cache
from typing import Any

import answers
import numpy as np
from numpy.typing import NDArray

SPEC = answers.PhantomSpec(
    seed=7,
    shape_zyx=(110, 170, 250),
    spacing_zyx_mm=(1.5, 1.1, 1.1),
    vessels_per_ml=1.6,
    nodules=(
        answers.NodulePlan(diameter_mm=9.0, elongation=1.3, lobulation=2),
        answers.NodulePlan(diameter_mm=13.0, texture="part-solid"),
        answers.NodulePlan(diameter_mm=12.0, texture="ground-glass"),
        answers.NodulePlan(diameter_mm=8.0, texture="calcified"),
        answers.NodulePlan(diameter_mm=8.0, location="juxtavascular"),
        answers.NodulePlan(diameter_mm=10.0, location="juxtapleural"),
        answers.NodulePlan(diameter_mm=10.0, spiculation=4, lobulation=3),
        answers.NodulePlan(diameter_mm=3.5),
    ),
)
NAMES = (
    *("solid", "part-solid", "ground-glass", "calcified"),
    *("on a vessel", "on the pleura", "spiculated", "small"),
)
THICK: dict[str, Any] = {"shape_zyx": (34, 150, 215), "spacing_zyx_mm": (5.0, 1.25, 1.3)}
TILT = (0.2, -0.15, 0.1)  # radians, about x, y and z
SHIFT_MM = (12.0, -25.0, 40.0)
BARE_LPS_MM = (-80.0, 20.0, -20.0)  # parenchyma alone
BEYOND_LPS_MM = (-80.0, 0.0, 75.0)  # within the lung, above the first slice
FAR_LPS_MM = (0.0, 0.0, -20.0)  # in the mediastinum


@cache
def phantom() -> answers.Phantom:
    return answers.make_phantom(SPEC)


def at_true_centres(nodules: Any) -> list[Any]:
    return [
        answers.scored(each.center_lps_mm, each.diameter_mm, 0.95 - 0.02 * number)
        for number, each in enumerate(nodules)
    ]


def each_kind() -> dict[str, Any]:
    """Every kind of nodule on fine slices, and candidates that come to nothing."""
    made = phantom()
    double = np.add(made.nodules[0].center_lps_mm, (1.5, 1.0, 0.5))
    others = [
        answers.scored(double, 9.0, 0.6),
        answers.scored(BARE_LPS_MM, 4.0, 0.58),
        answers.scored(BEYOND_LPS_MM, 6.0, 0.56),
        answers.scored(FAR_LPS_MM, 8.0, 0.9),
        answers.scored(made.nodules[0].center_lps_mm, 9.0, 0.44),
    ]
    found = answers.measured(made.volume, made.lungs, [*others, *at_true_centres(made.nodules)])
    return {"mean_hu": mean_hu(made.volume), **rows(found)}


def stated_thickness() -> dict[str, Any]:
    """Limits of the same volumes where the scanner states slices thicker than their spacing."""
    made = phantom()
    found = answers.measured(
        made.volume, made.lungs, at_true_centres(made.nodules), slice_thickness_mm=4.0
    )
    return {
        finding["id"]: {
            "volume_mm3": finding["measurement"].volume_mm3,
            "volume_ci95_mm3": finding["measurement"].volume_ci95_mm3,
        }
        for finding, _ in found
        if finding["measurement"] is not None
    }


def thick_slices() -> dict[str, Any]:
    """The same nodules in slices of 5 mm, on a grid whose three spacings differ."""
    spec = replace(SPEC, **THICK, nodules=tuple(each.plan for each in phantom().nodules))
    made = answers.make_phantom(spec)
    found = answers.measured(made.volume, made.lungs, at_true_centres(made.nodules))
    return {"mean_hu": mean_hu(made.volume), **rows(found)}


def oblique() -> dict[str, Any]:
    """The same image turned and shifted with its lungs: nothing is resampled."""
    made, matrix = phantom(), turn(TILT)
    affine = made.volume.geometry.affine
    affine[:3, :3] = matrix @ affine[:3, :3]
    affine[:3, 3] = matrix @ affine[:3, 3] + SHIFT_MM
    geometry = answers.Geometry.from_affine(affine, shape_zyx=SPEC.shape_zyx)
    candidates = [
        answers.scored(
            matrix @ np.asarray(each.center_lps_mm) + SHIFT_MM, each.diameter_mm, 0.9 - 0.02 * n
        )
        for n, each in enumerate(made.nodules[:6])
    ]
    found = answers.measured(
        answers.Volume(array_zyx=made.volume.array_zyx, geometry=geometry),
        answers.LungMask(labels_zyx=made.lungs.labels_zyx, geometry=geometry),
        candidates,
    )
    return rows(found)


def end_of_scan() -> dict[str, Any]:
    """The scan ends within the first nodule, so that its volume cannot be stated."""
    made, geometry = phantom(), phantom().volume.geometry
    nodule = made.nodules[0]
    first = int(geometry.lps_to_index(nodule.center_lps_mm)[0])
    cut = answers.Geometry(
        shape_zyx=(geometry.shape_zyx[0] - first, *geometry.shape_zyx[1:]),
        spacing_zyx_mm=geometry.spacing_zyx_mm,
        origin_lps_mm=answers.as_vector(geometry.index_to_lps((first, 0, 0))),
    )
    inside = np.add(nodule.center_lps_mm, (0.0, 0.0, 1.0))
    found = answers.measured(
        answers.Volume(array_zyx=made.volume.array_zyx[first:], geometry=cut),
        answers.LungMask(labels_zyx=made.lungs.labels_zyx[first:], geometry=cut),
        [answers.scored(inside, nodule.diameter_mm, 0.9)],
    )
    return rows(found)


def limits() -> dict[str, Any]:
    """Limits by volume, slice and whether the scan cuts the nodule off."""
    return {
        f"{mm3} mm³, slices of {mm} mm{', cut off' * cut}": answers.volume_ci95_mm3(
            mm3, slice_mm=mm, cut_off=cut
        )
        for mm3 in (4.0, 34.0, 113.0, 524.0, 4189.0)
        for mm in (0.625, 1.25, 2.5, 5.0)
        for cut in (False, True)
    }


SCENES = {
    "each kind": each_kind,
    "stated thickness": stated_thickness,
    "thick slices": thick_slices,
    "oblique": oblique,
    "end of scan": end_of_scan,
    "limits": limits,
}


def all_scenes() -> dict[str, Any]:
    return {name: scene() for name, scene in SCENES.items()}


def rows(found: list[tuple[dict[str, Any], dict[str, Any] | None]]) -> dict[str, Any]:
    return {f["id"]: {"finding": f, "mask": mask} for f, mask in found}


def mean_hu(volume: answers.Volume) -> float:
    """Return what tells a phantom that changed from a measurement that did."""
    return round(float(volume.array_zyx.mean(dtype=np.float64)), 3)


def turn(radians: tuple[float, float, float]) -> NDArray[np.float64]:
    """Rotate about x, then y, then z."""
    matrix = np.eye(3)
    for (i, j), angle in zip(((1, 2), (2, 0), (0, 1)), radians, strict=True):
        step = np.eye(3)
        step[i, i] = step[j, j] = np.cos(angle)
        step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
        matrix = step @ matrix
    return matrix
