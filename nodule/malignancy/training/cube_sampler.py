"""Training samples: cubes around nodules and around what is none, endlessly varied.

The crop set seldom shows a nodule as a scan would. A stack ends, above and below, with the last
slice that a reader outlined, so its depth betrays the nodule's height, and that it is a nodule at
all; beyond it lies nothing. Padding of any visible kind would let the network read the answer off
the padding, and would look like no scan. Therefore:

- What a view does not show is filled with lung: another patient's, or synthetic parenchyma, joined
  by a soft seam. Turned cubes need the same fill at the sides.
- The nodule output learns from a nodule only where the view is deep (``DEEP_MM``) or where the
  nodule is *planted*, with a rim of its own lung, into a whole scan. Malignancy and the other
  ratings learn from all views.
- Negatives pass through the same seams: whole-scan places cut to boxes and filled, deep views
  looked at away from the nodule, places that readers rejected, and patches of empty lung planted
  with the outline of a nodule.
  So neither a seam nor its absence says what lies at the centre.
- Where a detector's marks on whole scans are known, most of the scans' places are its mistakes:
  these are what the network will be asked about.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from nodule.geometry import as_vector
from nodule.hu import NETWORK_WINDOW
from nodule.malignancy.network import LEVELS, REFERENCE_DIAMETER_MM
from nodule.malignancy.training.backgrounds import Background, Place
from nodule.malignancy.training.cube_noise import degrade
from nodule.malignancy.training.nodule_examples import NoduleExample, View, views_deeper_than
from nodule.malignancy.training.sample_poses import (
    Cube,
    Look,
    Outline,
    Piece,
    draw_look,
    synthetic_parenchyma,
    whole_view,
)
from nodule.training.copy_paste import feathered_blend

DEEP_MM = 14.0
"""A view this deep shows enough above and below to tell a nodule from a vessel."""

_SHARES = (0.45, 0.25, 0.08, 0.05)
"""Of slabs and planted nodules, of places elsewhere and empty; the rest are places in scans."""
_SHARES_WITH_MISTAKES = (0.42, 0.23, 0.10, 0.04)
_MISTAKES = 0.6  # of the places in scans, where mistakes of a detector are known
_REJECTED = 0.5  # of those elsewhere, if readers rejected any place
_AWAY_MM = 8.0  # from any reader's outline to the centre of a negative
_BORDER_MM = 9.0
_STRUCTURE_ABOVE_HU = -600.0
_EMPTY_BELOW_HU = -750.0
_FAR_MM = 60.0  # beyond the corner of any cube

Sample = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class CubeSampler:
    """The endless training samples, each from the seed and its index alone.

    Parameters
    ----------
    examples : nodules, drawn in proportion to the readers who marked them.
    backgrounds : whole scans, at least one.
    magnifications_mm, cube : the network's input.
    seed : of all draws.
    rejected : places that readers took for no nodule.
    """

    examples: Sequence[NoduleExample]
    backgrounds: Sequence[Background]
    magnifications_mm: Sequence[float]
    cube: int
    seed: int
    rejected: Sequence[View] = ()
    _cumulative: NDArray[np.float64] = field(init=False)
    _deep: tuple[View, ...] = field(init=False)

    def __post_init__(self) -> None:
        readers = np.array([example.record.n_readers for example in self.examples], float)
        object.__setattr__(self, "_cumulative", np.cumsum(readers) / readers.sum())
        object.__setattr__(self, "_deep", views_deeper_than(self.examples, DEEP_MM))

    def __getitem__(self, index: int) -> Sample:
        """Draw a sample; see :func:`target` for its parts."""
        rng = np.random.default_rng((self.seed, index))
        look = draw_look(rng)
        kind = rng.random()
        slab, planted, away, empty = _SHARES_WITH_MISTAKES if self._knows_mistakes else _SHARES
        if kind < slab + planted:
            return self._nodule(rng, look, planted=kind >= slab)
        kind -= slab + planted
        if kind < away:
            cubes = self._fill_and_join(rng, look, self._elsewhere(rng))
        elif kind < away + empty:
            cubes = self._plant(rng, look, empty_lung(rng, self._example(rng)), "structure")
        else:
            cubes = self._scan(rng, look)
        return {"cubes": self._finish(rng, cubes), **target(None, nodule_known=True)}

    def _elsewhere(self, rng: Generator) -> Piece:
        if not self.rejected or rng.random() >= _REJECTED:
            return elsewhere(rng, self._deep)
        return whole_view(self.rejected[int(rng.integers(len(self.rejected)))])

    def _nodule(self, rng: Generator, look: Look, *, planted: bool) -> Sample:
        example = self._example(rng)
        view = example.views[rng.integers(len(example.views))]
        if planted:
            cubes = self._plant(rng, look, nodule_piece(rng, view), "parenchyma")
        else:
            cubes = self._fill_and_join(rng, look, whole_view(view))
        known = planted or view.depth_mm >= DEEP_MM
        labels = target(example, nodule_known=known, scale=look.scale)
        return {"cubes": self._finish(rng, cubes), **labels}

    def _example(self, rng: Generator) -> NoduleExample:
        return self.examples[int(np.searchsorted(self._cumulative, rng.random()))]

    def _plant(self, rng: Generator, look: Look, piece: Piece, place: Place) -> list[Cube]:
        return self._join(rng, look, piece, under=self._other_lung(rng, place))

    def _fill_and_join(self, rng: Generator, look: Look, piece: Piece) -> list[Cube]:
        if rng.random() < 0.5:
            return self._join(rng, look, piece, under=self._other_lung(rng, "parenchyma"))
        level_hu, spread_hu = rng.normal(-850.0, 40.0), rng.uniform(20.0, 80.0)
        under = [
            synthetic_parenchyma(rng, cube=self.cube, level_hu=level_hu, spread_hu=spread_hu)
            for _ in self.magnifications_mm
        ]
        return self._join(rng, look, piece, under=under)

    def _join(
        self, rng: Generator, look: Look, piece: Piece, *, under: Sequence[Cube]
    ) -> list[Cube]:
        seam_mm = rng.uniform(1.0, 3.0)
        cubes = []
        for pitch_mm, below in zip(self.magnifications_mm, under, strict=True):
            hu, depth_mm = piece.take(look, pitch_mm=pitch_mm, cube=self.cube)
            cubes.append(feathered_blend(hu, below, depth_mm=depth_mm, seam_mm=seam_mm))
        return cubes

    def _other_lung(self, rng: Generator, place: Place) -> list[Cube]:
        piece, look = scan_place(rng, self.backgrounds, place), draw_look(rng)
        return [
            piece.take(look, pitch_mm=pitch, cube=self.cube)[0] for pitch in self.magnifications_mm
        ]

    def _scan(self, rng: Generator, look: Look) -> list[Cube]:
        place = self._draw_place(rng)
        if rng.random() < 0.5:
            return self._fill_and_join(
                rng,
                look,
                scan_place(
                    rng, self.backgrounds, place, half_mm=rng.uniform(8.0, 32.0, 3).tolist()
                ),
            )
        piece = scan_place(rng, self.backgrounds, place)
        return [
            piece.take(look, pitch_mm=pitch, cube=self.cube)[0] for pitch in self.magnifications_mm
        ]

    @functools.cached_property
    def _knows_mistakes(self) -> bool:
        return any("mistake" in each.places for each in self.backgrounds)

    def _draw_place(self, rng: Generator) -> Place:
        if self._knows_mistakes and rng.random() < _MISTAKES:
            return "mistake"
        return "structure" if rng.random() < 0.85 else "parenchyma"

    def _finish(self, rng: Generator, cubes: Sequence[Cube]) -> Tensor:
        return torch.from_numpy(NETWORK_WINDOW.normalise(degrade(np.stack(cubes), rng)))


def target(example: NoduleExample | None, *, nodule_known: bool, scale: float = 1.0) -> Sample:
    """Return what the network should say.

    Parameters
    ----------
    example : the nodule, None for a place without.
    nodule_known : whether the cubes show enough for the nodule output to learn from them.
    scale : by how much the nodule looks larger.

    Returns
    -------
    ``nodule`` : share of the four readers who marked a nodule.
    ``nodule_weight`` : 1, or 0 where the nodule output must not learn.
    ``votes`` : all characteristics' votes end to end, in the order of ``LEVELS``; zeros for
        negatives and the unrated.
    ``log_diameter``, ``diameter_weight`` : natural logarithm over ``REFERENCE_DIAMETER_MM``;
        weight 0 for negatives.
    """
    if example is None:
        votes, share, log_diameter = [0] * sum(LEVELS.values()), 0.0, 0.0
    else:
        votes = [count for name in LEVELS for count in example.votes[name]]
        share = example.reader_share
        log_diameter = math.log(example.record.diameter_mm * scale / REFERENCE_DIAMETER_MM)
    return {
        "nodule": torch.tensor(share),
        "nodule_weight": torch.tensor(float(nodule_known)),
        "votes": torch.tensor(votes, dtype=torch.float32),
        "log_diameter": torch.tensor(log_diameter),
        "diameter_weight": torch.tensor(float(example is not None)),
    }


def nodule_piece(rng: Generator, view: View) -> Piece:
    """Return a nodule with 2 to 6 mm of its surroundings."""
    outline = Outline(
        distance_mm=view.distance_mm, center_zyx=view.center_zyx, rim_mm=rng.uniform(2.0, 6.0)
    )
    return Piece(
        hu=view.hu, spacing_zyx_mm=view.spacing_zyx_mm, center_zyx=view.center_zyx, outline=outline
    )


def empty_lung(rng: Generator, example: NoduleExample) -> Piece:
    """Return aerated lung beside a nodule, at its height and in its outline."""
    view = example.views[0]
    calm = (view.distance_mm > _AWAY_MM) & (view.hu < _EMPTY_BELOW_HU)
    # at another height or on the border the outline would be cut off elsewhere
    height = round(view.center_zyx[0])
    calm[np.arange(len(calm)) != height] = False
    border = round(_BORDER_MM / view.spacing_zyx_mm[1])
    inner = np.zeros_like(calm)
    inner[:, border:-border, border:-border] = True
    piece = nodule_piece(rng, view)
    return Piece(
        hu=piece.hu,
        spacing_zyx_mm=piece.spacing_zyx_mm,
        center_zyx=_any(rng, calm & inner, view),
        outline=piece.outline,
    )


def elsewhere(rng: Generator, deep: Sequence[View]) -> Piece:
    """Return a deep view, looked at where something dense is that no reader marked."""
    view = deep[int(rng.integers(len(deep)))]
    dense = (view.distance_mm > _AWAY_MM) & (view.hu > _STRUCTURE_ABOVE_HU)
    # the outermost slices would show half of what they hold
    margin = int(DEEP_MM / 3 / view.spacing_zyx_mm[0])
    dense[:margin] = False
    dense[len(dense) - margin :] = False
    return Piece(hu=view.hu, spacing_zyx_mm=view.spacing_zyx_mm, center_zyx=_any(rng, dense, view))


def _any(rng: Generator, where: NDArray[np.bool_], view: View) -> tuple[float, float, float]:
    index = np.flatnonzero(where)
    if not len(index):
        index = np.array([int(view.distance_mm.argmax())])
    return as_vector(np.unravel_index(index[rng.integers(len(index))], where.shape))


def scan_place(
    rng: Generator,
    backgrounds: Sequence[Background],
    place: Place,
    *,
    half_mm: Sequence[float] = (_FAR_MM, _FAR_MM, _FAR_MM),
) -> Piece:
    """Return a place in one of the scans that have such, with ``half_mm`` zyx to each side."""
    able = [each for each in backgrounds if place in each.places]
    scan = able[int(rng.integers(len(able)))]
    places = scan.places[place]
    hu, center = scan.block(places[rng.integers(len(places))], half_mm=half_mm)
    return Piece(hu=hu, spacing_zyx_mm=scan.spacing_zyx_mm, center_zyx=center)
