"""How well grown masks agree with the readers' outlines of a crop set.

The reference is what at least half of three or more readers outlined. A reader's own figures are
against the same consensus of the others, so that software and readers stand side by side.
Differences of volumes are relative to the mean of both (Bland and Altman 1986), in per cent, with
bias and 95 % limits of agreement, bias -/+ 1.96 standard deviations. Texture is the readers' median
rating on LIDC's scale: below 2.5 ground-glass, to 3.5 part-solid, above solid; calcified counts as
solid. Loads scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (  # type: ignore[import-untyped]
    cohen_kappa_score,
    confusion_matrix,
)

from nodule.evaluate.bootstrap import patient_bootstrap
from nodule.geometry import Vector, as_vector
from nodule.masks import Texture
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.measure.uncertainty import volume_limits_mm3
from nodule.sphere import sphere_diameter_mm
from nodule.training.crop_set import CropSet
from nodule.training.nodule_record import NoduleRecord
from nodule.training.packed_crop import NoduleCrop
from nodule.volume import Volume

Masks = NDArray[np.bool_]
TEXTURES: tuple[Texture, ...] = ("ground-glass", "part-solid", "solid")
SIZES_MM = (
    ("below 6", 0.0, 6.0),
    ("6 to 8", 6.0, 8.0),
    ("8 to 12", 8.0, 12.0),
    ("from 12", 12.0, 99),
)
_LEAST_READERS = 3
_AGREED = 0.5
# a detector's centre and size are off by some 15 % and 25 %
_ASIDE: tuple[Vector, ...] = ((0.1, 0.1, 0.0), (-0.1, 0.0, 0.1), (0.0, -0.1, -0.1))
_GUESSED = (0.8, 1.25)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadNodule:
    """A nodule with its surroundings and the masks of several readers on one grid.

    Parameters
    ----------
    record : its row of the crop set.
    volume : HU.
    readers : bool [reader, z, y, x].
    """

    record: NoduleRecord
    volume: Volume
    readers: Masks

    @property
    def consensus(self) -> Masks:
        """What at least half of the readers outlined."""
        return _agreed(self.readers)

    @property
    def texture(self) -> Texture | None:
        """The readers' median rating as a texture, None where there is none.

        Below 2.5, up to 3.5, above. Nodules are grouped otherwise where detection and malignancy
        are evaluated: by the mean, see :func:`nodule.lidc.texture.texture_class`.
        """
        ratings = self.record.ratings.get("texture", ())
        if not ratings:
            return None
        middle = float(np.median(ratings))
        return TEXTURES[0] if middle < 2.5 else TEXTURES[1] if middle <= 3.5 else TEXTURES[2]


@dataclass(frozen=True, kw_only=True)
class OutlinePair:
    """A mask against its reference: their overlap and both volumes.

    Parameters
    ----------
    dice : 2|A and B| / (|A| + |B|).
    volume_mm3, reference_mm3 : of the mask and of the reference; the mask's is 0 where none grew.
    """

    dice: float
    volume_mm3: float
    reference_mm3: float

    @property
    def volume_error(self) -> float:
        """Difference over the mean of both volumes."""
        return 2 * (self.volume_mm3 - self.reference_mm3) / (self.volume_mm3 + self.reference_mm3)

    @property
    def diameter_error_mm(self) -> float:
        """Difference of the effective diameters."""
        return sphere_diameter_mm(self.volume_mm3) - sphere_diameter_mm(self.reference_mm3)


@dataclass(frozen=True, kw_only=True)
class MaskScore:
    """A nodule's grown mask, and each reader's, against the others.

    Parameters
    ----------
    patient_id, nodule : the nodule's names.
    software : the grown mask against the consensus.
    readers : each reader against the consensus of the others.
    limits_mm3 : stated with the volume, None where none could be stated or no mask grew.
    texture : as measured, None where no mask grew; calcified counts as solid.
    rated : texture by the readers.
    """

    patient_id: str
    nodule: str
    software: OutlinePair
    readers: tuple[OutlinePair, ...]
    limits_mm3: tuple[float, float] | None
    texture: Texture | None
    rated: Texture | None

    @property
    def grown(self) -> bool:
        """Whether a mask could be grown at all."""
        return self.software.volume_mm3 > 0


def read_nodules(
    crops: CropSet, *, keep: Callable[[NoduleRecord], bool] = lambda _: True
) -> Iterator[ReadNodule]:
    """Load the nodules that three or more readers outlined, on the image with most around it.

    Where the set has volumes of interest, a stack is laid on its own and left out without one;
    where it has none, stacks stand for themselves.
    """
    images = {record.voi_file: record for record in crops.records if record.kind == "voi"}
    for record in crops.records:
        if record.kind != "stack" or record.n_readers < _LEAST_READERS or not keep(record):
            continue
        linked = images.get(record.voi_file) if record.origin_lps_mm is not None else None
        if linked is not None:
            volume = crops.load(linked).volume
            readers = _laid_on(volume, crops.load(record))
        elif images:
            continue
        else:
            crop = crops.load(record)
            volume, readers = crop.volume, crop.reader_masks
        if _agreed(readers).any():
            yield ReadNodule(record=record, volume=volume, readers=readers)


def detector_errors() -> Iterator[tuple[Vector, float]]:
    """Yield, without end, how a detector errs: its centre, in diameters, and its size's factor."""
    return zip(cycle(_ASIDE), cycle(_GUESSED), strict=False)


