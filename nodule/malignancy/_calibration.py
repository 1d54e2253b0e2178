"""What the networks' answers are worth, measured on held-out patients.

A calibration lies beside the members of an ensemble and names their digests::

    malignancy.fold0.safetensors …
    malignancy.calibration.json   {"format", "members", "temperature", …}

It belongs to a stage's configuration as a value, so that another one gives another cache key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Interval
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax

from nodule.errors import ConfigError, WeightsError
from nodule.input_files import parse_json
from nodule.ranges import Share, check_fields
from nodule.weights import SHIPPED, Weights
from nodule.whole_files import write_whole

_FORMAT = "nodule-calibration-v1"
_RATINGS = np.arange(1, 6)
_TINY = 1e-12

_Rating = Annotated[float, Interval(ge=1, le=5)]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How to read the members' distributions over the malignancy ratings.

    A member's distribution is tempered, so that its shares are those in which single readers
    vote. The common mean rating then tells how probably the readers' mean lies above 3. Means of
    what is uncertain draw towards the middle of the scale; ``scale`` gives them the spread of the
    readers' own means.

    Parameters
    ----------
    members : digests of the weights that it was fitted with.
    temperature : the logarithm of each share is divided by it; below 1 it sharpens.
    slope, intercept : of the suspicion's log odds, over the mean rating.
    threshold : the suspicion from which on a nodule counts as suspicious.
    width_limit : the networks abstain where the standard deviation of their common distribution,
        in ratings, is greater. It holds what each is unsure of and what they disagree about.
    n_nodules : that it was fitted on.
    scale : pairs of a mean rating and the rating on the readers' scale that it stands for, both
        rising; in between it is interpolated. Empty leaves mean ratings as they are.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    members: tuple[str, ...]
    temperature: Annotated[float, Interval(gt=0, le=100)]
    slope: Annotated[float, Interval(gt=0, le=1000)]
    intercept: Annotated[float, Interval(ge=-10_000, le=10_000)]
    threshold: Share
    width_limit: Annotated[float, Interval(ge=0, le=10)]
    n_nodules: Annotated[int, Interval(ge=0, le=1_000_000_000)]
    scale: tuple[tuple[_Rating, _Rating], ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        given, meant = zip(*self.scale, strict=True) if self.scale else ((), ())
        if not (_rises(given, strictly=True) and _rises(meant) and _on_scale((*given, *meant))):
            raise ConfigError(
                "the scale of a calibration is not valid",
                code="BAD_VALUE",
                expected="pairs of ratings from 1 to 5, both rising",
                got=self.scale,
            )

    @classmethod
    def shipped(cls, name: str) -> Calibration:
        """Open what the package brings, by the stage's name; errors as :meth:`open`."""
        return cls.open(SHIPPED / f"{name}.calibration.json")

    @classmethod
    def open(cls, path: Path) -> Calibration:
        """Read a file.

        Raises
        ------
        WeightsError : ``NO_CALIBRATION`` or ``BAD_CALIBRATION``.
        """
        if not path.is_file():
            raise WeightsError(
                f"there is no calibration called {path.name}",
                code="NO_CALIBRATION",
                hint="Fit one: nodule evaluate malignancy --folds --calibrate",
            )
        try:
            stored = parse_json(path.read_text(encoding="utf-8"))
            if stored.pop("format") != _FORMAT:
                raise ValueError(f"not {_FORMAT}")
            return cls(
                members=tuple(stored.pop("members")),
                scale=tuple((given, meant) for given, meant in stored.pop("scale", ())),
                **stored,
            )
        except (AttributeError, KeyError, TypeError, ValueError, ConfigError) as error:
            raise WeightsError(
                f"{path.name} is not a calibration",
                code="BAD_CALIBRATION",
                expected=_FORMAT,
                got=str(error),
            ) from error

    def check(self, weights: Iterable[Weights]) -> None:
        """Refuse weights that it was not fitted with.

        Raises
        ------
        WeightsError : ``FOREIGN_CALIBRATION``.
        """
        foreign = [each.path.name for each in weights if each.sha256 not in self.members]
        if foreign:
            raise WeightsError(
                "the calibration was fitted with other weights",
                code="FOREIGN_CALIBRATION",
                expected=list(self.members),
                got=foreign,
                hint="Fit one for these: nodule evaluate malignancy --folds --calibrate; or write "
                'calibration = "none", and the distributions stay as the networks give them',
            )

    def apply(self, distributions: ArrayLike) -> NDArray[np.float64]:
        """Return calibrated distributions, [..., 5]."""
        return temper(distributions, self.temperature)

    def suspicion(self, distributions: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that the readers' mean lies above 3, [...].

        Parameters
        ----------
        distributions : common and calibrated, [..., 5].
        """
        log_odds = self.slope * mean_rating(distributions) + self.intercept
        return np.asarray(expit(log_odds), np.float64)

    def rating(self, distributions: ArrayLike) -> NDArray[np.float64]:
        """Return the rating on the readers' scale, 1 to 5, [...].

        Parameters
        ----------
        distributions : common and calibrated, [..., 5].
        """
        mean = mean_rating(distributions)
        if not self.scale:
            return mean
        given, meant = zip(*self.scale, strict=True)
        return np.asarray(np.interp(mean, given, meant), np.float64)

    def abstains(self, distributions: ArrayLike) -> NDArray[np.bool_]:
        """Tell where to abstain, [...], by common calibrated distributions [..., 5]."""
        return np.asarray(width(distributions) > self.width_limit, np.bool_)

    def write(self, path: Path) -> None:
        """Write it as JSON, atomically."""
        content = json.dumps({"format": _FORMAT, **asdict(self)}, indent=1) + "\n"
        write_whole(path, content.encode())


def _rises(values: Sequence[float], *, strictly: bool = False) -> bool:
    return all(a < b or (a == b and not strictly) for a, b in pairwise(values))


def _on_scale(values: Sequence[float]) -> bool:
    return all(_RATINGS[0] <= value <= _RATINGS[-1] for value in values)


def calibration_path(member: Path) -> Path:
    """Return where the calibration of an ensemble lies: beside a member, by their common name."""
    return member.parent / f"{member.name.split('.')[0]}.calibration.json"


def temper(distributions: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Divide the log shares of distributions [..., level] by a temperature (Guo et al. 2017)."""
    shares = np.maximum(np.asarray(distributions, np.float64), _TINY)
    return np.asarray(softmax(np.log(shares) / temperature, axis=-1), np.float64)


def mean_rating(distributions: ArrayLike) -> NDArray[np.float64]:
    """Return the mean rating, 1 to 5, of distributions [..., 5]."""
    return np.clip(np.asarray(distributions, np.float64) @ _RATINGS, 1.0, 5.0)


def width(distributions: ArrayLike) -> NDArray[np.float64]:
    """Return the standard deviation in ratings of distributions [..., 5].

    Of a mean of distributions it is, squared, the mean of their own variances and the variance of
    their means: doubt and disagreement.
    """
    shares = np.asarray(distributions, np.float64)
    variance = shares @ np.square(_RATINGS) - np.square(shares @ _RATINGS)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float64)
