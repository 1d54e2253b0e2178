"""Saliency maps over pictures: for the page, where they can be switched off, and as one sheet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nodule.geometry import Vector
from nodule.page.figures import EDGES, Picture, Plane, cut_plane, plane_pictures, png
from nodule.saliency import Answer, SaliencyMap
from nodule.volume import Volume

# colours of matplotlib's inferno, which rises evenly in lightness; what is cool is not drawn
_LEVELS = (0.2, 0.4, 0.6, 0.8, 1.0)
_COLOURS = ((101, 21, 110), (159, 42, 99), (212, 72, 66), (245, 125, 21), (250, 193, 39))
_OPACITIES = (0.0, 0.4, 0.55, 0.65, 0.7)
_SHADE = {"facecolor": "black", "edgecolor": "none", "alpha": 0.45, "pad": 1.5}
_PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
_NAMES: dict[Answer, str] = {
    "malignancy": "rating of malignancy",
    "nodule": "probability of a nodule",
}


SCALE: tuple[tuple[float, str], ...] = tuple(
    (level, f"rgb({r} {g} {b})") for level, (r, g, b) in zip(_LEVELS, _COLOURS, strict=True)
)
"""Share of the greatest saliency and its colour, as a gradient of the page takes them."""


@dataclass(frozen=True, kw_only=True)
class SaliencyFigure:
    """A picture, and the map that lies over the whole of it."""

    picture: Picture
    overlay: Picture

    @property
    def edges(self) -> tuple[str, str]:
        """Names of the left and of the upper edge."""
        return EDGES[self.picture.plane]


@dataclass(frozen=True, kw_only=True)
class SaliencyPanel:
    """What the page says of where the networks looked.

    ``raised`` names the answer, ``hiding`` says how the map stood its test, ``cube_mm`` is the
    edge of what the networks saw.
    """

    figures: tuple[SaliencyFigure, ...]
    raised: str
    hiding: str
    cube_mm: float


def saliency_panel(saliency_map: SaliencyMap, pictures: Sequence[Picture]) -> SaliencyPanel:
    """Draw a map over pictures of its finding, and say what it is."""
    geometry = saliency_map.geometry
    return SaliencyPanel(
        figures=saliency_figures(saliency_map, pictures),
        raised=_NAMES[saliency_map.answer],
        hiding=hiding_in_words(saliency_map),
        cube_mm=geometry.shape_zyx[0] * geometry.spacing_zyx_mm[0],
    )


def saliency_figures(
    saliency_map: SaliencyMap, pictures: Sequence[Picture]
) -> tuple[SaliencyFigure, ...]:
    """Draw a map over pictures of its finding."""
    return tuple(
        SaliencyFigure(picture=each, overlay=_overlay(each, saliency_map)) for each in pictures
    )


def saliency_sheet(
    saliency_map: SaliencyMap, volume: Volume, *, center_lps_mm: Vector, edge_mm: float
) -> bytes:
    """Return a PNG with three planes through a finding, as they are and under the map.

    Parameters
    ----------
    saliency_map : the map.
    volume : the scan, HU on any grid.
    center_lps_mm : where the planes cross.
    edge_mm : of each picture.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    pictures = [
        picture
        for plane in _PLANES
        for picture in plane_pictures(
            volume, center_lps_mm=center_lps_mm, plane=plane, edge_mm=edge_mm
        )
    ]
    sheet = Figure(figsize=(9.6, 7.2), dpi=120, facecolor="black", layout="constrained")
    sheet.suptitle(
        f"{saliency_map.finding_id}: what raised the {_NAMES[saliency_map.answer]}", color="white"
    )
    axes = sheet.subplots(2, 3)
    for column, figure in enumerate(saliency_figures(saliency_map, pictures)):
        left, top = figure.edges
        for axis in axes[:, column]:
            _draw(axis, figure.picture)
            axis.text(0.02, 0.5, left, bbox=_SHADE, color="white", transform=axis.transAxes)
            axis.text(0.49, 0.94, top, bbox=_SHADE, color="white", transform=axis.transAxes)
        axes[0, column].set_title(figure.picture.plane, color="white", fontsize="medium")
        _draw(axes[1, column], figure.overlay)
    scale = ScalarMappable(cmap=LinearSegmentedColormap.from_list("saliency", _scale()))
    sheet.colorbar(scale, ax=axes, location="bottom", fraction=0.02, aspect=60, ticks=[]).set_label(
        "from little to most", color="white", fontsize="small"
    )
    sheet.supxlabel(hiding_in_words(saliency_map), color="white", fontsize="small")
    stream = io.BytesIO()
    sheet.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def hiding_in_words(saliency_map: SaliencyMap) -> str:
    """Say what hiding the hottest places does to the answer, and hiding others."""
    checks = saliency_map.checks
    before, hottest, elsewhere = (
        _number(saliency_map.answer, value)
        for value in (
            checks.score,
            checks.score_without_hottest,
            checks.score + checks.change_elsewhere,
        )
    )
    return (
        f"Hiding the most salient tenth of the cube changes it from {before} to {hottest}; "
        f"hiding as much elsewhere changes it to {elsewhere} on average."
    )


def _scale() -> list[tuple[float, tuple[float, ...]]]:
    """Return the scale as matplotlib takes it; the coolest colour goes on down to 0."""
    shares = [tuple(channel / 255 for channel in colour) for colour in _COLOURS]
    return [(0.0, shares[0]), *zip(_LEVELS, shares, strict=True)]


def _number(answer: Answer, value: float) -> str:
    return f"{value:.2f}" if answer == "malignancy" else f"{100 * value:.0f} %"


def _overlay(picture: Picture, saliency_map: SaliencyMap) -> Picture:
    levels = cut_plane(
        saliency_map.saliency_zyx,
        saliency_map.geometry,
        corner_lps_mm=picture.corner_lps_mm,
        plane=picture.plane,
        edge_mm=picture.size_mm[0],
        order=1,
        outside=0.0,
    )
    return replace(picture, png=png(_coloured(levels)))


def _coloured(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return colours and opacities, [row, column, 4]."""
    channels = [np.interp(levels, _LEVELS, channel) for channel in zip(*_COLOURS, strict=True)]
    opacity = np.interp(levels, _LEVELS, _OPACITIES) * 255
    coloured = np.rint(np.stack([*channels, opacity], axis=-1)).astype(np.uint8)
    coloured[coloured[..., 3] == 0] = 0  # what is invisible takes no bytes
    return coloured


def _draw(axis: Any, picture: Picture) -> None:
    axis.imshow(np.asarray(Image.open(io.BytesIO(picture.png))), cmap="gray", vmin=0, vmax=255)
    axis.set_axis_off()
