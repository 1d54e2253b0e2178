"""Nodules of a crop set: how many of hundreds of patients' are found.

Each crop is inserted into the lung of a whole scan
(:mod:`~nodule.evaluate.nodule_detection._crop_patches`), the nodule near the middle of a patch, and
the networks look at that as at a window of a scan. A nodule counts as found where a detection lies
strictly within its radius.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.candidates import (
    STRIDE,
    Peak,
    ProposeCandidates,
    find_peaks,
    load_network,
    plan_windows,
    slide_window,
    suppress,
)
from nodule.errors import InputError
from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstrap
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._nodule_groups import size_class
from nodule.evaluate.nodule_detection._crop_patches import PATCH_MM, HostScan, insert_crop
from nodule.evaluate.nodule_detection._read_scans import LEAST_DIAMETER_MM
from nodule.findings import Candidate
from nodule.geometry import Geometry, as_vector
from nodule.lidc import CERTAIN_READERS, texture_class
from nodule.malignancy import ScoreMalignancy
from nodule.progress import Progress, silent
from nodule.training import CropSet, NoduleRecord, distinct
from nodule.volume import Volume

HEIGHTS_MM = (10.0, 20.0)

_HEIGHT_NAMES = ("<10", "10-<20", ">=20")
_GRID = Geometry(shape_zyx=(PATCH_MM,) * 3, spacing_zyx_mm=(1.0, 1.0, 1.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredNodule:
    """What a detector found in one crop.

    Parameters
    ----------
    record : the crop's row.
    score : the detector's best of a detection strictly within the nodule's radius, 0 if missed.
    probability : the same after false-positive reduction.
    height_mm : of the crop along z: how much the network could see.
    """

    record: NoduleRecord
    score: float
    probability: float
    height_mm: float

    @property
    def size(self) -> str:
        """Class of the diameter, mm."""
        return size_class(self.record.diameter_mm)

    @property
    def height(self) -> str:
        """Class of the crop's height, mm."""
        return _HEIGHT_NAMES[int(np.digitize(self.height_mm, HEIGHTS_MM))]

    @property
    def texture(self) -> str:
        """Class of the readers' mean texture."""
        return texture_class(self.record.ratings.get("texture", ()))


def certain_records(crops: CropSet, *, folds: Sequence[int] = ()) -> tuple[NoduleRecord, ...]:
    """Return every record of a nodule of 3 mm or more by three readers or more.

    A nodule's readers are those of its stack, or else of its volume of interest; a cube without
    link to either has unknown readers and is left out. So is a volume of interest whose nodule has
    a stack, since it shows no more. LUNA16's list holds only nodules by three readers or more.

    Parameters
    ----------
    folds : all if empty.

    Raises
    ------
    InputError : ``NO_NODULES``.
    """
    known = {
        record.nodule_key: record for record in distinct(crops.records, prefer=("stack", "voi"))
    }

    def is_certain(record: NoduleRecord) -> bool:
        best = known.get(record.nodule_key)
        return (
            best is not None
            and (best.n_readers >= CERTAIN_READERS or best.is_listed)
            and record.diameter_mm >= LEAST_DIAMETER_MM
            and (record.kind != "voi" or best.kind == "voi")
        )

    records = tuple(
        record
        for record in crops.records
        if (not folds or record.fold in folds) and is_certain(record)
    )
    if not records:
        raise InputError(
            "no nodule is left to evaluate",
            code="NO_NODULES",
            expected="nodules of 3 mm or more by three readers or more",
            hint="Choose other folds with --fold",
        )
    return records


def score_records(
    crops: CropSet,
    records: Sequence[NoduleRecord],
    *,
    hosts: Sequence[HostScan],
    candidates: ProposeCandidates,
    malignancy: ScoreMalignancy,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[ScoredNodule, ...]:
    """Look for each record's nodule in its crop.

    Parameters
    ----------
    records : of the crop set.
    hosts : scans into which the crops are inserted in turn.
    candidates : whose network, precision, lowest score and suppression are used.
    malignancy : gives the detections near the nodule a probability.
    seed : of where nodules lie in the scans and relative to the network's grid.

    Raises
    ------
    InputError : as :meth:`CropSet.pack_all`.
    WeightsError : as :func:`load_network`.
    """
    detect = _detector(candidates)
    scored = []
    for index, packed in enumerate(crops.pack_all(records)):
        rng = np.random.default_rng([seed, index])
        patch, center = insert_crop(packed, hosts[index % len(hosts)], rng=rng)
        hits = hits_of(detect(patch), center, diameter_mm=packed.record.diameter_mm)
        scored_hits = malignancy.run(
            volume=Volume(array_zyx=patch, geometry=_GRID),
            candidates=tuple(_candidate(peak) for peak in hits),
        )
        scored.append(
            ScoredNodule(
                record=packed.record,
                score=max((peak.score for peak in hits), default=0.0),
                probability=max((each.probability for each in scored_hits), default=0.0),
                height_mm=packed.geometry.shape_zyx[0] * packed.geometry.spacing_zyx_mm[0],
            )
        )
        progress((index + 1) / len(records))
    return tuple(scored)


def _detector(candidates: ProposeCandidates) -> Callable[[NDArray[np.float32]], list[Peak]]:
    """Return what detects in a patch as the stage would in a window of a scan."""
    network = load_network(
        candidates.weights,
        engine=candidates.engine,
        device=candidates.device,
        precision=candidates.precision,
    )
    window = PATCH_MM // STRIDE
    everywhere = np.ones((window,) * 3, np.bool_)
    plan = plan_windows(everywhere, size=window, halo=window // 4)

    def detect(patch: NDArray[np.float32]) -> list[Peak]:
        answers = slide_window(network, patch, plan, batch=1)
        peaks = find_peaks(answers, wanted=everywhere, threshold=candidates.score_threshold)
        return suppress(peaks, apart_mm=candidates.apart_mm, limit=candidates.max_candidates)

    return detect


def _candidate(peak: Peak) -> Candidate:
    center = as_vector(_GRID.index_to_lps(peak.center_zyx))
    return Candidate(center_lps_mm=center, score=peak.score, diameter_mm=peak.diameter_mm)


def one_per_nodule(scored: Sequence[ScoredNodule]) -> tuple[ScoredNodule, ...]:
    """Keep of each nodule the crop with the most context: cube, then stack, then VOI."""
    best = distinct((each.record for each in scored), prefer=("crop51", "stack", "voi"))
    chosen = {id(record) for record in best}
    return tuple(each for each in scored if id(each.record) in chosen)


def sensitivity(
    scored: Sequence[ScoredNodule],
    found: Callable[[ScoredNodule], bool],
    *,
    bootstrap: BootstrapSettings,
) -> Estimate:
    """Return the share that was found, with its interval over patients.

    Raises
    ------
    InputError : ``NO_CASES``.
    """
    hit = np.array([found(each) for each in scored])
    return patient_bootstrap(
        lambda index: float(hit[index].mean()),
        [each.record.patient_id for each in scored],
        bootstrap=bootstrap,
    )


def hits_of(
    peaks: Sequence[Peak], center_zyx: NDArray[np.float64], *, diameter_mm: float
) -> list[Peak]:
    """Return the peaks strictly within the radius, mm at 1 mm."""
    return [
        peak
        for peak in peaks
        if float(np.linalg.norm(np.subtract(peak.center_zyx, center_zyx))) < diameter_mm / 2
    ]
