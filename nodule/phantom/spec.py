"""What a phantom is asked to be, and what it turned out to be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import Geometry, Vector
from nodule.nodules import Lung
from nodule.volume import LungMask, Volume

Texture = Literal["solid", "part-solid", "ground-glass", "calcified"]
Location = Literal["parenchymal", "juxtapleural", "juxtavascular"]
Size = Literal["small", "medium", "full"]

TEXTURES: tuple[Texture, ...] = ("solid", "part-solid", "ground-glass", "calcified")
LOCATIONS: tuple[Location, ...] = ("parenchymal", "juxtapleural", "juxtavascular")
SCAN_CENTRE_Z_MM = -12.0  # midway between the apices and the costophrenic angles

_GRIDS: dict[Size, tuple[tuple[int, int, int], Vector]] = {
    "small": ((112, 144, 144), (2.5, 2.5, 2.5)),
    "medium": ((120, 320, 320), (2.5, 1.125, 1.125)),
    "full": ((130, 512, 512), (2.5, 0.703125, 0.703125)),
}
_TEXTURE_ODDS = (0.65, 0.15, 0.12, 0.08)  # solid nodules prevail in screening
_LOCATION_ODDS = (0.45, 0.30, 0.25)


def _refuse(what: str, expected: object, got: object) -> None:
    raise InputError(what, code="BAD_PHANTOM", expected=expected, got=got)


@dataclass(frozen=True, kw_only=True)
class NodulePlan:
    """A nodule to be placed.

    Parameters
    ----------
    diameter_mm : of the sphere with the nodule's volume, before the pleura cuts it.
    texture : what it is made of.
    location : what it touches.
    spiculation, lobulation : 1 (none) to 5 (marked), as on LIDC's scales.
    elongation : longest over shortest axis; 1 is a sphere.
    solid_hu : of what is solid and not calcified.
    lung : the patient's own side, or None to draw one.
    center_lps_mm : where exactly, or None to draw a place that fits ``location``.

    Raises
    ------
    InputError : ``BAD_PHANTOM``.
    """

    diameter_mm: float
    texture: Texture = "solid"
    location: Location = "parenchymal"
    spiculation: int = 1
    lobulation: int = 1
    elongation: float = 1.0
    solid_hu: float = 38.0
    lung: Lung | None = None
    center_lps_mm: Vector | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.diameter_mm) and 1.0 <= self.diameter_mm <= 60.0):
            _refuse("the size of a nodule is not valid", "1 to 60 mm", self.diameter_mm)
        if self.texture not in TEXTURES or self.location not in LOCATIONS:
            _refuse("unknown kind of nodule", TEXTURES + LOCATIONS, (self.texture, self.location))
        for name in ("spiculation", "lobulation"):
            if getattr(self, name) not in (1, 2, 3, 4, 5):
                _refuse(f"{name} is outside its scale", "1 to 5", getattr(self, name))
        if not -200.0 <= self.solid_hu <= 300.0:
            _refuse("the HU of a soft tissue are not valid", "-200 to 300 HU", self.solid_hu)
        if not 1.0 <= self.elongation <= 2.0:
            _refuse("the shape of a nodule is not valid", "elongation 1 to 2", self.elongation)


@dataclass(frozen=True, kw_only=True)
class DiseasePatch:
    """What of a ball lies in the lungs is diseased; ``BAD_PHANTOM`` is raised for a wrong size."""

    kind: Literal["ground-glass", "consolidation"]
    center_lps_mm: Vector
    radius_mm: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.radius_mm) and 5.0 <= self.radius_mm <= 150.0):
            _refuse("the size of a patch is not valid", "a radius of 5 to 150 mm", self.radius_mm)


@dataclass(frozen=True, kw_only=True)
class PhantomSpec:
    """Everything that decides a phantom; equal specs give equal bytes.

    Parameters
    ----------
    seed : of anatomy, texture, noise and the places of nodules.
    shape_zyx, spacing_zyx_mm : the grid, centred on the chest.
    slice_thickness_mm : width of the slice profile; None for the slice spacing.
    nodules : what to place, in order.
    patches : diseased lung, in order.
    noise_hu : standard deviation of the noise in the middle of the chest.
    blur_mm : standard deviation of the in-plane point spread.
    blood_hu : of the heart and the large vessels; 45 without contrast medium.
    parenchyma_hu : mean of the aerated lung between its vessels.
    vessels_per_ml : ends of the vascular trees per ml of lung.
    circle_padding : replace what lies outside the inscribed circle by air, and by the padding
        value when written as DICOM.

    Raises
    ------
    InputError : ``BAD_PHANTOM``.
    GeometryError : as :class:`nodule.geometry.Geometry`.
    """

    seed: int = 0
    shape_zyx: tuple[int, int, int] = _GRIDS["medium"][0]
    spacing_zyx_mm: Vector = _GRIDS["medium"][1]
    slice_thickness_mm: float | None = None
    nodules: tuple[NodulePlan, ...] = ()
    patches: tuple[DiseasePatch, ...] = ()
    noise_hu: float = 14.0
    blur_mm: float = 0.55
    blood_hu: float = 150.0
    parenchyma_hu: float = -875.0
    vessels_per_ml: float = 3.2
    circle_padding: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            _refuse("no seed", "0 or more", self.seed)
        for name in ("noise_hu", "blur_mm", "vessels_per_ml"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                _refuse(f"{name} is not a valid amount", "0 or more", getattr(self, name))
        if not self.thickness_mm > 0:
            _refuse("the slice thickness is not valid", "more than 0 mm", self.slice_thickness_mm)
        _ = self.geometry

    @property
    def thickness_mm(self) -> float:
        """The slice thickness in force."""
        thickness = self.slice_thickness_mm
        return self.spacing_zyx_mm[0] if thickness is None else thickness

    @property
    def geometry(self) -> Geometry:
        """The axial grid, with the midline at x = 0."""
        depth, height, width = self.shape_zyx
        dz, dy, dx = self.spacing_zyx_mm
        return Geometry(
            shape_zyx=self.shape_zyx,
            spacing_zyx_mm=self.spacing_zyx_mm,
            origin_lps_mm=(
                -0.5 * (width - 1) * dx,
                -0.5 * (height - 1) * dy,
                SCAN_CENTRE_Z_MM - 0.5 * (depth - 1) * dz,
            ),
        )


@dataclass(frozen=True, kw_only=True)
class PhantomNodule:
    """A nodule as placed: the truth.

    Parameters
    ----------
    center_lps_mm : centroid of what lies inside the lung.
    diameter_mm : of the sphere with ``volume_mm3``.
    volume_mm3 : of the body inside the lung, by quadrature over its surface; the thin strands of
        a spiculated nodule are not part of it, as readers leave them out.
    plan : what was asked for, its ``lung`` and ``center_lps_mm`` filled in.
    lung : the patient's own side.
    """

    center_lps_mm: Vector
    diameter_mm: float
    volume_mm3: float
    plan: NodulePlan
    lung: Lung

    @property
    def texture(self) -> Texture:
        """What it is made of."""
        return self.plan.texture

    @property
    def location(self) -> Location:
        """What it touches."""
        return self.plan.location

    @property
    def spiculation(self) -> int:
        """1 (none) to 5 (marked)."""
        return self.plan.spiculation

    @property
    def lobulation(self) -> int:
        """1 (none) to 5 (marked)."""
        return self.plan.lobulation


@dataclass(frozen=True, kw_only=True, eq=False)
class Phantom:
    """A synthetic chest CT with its truth.

    Parameters
    ----------
    spec : what was asked for.
    volume : whole HU, on ``spec.geometry``.
    lungs : both lungs, vessels and nodules included, trachea and main bronchi not.
    lobes_zyx : uint8 on the same grid: 0 outside, 1 to 5 for the right upper, middle and lower,
        left upper and lower lobe.
    nodule_labels_zyx : uint8 on the same grid: 0, or 1 + the index into ``nodules`` where at
        least half of the voxel is nodule.
    disease_zyx : uint8 on the same grid: 0, 1 ground glass, 2 consolidation.
    nodules : in the order of ``spec.nodules``.
    """

    spec: PhantomSpec
    volume: Volume
    lungs: LungMask
    lobes_zyx: NDArray[np.uint8] = field(repr=False)
    nodule_labels_zyx: NDArray[np.uint8] = field(repr=False)
    disease_zyx: NDArray[np.uint8] = field(repr=False)
    nodules: tuple[PhantomNodule, ...]


def _draw_plan(rng: np.random.Generator) -> NodulePlan:
    texture = TEXTURES[rng.choice(len(TEXTURES), p=_TEXTURE_ODDS)]
    location = LOCATIONS[rng.choice(len(LOCATIONS), p=_LOCATION_ODDS)]
    # log-normal about LUNA16's median of 6.4 mm; ground glass is seen later, hence larger
    diameter_mm = float(np.clip(rng.lognormal(math.log(7.0), 0.45), 3.5, 28.0))
    if texture in ("part-solid", "ground-glass"):
        diameter_mm = min(max(6.0, 1.4 * diameter_mm), 28.0)
    malignant = rng.random() < min(0.9, diameter_mm / 25.0) and texture != "calcified"
    marks = rng.integers(2, 6, size=2) if malignant else rng.integers(1, 3, size=2)
    return NodulePlan(
        diameter_mm=round(diameter_mm, 2),
        texture=texture,
        location=location,
        spiculation=int(marks[0]),
        lobulation=int(marks[1]),
        elongation=round(float(rng.uniform(1.0, 1.5)), 2),
        solid_hu=round(float(np.clip(rng.normal(30.0, 25.0), -60.0, 110.0)), 1),
    )


def demo_spec() -> PhantomSpec:
    """Return the phantom of the demonstration: one nodule of each kind, in a few seconds."""
    return PhantomSpec(
        seed=20,
        nodules=(
            NodulePlan(diameter_mm=11.0, spiculation=4, lobulation=3, elongation=1.2, lung="right"),
            NodulePlan(diameter_mm=14.0, texture="part-solid", lobulation=2, lung="left"),
            NodulePlan(diameter_mm=12.0, texture="ground-glass", lung="right"),
            NodulePlan(diameter_mm=7.0, location="juxtapleural", elongation=1.3, lung="left"),
            NodulePlan(diameter_mm=6.0, location="juxtavascular", lung="right"),
            NodulePlan(diameter_mm=8.0, texture="calcified", lung="left"),
            NodulePlan(diameter_mm=2.8, texture="calcified"),
        ),
    )


def random_spec(seed: int, *, size: Size = "medium", n_nodules: int | None = None) -> PhantomSpec:
    """Draw a phantom: nodules, contrast medium, dose and lung density.

    Parameters
    ----------
    seed : of the draw and of the phantom.
    size : ``small`` 2.5 mm isotropic for tests, ``medium`` for demonstrations, ``full`` as a
        clinical scan; all show the whole chest.
    n_nodules : how many; None draws 1 to 6.

    Returns
    -------
    PhantomSpec : plain data that :func:`nodule.phantom.make_phantom` accepts.
    """
    rng = np.random.default_rng([seed, 0x5BEC])
    shape_zyx, spacing_zyx_mm = _GRIDS[size]
    count = int(rng.integers(1, 7)) if n_nodules is None else n_nodules
    return PhantomSpec(
        seed=seed,
        shape_zyx=shape_zyx,
        spacing_zyx_mm=spacing_zyx_mm,
        nodules=tuple(_draw_plan(rng) for _ in range(count)),
        noise_hu=round(float(rng.uniform(8.0, 28.0)), 1),
        blur_mm=round(float(rng.uniform(0.4, 0.75)), 2),
        blood_hu=45.0 if rng.random() < 0.5 else round(float(rng.uniform(120.0, 280.0)), 1),
        parenchyma_hu=round(float(rng.uniform(-925.0, -845.0)), 1),
        # coarse voxels show no twigs
        vessels_per_ml=round(float(rng.uniform(2.6, 3.8)) * (0.4 if size == "small" else 1.0), 2),
    )
