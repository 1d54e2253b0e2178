"""Candidates on the nodules of a crop set: how many of hundreds of patients' are found.

A crop is laid into an otherwise empty patch of 1 mm voxels, the nodule near its middle, and the
network looks at that as at a window of a scan. Beyond the crop is air, as in training: a stack
shows nothing above and below its nodule, so that these figures lack what context would tell,
for better and for worse. A nodule counts as found where a mark lies strictly within its radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.candidates.heatmap import STRIDE
from nodule.candidates.peaks import Peak, find_peaks, suppress
from nodule.candidates.stage import ProposeCandidates, load_network
from nodule.candidates.sweep import plan_windows, sweep
from nodule.candidates.views import centered
from nodule.evaluate.ratings import Interval, patient_bootstrap
from nodule.evaluate.scans import CERTAIN_READERS, LEAST_DIAMETER_MM
from nodule.geometry import as_matrix
from nodule.hu import AIR_HU, NETWORK_WINDOW
from nodule.inference import pick_device
from nodule.lidc.crops import CropSet, NoduleRecord, PackedCrop, decode_hu, distinct
from nodule.progress import Progress, silent

PATCH_MM = 64
SIZES_MM = (6.0, 10.0, 20.0)
HEIGHTS_MM = (10.0, 20.0)

_SIZE_NAMES = ("<6", "6-<10", "10-<20", ">=20")
_HEIGHT_NAMES = ("<10", "10-<20", ">=20")
_OFF_GRID_MM = STRIDE / 2  # no nodule shall sit on the network's grid because it was centred


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredNodule:
    """How a detector fared on one crop.

    Parameters
    ----------
    record : the crop's row.
    score : best score of a mark strictly within the nodule's radius, 0 if missed.
    height_mm : of the crop along z: how much the network could see.
    """

    record: NoduleRecord
    score: float
    height_mm: float

    @property
    def size(self) -> str:
        """Class of the diameter, mm."""
        return _SIZE_NAMES[int(np.digitize(self.record.diameter_mm, SIZES_MM))]

    @property
    def height(self) -> str:
        """Class of the crop's height, mm; training draws on stacks from 10 mm up."""
        return _HEIGHT_NAMES[int(np.digitize(self.height_mm, HEIGHTS_MM))]

    @property
    def texture(self) -> str:
        """Class of the readers' mean texture: up to 2, below 4, from 4 on the scale to 5."""
        ratings = self.record.ratings.get("texture", ())
        if not ratings:
            return "unrated"
        mean = sum(ratings) / len(ratings)
        return "ground-glass" if mean <= 2 else "part-solid" if mean < 4 else "solid"


def certain_records(crops: CropSet, *, folds: Sequence[int] = ()) -> tuple[NoduleRecord, ...]:
    """Return every record of a nodule of 3 mm or more by three readers or more.

    A nodule's readers are those of its stack, or else of its volume of interest; a cube without
    link to either has unknown readers and is left out.

    Parameters
    ----------
    folds : all if empty.
    """
    readers: dict[str, int] = {}
    for record in distinct(crops.records, prefer=("stack", "voi")):
        readers[record.nodule_key] = record.n_readers
    return tuple(
        record
        for record in crops.records
        if (not folds or record.fold in folds)
        and readers.get(record.nodule_key, 0) >= CERTAIN_READERS
        and record.diameter_mm >= LEAST_DIAMETER_MM
    )


