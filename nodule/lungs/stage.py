"""The stage that finds the lungs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Interval

from nodule.errors import InputError, StageError
from nodule.geometry import AXIAL_DIRECTION, Geometry
from nodule.inference import SPEED_ONLY, Device, Engine, Precision
from nodule.progress import Progress, silent
from nodule.ranges import Share, check_fields
from nodule.volume import LungMask, Volume
from nodule.weights import Weights

if TYPE_CHECKING:
    from nodule.lungs._gate import AirPiece
    from nodule.study import SeriesHeader

_GRID_TOLERANCE = 1e-3
_FEWEST_VOXELS = 3


@dataclass(frozen=True, kw_only=True)
class SegmentLungs:
    """Label the right and the left lung on the 1 mm grid.

    A 3D U-Net looks at the whole chest at 3 mm and estimates which share of each voxel is lung; the
    shares are interpolated to 1 mm and cut at a half, lower where the voxel is air. What lies
    outside the body and what holds gas, as foam or bowel, is left out. Vessels,
    nodules and masses inside the pleura, those on it included, belong to the lung; trachea and
    main bronchi do not.

    Parameters
    ----------
    weights : the network's.
    least_volume_ml : less lung than this counts as none.
    least_part : a part smaller than this share of its lung is dropped, unless air that is at
        least this share of the largest connected air of the lungs reaches into it.
    closing_mm : radius of the ball that closes each lung's surface, so that nodules on the pleura
        and vessels stay inside.
    precision : of the network.
    device : where it runs.
    engine : what runs it.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    name: ClassVar[str] = "lungs"
    version: ClassVar[int] = 4

    weights: Weights = field(default_factory=lambda: Weights.shipped("lungs"))
    least_volume_ml: Annotated[float, Interval(ge=0, le=10_000)] = 50.0
    least_part: Share = 0.15
    closing_mm: Annotated[float, Interval(ge=0, le=50)] = 9.0
    precision: Precision = "auto"
    device: Device = field(default="auto", metadata=SPEED_ONLY)
    engine: Engine = field(default="auto", metadata=SPEED_ONLY)

    def __post_init__(self) -> None:
        check_fields(self)

    def run(
        self, *, volume: Volume, series: SeriesHeader | None = None, progress: Progress = silent
    ) -> LungMask:
        """Return the lungs on the volume's grid; one lung, or a part of one, is fine.

        Parameters
        ----------
        volume : on a canonical 1 mm grid, as :class:`nodule.resample.Resample` gives.
        series : says which part of the body the files state, where they do; it finds no lung, and
            refuses none.

        Raises
        ------
        InputError : ``NOT_CANONICAL`` for another grid.
        StageError : ``NO_LUNGS`` when no lung is seen, ``NOT_A_CHEST`` when what there is of
            air in tissue or foam is none, or the files state another part of the body.
        WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
        """
        from nodule.lungs._coarse import coarsen
        from nodule.lungs._gate import inside_body, lung_pieces
        from nodule.lungs._infer import coarse_shares
        from nodule.lungs._shape import clean, refine

        _check_grid(volume.geometry)
        coarse_hu = coarsen(volume.array_zyx)
        shares = coarse_shares(
            coarse_hu,
            self.weights,
            engine=self.engine,
            device=self.device,
            precision=self.precision,
        )
        progress(0.6)
        shares, outside_ml = inside_body(shares, coarse_hu)
        shares, main, pieces = lung_pieces(shares, volume.array_zyx, least_part=self.least_part)
        shares, volume_ml = clean(
            shares, main, least_part=self.least_part, closing_mm=self.closing_mm
        )
        if volume_ml < self.least_volume_ml:
            stated = None if series is None else series.other_part
            raise _no_lungs(volume_ml, self.least_volume_ml, outside_ml, pieces, stated)
        labels_zyx = refine(shares, volume.array_zyx)
        progress(1.0)
        return LungMask(labels_zyx=labels_zyx, geometry=volume.geometry)


def _no_lungs(
    volume_ml: float,
    least_ml: float,
    outside_ml: float,
    pieces: tuple[AirPiece, ...],
    stated: str | None,
) -> StageError:
    """Say that there is no lung, or what there is in its place."""
    others_ml = sum(each.volume_ml for each in pieces if not each.is_lung)
    seen = f"{volume_ml:.0f} ml"
    if stated is None and others_ml + outside_ml < least_ml:
        return StageError(
            "there is no lung in the image",
            code="NO_LUNGS",
            expected=f"at least {least_ml:.0f} ml",
            got=seen,
            hint="Choose a series that shows the chest",
        )
    return StageError(
        "the image shows no chest: what is dark in it does not look like lung",
        code="NOT_A_CHEST",
        expected=f"at least {least_ml:.0f} ml of lung within the body",
        got=f"{seen}, {outside_ml:.0f} ml outside the body and {others_ml:.0f} ml of other air"
        + (f", and a header that states {stated}" if stated else ""),
        hint="Choose a series that shows the chest",
    )


def _check_grid(geometry: Geometry) -> None:
    spacing = geometry.spacing_zyx_mm
    isotropic = all(abs(mm - 1.0) < _GRID_TOLERANCE for mm in spacing)
    aligned = all(
        abs(a - b) < _GRID_TOLERANCE
        for row, wanted in zip(geometry.direction, AXIAL_DIRECTION, strict=True)
        for a, b in zip(row, wanted, strict=True)
    )
    if not (isotropic and aligned and min(geometry.shape_zyx) >= _FEWEST_VOXELS):
        raise InputError(
            "the lungs are segmented on a canonical 1 mm grid only",
            code="NOT_CANONICAL",
            expected="1 mm voxels along z (head), y (back), x (left)",
            got=f"{spacing} mm, direction {geometry.direction}",
            hint="Run Resample first",
        )
