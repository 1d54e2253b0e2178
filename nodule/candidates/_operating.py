"""Operating points: which score to ask for so that a scan shows so many false positives.

The score is the chain's probability, which two networks share. Its meaning changes with every
training, so the table lies beside the detector's weights, under the same name, and names the
digests of all that it was measured for::

    candidates.safetensors
    candidates.operating.json   {"format", "weights_sha256", "n_scans", "points", …}

Few whole scans make a coarse table; ``n_scans`` says how few.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from nodule.errors import InputError, WeightsError
from nodule.input_files import parse_json
from nodule.weights import Weights
from nodule.whole_files import write_whole

_FORMAT = "nodule-operating-v2"
_ROUNDING = 1e-9  # of a rate asked for against one that was counted


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """A score, and the false positives per scan that score at least that."""

    threshold: float
    fp_per_scan: float


@dataclass(frozen=True, kw_only=True)
class OperatingTable:
    """What the scores of a chain of networks are worth on whole scans.

    Parameters
    ----------
    weights_sha256 : digests of the detector's weights, then of those that score its candidates.
    n_scans : scans counted.
    points : by falling threshold and rising false positives, at least one.

    Raises
    ------
    InputError : ``BAD_OPERATING_TABLE`` for points out of order or no scans.
    """

    weights_sha256: tuple[str, ...]
    n_scans: int
    points: tuple[OperatingPoint, ...]

    def __post_init__(self) -> None:
        ordered = all(
            a.threshold > b.threshold and a.fp_per_scan < b.fp_per_scan
            for a, b in pairwise(self.points)
        )
        if not (self.points and ordered and self.n_scans > 0):
            raise InputError(
                "the operating points are not in order",
                code="BAD_OPERATING_TABLE",
                expected="points by falling threshold and rising false positives per scan",
                got=f"{len(self.points)} points of {self.n_scans} scans",
            )

    @classmethod
    def of_false_positives(
        cls,
        scores: Sequence[Sequence[float]],
        *,
        lowest_score: float,
        weights_sha256: tuple[str, ...],
    ) -> OperatingTable:
        """Count the false positives of whole scans.

        Each threshold lies midway between one false positive's score and the next one's.

        Parameters
        ----------
        scores : per scan those of its false positives; scans without any count.
        lowest_score : of the candidates that were looked at; the malignancy classifier may score
            some lower.
        weights_sha256 : as the table's.
        """
        ranked = sorted((score for scan in scores for score in scan), reverse=True)
        lowest = min([*ranked, lowest_score])
        bounds = [1.0, *ranked, lowest]
        points = [
            OperatingPoint(threshold=(upper + lower) / 2, fp_per_scan=count / len(scores))
            for count, (upper, lower) in enumerate(pairwise(bounds[:-1]))
            if upper > lower
        ]
        last = OperatingPoint(threshold=lowest, fp_per_scan=len(ranked) / max(len(scores), 1))
        return cls(
            weights_sha256=weights_sha256,
            n_scans=len(scores),
            points=(*points, last),
        )

    @classmethod
    def beside(cls, detector: Weights, *classifiers: Weights) -> OperatingTable:
        """Read the table that travels with a detector's weights.

        Parameters
        ----------
        detector : the weights beside which it lies.
        classifiers : of the networks that score its candidates.

        Raises
        ------
        WeightsError : ``NO_OPERATING_TABLE``, ``FOREIGN_OPERATING_TABLE`` when it was measured
            with other weights.
        """
        path = operating_path(detector.path)
        if not path.is_file():
            raise WeightsError(
                f"no operating points are known for {detector.path.name}",
                code="NO_OPERATING_TABLE",
                expected=path.name,
                hint="Measure them: nodule evaluate candidates --calibrate, or name a threshold",
            )
        table = _parse(path)
        wanted = tuple(weights.sha256 for weights in (detector, *classifiers))
        if table.weights_sha256 != wanted:
            raise WeightsError(
                f"{path.name} was measured with other weights",
                code="FOREIGN_OPERATING_TABLE",
                expected=wanted,
                got=table.weights_sha256,
                hint="Measure them again: nodule evaluate candidates --calibrate",
            )
        return table

    def threshold_for(self, fp_per_scan: float) -> float:
        """Return the lowest known threshold that shows at most so many false positives a scan.

        Beyond the table's end this is its last threshold; below its beginning its first.

        Raises
        ------
        InputError : ``BAD_RATE`` for a negative number or none.
        """
        if not fp_per_scan >= 0:
            raise InputError(
                "the rate of false positives is not valid", code="BAD_RATE", got=fp_per_scan
            )
        within = [p for p in self.points if p.fp_per_scan <= fp_per_scan + _ROUNDING]
        return (within or self.points[:1])[-1].threshold

    def false_positives_at(self, threshold: float) -> int:
        """Return how many false positives of all scans a threshold of the table lets through."""
        passed = [p.fp_per_scan for p in self.points if p.threshold >= threshold]
        return round(max(passed, default=0.0) * self.n_scans)

    def write(self, path: Path) -> None:
        """Write the table as JSON, atomically."""
        content = json.dumps({"format": _FORMAT, **asdict(self)}, indent=1) + "\n"
        write_whole(path, content.encode())


def operating_path(weights: Path) -> Path:
    """Return where the table of a file of weights lies."""
    return weights.with_suffix(".operating.json")


def _parse(path: Path) -> OperatingTable:
    try:
        stored = parse_json(path.read_text(encoding="utf-8"))
        if stored.pop("format") != _FORMAT:
            raise ValueError(f"not {_FORMAT}")
        points = tuple(OperatingPoint(**point) for point in stored.pop("points"))
        digests = tuple(stored.pop("weights_sha256"))
        return OperatingTable(points=points, weights_sha256=digests, **stored)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path.name} is not a table of operating points",
            code="BAD_OPERATING_TABLE",
            expected=_FORMAT,
            got=str(error),
        ) from error