def score_masks(
    nodules: Iterator[ReadNodule], *, rules: GrowthRules | None = None
) -> Iterator[MaskScore]:
    """Grow each nodule from a point aside of its centre, with a wrong guess of its size.

    Both errors are those of a detector: 0.14 diameters, and -20 % or +25 %.
    """
    for nodule, (aside, guess) in zip(nodules, detector_errors(), strict=False):
        yield _score(nodule, rules or GrowthRules(), aside, guess)


def mask_figures(
    scores: Sequence[MaskScore], *, draws: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """Sum up scores as plain numbers.

    Parameters
    ----------
    scores : one per nodule.
    draws, seed : of the bootstrap over patients.

    Returns
    -------
    dict : names to numbers, ready for JSON; intervals are 95 %.
    """
    dice = np.array([score.software.dice for score in scores])
    interval = patient_bootstrap(
        lambda index: float(np.median(dice[index])),
        [score.patient_id for score in scores],
        rng=np.random.default_rng(seed),
        draws=draws,
    )
    return {
        "n_patients": len({score.patient_id for score in scores}),
        "dice_interval": [interval.lower, interval.upper],
        **_group(scores),
        "volume_limits": _coverage(scores),
        "texture": _texture_agreement(scores),
        "by_size": {
            name: _group([s for s in scores if low <= _reference_mm(s) < high])
            for name, low, high in SIZES_MM
        },
        "by_texture": {
            texture: _group([s for s in scores if s.rated == texture]) for texture in TEXTURES
        },
    }


def _agreed(readers: Masks) -> Masks:
    return np.asarray(readers.mean(axis=0) >= _AGREED, dtype=np.bool_)


def _laid_on(image: Volume, stack: NoduleCrop) -> Masks:
    """Lay a stack's masks on the grid of the same nodule's volume of interest."""
    reader, *index = np.nonzero(stack.reader_masks)
    points = stack.volume.geometry.index_to_lps(np.stack(index, axis=1))
    places = np.rint(image.geometry.lps_to_index(points)).astype(int)
    inside = ((places >= 0) & (places < np.array(image.geometry.shape_zyx))).all(axis=1)
    masks = np.zeros((len(stack.reader_masks), *image.geometry.shape_zyx), dtype=np.bool_)
    masks[reader[inside], *places[inside].T] = True
    return masks


def _score(nodule: ReadNodule, rules: GrowthRules, aside: Vector, guess: float) -> MaskScore:
    consensus, geometry = nodule.consensus, nodule.volume.geometry
    diameter_mm = sphere_diameter_mm(float(consensus.sum()) * geometry.voxel_volume_mm3)
    center = geometry.index_to_lps(np.argwhere(consensus).mean(axis=0))
    found = segment_nodule(
        nodule.volume,
        center_lps_mm=as_vector(center + np.asarray(aside) * diameter_mm),
        diameter_mm=guess * diameter_mm,
        rules=rules,
    )
    mask, limits_mm3, texture = np.zeros_like(consensus), None, None
    if found is not None:
        part = zip(found.start_zyx, found.array_zyx.shape, strict=True)
        mask[tuple(slice(a, a + n) for a, n in part)] = found.array_zyx
        # a crop's end is not the scan's
        limits_mm3 = volume_limits_mm3(found.volume_mm3, slice_mm=geometry.spacing_zyx_mm[0])
        texture = "solid" if found.texture == "calcified" else found.texture
    voxel_mm3 = geometry.voxel_volume_mm3
    return MaskScore(
        patient_id=nodule.record.patient_id,
        nodule=nodule.record.nodule_key,
        software=_pair(mask, consensus, voxel_mm3),
        readers=tuple(_pairs_of_readers(nodule.readers, voxel_mm3)),
        limits_mm3=limits_mm3,
        texture=texture,
        rated=nodule.texture,
    )


def _pairs_of_readers(readers: Masks, voxel_mm3: float) -> Iterator[OutlinePair]:
    for number, own in enumerate(readers):
        others = _agreed(np.delete(readers, number, axis=0))
        if own.any() and others.any():
            yield _pair(own, others, voxel_mm3)


def _pair(mask: Masks, reference: Masks, voxel_mm3: float) -> OutlinePair:
    size, wanted = int(mask.sum()), int(reference.sum())
    return OutlinePair(
        dice=2 * int((mask & reference).sum()) / (size + wanted),
        volume_mm3=size * voxel_mm3,
        reference_mm3=wanted * voxel_mm3,
    )


def _reference_mm(score: MaskScore) -> float:
    return sphere_diameter_mm(score.software.reference_mm3)


def _group(scores: Sequence[MaskScore]) -> dict[str, Any]:
    grown = [score.software for score in scores if score.grown]
    readers = [pair for score in scores for pair in score.readers]
    return {
        "n": len(scores),
        "n_not_grown": len(scores) - len(grown),
        "dice": _median([score.software.dice for score in scores]),
        "reader_dice": _median([pair.dice for pair in readers]),
        "volume_error": _agreement([pair.volume_error for pair in grown]),
        "reader_volume_error": _agreement([pair.volume_error for pair in readers]),
        "diameter_error_mm": _agreement([pair.diameter_error_mm for pair in grown]),
        "reader_diameter_error_mm": _agreement([pair.diameter_error_mm for pair in readers]),
    }


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _agreement(errors: Sequence[float]) -> dict[str, float] | None:
    """Return bias and 95 % limits of agreement, None of fewer than two errors."""
    if len(errors) < 2:
        return None
    bias, spread = float(np.mean(errors)), 1.96 * float(np.std(errors, ddof=1))
    return {"bias": bias, "lower": bias - spread, "upper": bias + spread}


def _coverage(scores: Sequence[MaskScore]) -> dict[str, Any]:
    """Return how often the stated limits hold the consensus' volume."""
    stated = [(s.limits_mm3, s.software.reference_mm3) for s in scores if s.limits_mm3 is not None]
    held = [low <= reference <= high for (low, high), reference in stated]
    return {"n": len(held), "held": float(np.mean(held)) if held else None}


def _texture_agreement(scores: Sequence[MaskScore]) -> dict[str, Any]:
    judged = [(s.rated, s.texture) for s in scores if s.rated is not None and s.texture is not None]
    rated, measured = [pair[0] for pair in judged], [pair[1] for pair in judged]
    several = len(set(rated) | set(measured)) > 1
    return {
        "n": len(judged),
        "order": list(TEXTURES),
        "matrix_rated_by_measured": (
            confusion_matrix(rated, measured, labels=TEXTURES).tolist() if judged else []
        ),
        "kappa": float(cohen_kappa_score(rated, measured, labels=TEXTURES)) if several else None,
        "quadratic_kappa": (
            float(cohen_kappa_score(rated, measured, labels=TEXTURES, weights="quadratic"))
            if several
            else None
        ),
    }