def score_records(
    crops: CropSet,
    records: Sequence[NoduleRecord],
    *,
    candidates: ProposeCandidates,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[ScoredNodule, ...]:
    """Look for each record's nodule in its crop.

    Parameters
    ----------
    records : of the crop set.
    candidates : whose network, precision, lowest score and suppression are used.
    seed : of where nodules lie relative to the network's grid.

    Raises
    ------
    InputError : as :meth:`CropSet.pack_all`.
    WeightsError : as :func:`load_network`.
    """
    device = pick_device(candidates.device)
    network = load_network(candidates.weights, device)
    window = PATCH_MM // STRIDE
    everywhere = np.ones((window,) * 3, np.bool_)
    windows = plan_windows(everywhere, window=window, halo=window // 4)
    scored = []
    for index, packed in enumerate(crops.pack_all(records)):
        patch, center = lay(packed, rng=np.random.default_rng([seed, index]))
        answers = sweep(
            network, patch, windows, window=window, batch=1, device=device,
            precision=candidates.precision,
        )  # fmt: skip
        peaks = find_peaks(answers, wanted=everywhere, threshold=candidates.score_threshold)
        kept = suppress(peaks, apart_mm=candidates.apart_mm, limit=candidates.max_candidates)
        score = best_hit(kept, center, diameter_mm=packed.record.diameter_mm)
        height_mm = packed.geometry.shape_zyx[0] * packed.geometry.spacing_zyx_mm[0]
        scored.append(ScoredNodule(record=packed.record, score=score, height_mm=height_mm))
        progress((index + 1) / len(records))
    return tuple(scored)


def one_per_nodule(scored: Sequence[ScoredNodule]) -> tuple[ScoredNodule, ...]:
    """Keep of each nodule the crop with the most context: cube, then stack, then VOI."""
    best = distinct((each.record for each in scored), prefer=("crop51", "stack", "voi"))
    chosen = {id(record) for record in best}
    return tuple(each for each in scored if id(each.record) in chosen)


def sensitivity(
    scored: Sequence[ScoredNodule], threshold: float, *, draws: int = 1000, seed: int = 0
) -> Interval:
    """Return the share scoring at least the threshold, with its interval over patients.

    Raises
    ------
    InputError : ``NO_CASES``.
    """
    found = np.array([each.score >= threshold for each in scored])
    return patient_bootstrap(
        lambda index: float(found[index].mean()) if len(found) else float("nan"),
        [each.record.patient_id for each in scored],
        rng=np.random.default_rng(seed),
        draws=draws,
    )


def best_hit(
    peaks: Sequence[Peak], center_zyx: NDArray[np.float64], *, diameter_mm: float
) -> float:
    """Return the best score strictly within the radius, mm at 1 mm; 0 without any."""
    radius_mm = diameter_mm / 2
    return max(
        (
            peak.score
            for peak in peaks
            if float(np.linalg.norm(np.subtract(peak.center_zyx, center_zyx))) < radius_mm
        ),
        default=0.0,
    )


def lay(
    packed: PackedCrop, *, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Lay a crop into an empty patch.

    Parameters
    ----------
    rng : of where between the network's cells the nodule lies.

    Returns
    -------
    The patch, float32 HU [z, y, x], 1 mm, and the centre of the nodule in its voxels, zyx.
    """
    spacing = packed.geometry.spacing_zyx_mm
    crop = packed.unpack()
    masks = (crop.consensus(), crop.reader_masks.any(axis=0))
    inside = next((np.argwhere(mask) for mask in masks if mask.any()), np.empty((0, 3)))
    middle = (np.asarray(packed.stored.shape) - 1) / 2
    center_mm = (inside.mean(axis=0) if len(inside) else middle) * np.asarray(spacing)
    shift = rng.uniform(-_OFF_GRID_MM, _OFF_GRID_MM, size=3)
    view = centered(center_mm + shift, size=PATCH_MM, turn=as_matrix(np.eye(3)))
    hu = NETWORK_WINDOW.clip(decode_hu(packed.stored))
    patch = view.cut(hu, spacing_zyx_mm=spacing, outside=AIR_HU, mode="nearest")
    # slices are as thick as they are apart, so that even a single one shows something
    at_mm = view.to_scan(np.repeat(np.arange(PATCH_MM)[:, None], 3, axis=1))
    covered = np.abs(at_mm / spacing - middle) < np.asarray(packed.stored.shape) / 2
    z, y, x = covered.T
    patch[~(z[:, None, None] & y[:, None] & x)] = AIR_HU
    return patch, view.to_patch(center_mm)
