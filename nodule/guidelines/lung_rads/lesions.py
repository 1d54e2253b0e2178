"""What Lung-RADS classifies: nodules, airway nodules and cysts, each with its history."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nodule.errors import InputError
from nodule.guidelines.facts import Composition, NoduleFacts, Size
from nodule.guidelines.lung_rads.table import Category

TemporalStatus = Literal["baseline", "new", "followed", "stable", "slowly growing", "growing"]
AirwayTemporalStatus = Literal["baseline", "new", "stable", "growing"]
CystTemporalStatus = Literal["baseline", "new", "stable", "changed"]
CystChange = Literal[
    "cyst growing", "wall growing", "became multilocular", "more loculation or opacity"
]


@dataclass(frozen=True, kw_only=True)
class Prior:
    """The same lesion on the scan that it is compared with. None is unknown.

    Parameters
    ----------
    size, solid_component, composition : as then.
    months : from that scan to the one being read.
    category : what that exam gave it.

    Raises
    ------
    InputError : ``BAD_INTERVAL``.
    """

    size: Size | None = None
    solid_component: Size | None = None
    composition: Composition | None = None
    months: float | None = None
    category: Category | None = None

    def __post_init__(self) -> None:
        if self.months is not None and not (math.isfinite(self.months) and self.months > 0):
            raise InputError(
                "the interval between two scans is not valid",
                code="BAD_INTERVAL",
                expected="months above 0",
                got=self.months,
            )


@dataclass(frozen=True, kw_only=True)
class ScreenedNodule:
    """A nodule of the lung's parenchyma and its history.

    Parameters
    ----------
    nodule : as on this scan.
    temporal_status : ``baseline``, no earlier scan; ``new``, not on the earlier one; ``followed``,
        to be determined from ``prior``; or what the reader determined: ``stable`` (or smaller),
        ``slowly growing`` (below the limit of growth) or ``growing``. That of a part-solid nodule
        is its solid component's.
    prior : the earlier scan.
    """

    nodule: NoduleFacts
    temporal_status: TemporalStatus
    prior: Prior | None = None


@dataclass(frozen=True, kw_only=True)
class AirwayNodule:
    """A nodule within a bronchus or the trachea.

    Parameters
    ----------
    level : ``proximal`` is segmental or closer to the trachea.
    temporal_status : ``stable`` also where it only persists.
    size : read only of a growing subsegmental one.
    """

    id: str = ""
    level: Literal["subsegmental", "proximal"]
    temporal_status: AirwayTemporalStatus
    size: Size | None = None


@dataclass(frozen=True, kw_only=True)
class Cyst:
    """An air-filled cyst.

    Parameters
    ----------
    wall : ``thick`` is 2 mm or more.
    multilocular : divided by septa, on this scan.
    set_aside : fluid-filled, or one of several cysts of a diffuse disease.
    changes : since the earlier scan; none unless ``temporal_status`` is ``changed``.
    prior : its ``category`` and ``months`` allow a step down.

    Raises
    ------
    InputError : ``BAD_CYST`` where ``temporal_status`` and ``changes`` contradict each other.
    """

    id: str = ""
    wall: Literal["thin", "thick"]
    multilocular: bool
    temporal_status: CystTemporalStatus
    set_aside: bool = False
    changes: frozenset[CystChange] = frozenset()
    prior: Prior | None = None

    def __post_init__(self) -> None:
        if (self.temporal_status == "changed") != bool(self.changes):
            raise InputError(
                "a cyst's temporal status and its changes contradict each other",
                code="BAD_CYST",
                expected="changes if and only if it changed",
                got=(self.temporal_status, sorted(self.changes)),
            )


Lesion = ScreenedNodule | AirwayNodule | Cyst
