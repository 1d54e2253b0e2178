"""Training samples: cubes around nodules and around what is none, endlessly varied.

The crop set seldom shows a nodule as a scan would. A stack ends, above and below, with the last
slice that a reader outlined, so its depth betrays the nodule's height, and that it is a nodule at
all; beyond it lies nothing. Padding of any visible kind would let the network read the answer off
the padding, and would look like no scan. Therefore:

- What a view does not show is filled with lung: another patient's, or synthetic parenchyma, by a
  feathered blend. Turned cubes need the same fill at the sides.
- The nodule output learns from a nodule only where the view is deep (``DEEP_MM``) or where the
  nodule is *inserted*, with a rim of its own lung, into a whole scan. Malignancy and the other
  ratings learn from all views.
- Negatives pass through the same blends: whole-scan places cut to boxes and filled, deep views
  looked at away from the nodule, places that readers rejected, and patches of empty lung inserted
  with the outline of a nodule.
  So neither a blend nor its absence says what lies at the centre.
- Where hard negatives of whole scans are known, most of the scans' places are these: they are what
  the network will be asked about.
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

from nodule.hu import NETWORK_WINDOW, normalise_in_two_windows
from nodule.malignancy._answers import LEVELS, REFERENCE_DIAMETER_MM
from nodule.malignancy.training._backgrounds import Background, BackgroundKind
from nodule.malignancy.training._nodule_examples import (
    NoduleCropView,
    NoduleExample,
    views_deeper_than,
)
from nodule.malignancy.training._pieces import (
    DEEP_MM,
    elsewhere,
    empty_lung,
    nodule_piece,
    scan_place,
)
from nodule.training import (
    Image,
    Piece,
    PoseRanges,
    SamplePose,
    ScannerRanges,
    draw_pose,
    draw_scanner,
    feathered_blend,
    synthetic_parenchyma,
)

_POSES = PoseRanges(
    any_turn_share=0.25,
    upright_share=0.5,
    tilt_deg=11.5,
    scale=(0.9, 1.1),
    shift_mm=(3.0, 3.0, 3.0),
    centered_share=0.2,
)
_SCANNERS = ScannerRanges(
    thick_share=0.25,
    thickness_mm=(1.4, 3.0),
    sharpen_share=0.0,
    noise_share=0.5,
    noise_hu=(5.0, 50.0),
    correlated_share=0.0,
    shift_hu=21.0,
    gain=(1.0, 1.0),  # the density of calcium is told by few HU
)
_SHARES = (0.45, 0.25, 0.08, 0.05)
"""Of slabs and inserted nodules, of places elsewhere and empty; the rest are places in scans."""
_SHARES_WITH_HARD_NEGATIVES = (0.33, 0.20, 0.07, 0.03)
_HARD_SHARE = 0.75  # of the places in scans, where hard negatives are known
_REJECTED = 0.5  # of those elsewhere, if readers rejected any place
_FEATHER_MM = (1.0, 3.0)
_CLIPPED = 0.5  # of the samples: most crops are, so that being clipped must not tell a nodule

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
    rejected: Sequence[NoduleCropView] = ()
    _cumulative: NDArray[np.float64] = field(init=False)
    _deep: tuple[NoduleCropView, ...] = field(init=False)

    def __post_init__(self) -> None:
        readers = np.array([example.record.n_readers for example in self.examples], float)
        object.__setattr__(self, "_cumulative", np.cumsum(readers) / readers.sum())
        object.__setattr__(self, "_deep", views_deeper_than(self.examples, DEEP_MM))

    def __getitem__(self, index: int) -> Sample:
        """Draw a sample; see :func:`target` for its parts."""
        rng = np.random.default_rng((self.seed, index))
        pose = draw_pose(rng, _POSES)
        kind = rng.random()
        knows_hard = self._knows_hard_negatives
        slab, inserted, away, empty = _SHARES_WITH_HARD_NEGATIVES if knows_hard else _SHARES
        if kind < slab + inserted:
            return self._nodule(rng, pose, inserted=kind >= slab)
        kind -= slab + inserted
        if kind < away:
            cubes = self._fill_around(rng, pose, self._elsewhere(rng))
        elif kind < away + empty:
            cubes = self._insert(rng, pose, empty_lung(rng, self._example(rng)), "structure")
        else:
            cubes = self._scan(rng, pose)
        return {"cubes": self._finish(rng, cubes), **target(None, nodule_known=True)}

    def _elsewhere(self, rng: Generator) -> Piece:
        if not self.rejected or rng.random() >= _REJECTED:
            return elsewhere(rng, self._deep)
        return self.rejected[int(rng.integers(len(self.rejected)))].piece

    def _nodule(self, rng: Generator, pose: SamplePose, *, inserted: bool) -> Sample:
        example = self._example(rng)
        view = example.views[rng.integers(len(example.views))]
        if inserted:
            cubes = self._insert(rng, pose, nodule_piece(rng, view), "parenchyma")
        else:
            cubes = self._fill_around(rng, pose, view.piece)
        known = inserted or view.depth_mm >= DEEP_MM
        labels = target(example, nodule_known=known, scale=pose.scale)
        return {"cubes": self._finish(rng, cubes), **labels}

    def _example(self, rng: Generator) -> NoduleExample:
        return self.examples[int(np.searchsorted(self._cumulative, rng.random()))]

    def _insert(
        self, rng: Generator, pose: SamplePose, piece: Piece, kind: BackgroundKind
    ) -> list[Image]:
        return self._blend(rng, pose, piece, under=self._other_lung(rng, kind))

    def _fill_around(self, rng: Generator, pose: SamplePose, piece: Piece) -> list[Image]:
        if rng.random() < 0.5:
            return self._blend(rng, pose, piece, under=self._other_lung(rng, "parenchyma"))
        level_hu, sd_hu = rng.normal(-850.0, 40.0), rng.uniform(20.0, 80.0)
        under = [
            synthetic_parenchyma(rng, shape_zyx=self._shape, level_hu=level_hu, sd_hu=sd_hu)
            for _ in self.magnifications_mm
        ]
        return self._blend(rng, pose, piece, under=under)

    def _blend(
        self, rng: Generator, pose: SamplePose, piece: Piece, *, under: Sequence[Image]
    ) -> list[Image]:
        width_mm = rng.uniform(*_FEATHER_MM)
        return [
            feathered_blend(hu, below, depth_mm=depth_mm, width_mm=width_mm)
            for (hu, depth_mm), below in zip(self._take(piece, pose), under, strict=True)
        ]

    def _take(self, piece: Piece, pose: SamplePose) -> list[tuple[Image, Image]]:
        return [
            piece.take(pose, shape_zyx=self._shape, voxel_mm=voxel_mm)
            for voxel_mm in self.magnifications_mm
        ]

    def _other_lung(self, rng: Generator, kind: BackgroundKind) -> list[Image]:
        piece, pose = scan_place(rng, self.backgrounds, kind), draw_pose(rng, _POSES)
        return [hu for hu, _ in self._take(piece, pose)]

    def _scan(self, rng: Generator, pose: SamplePose) -> list[Image]:
        kind = self._draw_kind(rng)
        if rng.random() < 0.5:
            half_mm = rng.uniform(8.0, 32.0, 3).tolist()
            piece = scan_place(rng, self.backgrounds, kind, half_mm=half_mm)
            return self._fill_around(rng, pose, piece)
        return [hu for hu, _ in self._take(scan_place(rng, self.backgrounds, kind), pose)]

    @property
    def _shape(self) -> tuple[int, int, int]:
        return (self.cube, self.cube, self.cube)

    @functools.cached_property
    def _knows_hard_negatives(self) -> bool:
        return any("hard negative" in each.places for each in self.backgrounds)

    def _draw_kind(self, rng: Generator) -> BackgroundKind:
        if self._knows_hard_negatives and rng.random() < _HARD_SHARE:
            return "hard negative"
        return "structure" if rng.random() < 0.85 else "parenchyma"

    def _finish(self, rng: Generator, cubes: Sequence[Image]) -> Tensor:
        if rng.random() < _CLIPPED:
            cubes = [NETWORK_WINDOW.clip(cube) for cube in cubes]
        scanner = draw_scanner(rng, _SCANNERS)
        shown = [
            scanner.show(cube, rng, voxel_mm=voxel_mm)
            for voxel_mm, cube in zip(self.magnifications_mm, cubes, strict=True)
        ]
        return torch.from_numpy(normalise_in_two_windows(np.stack(shown)))


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
