"""How a lesion moved between two scans, and the steps down that stability earns."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from nodule.guidelines.facts import Size, half_up
from nodule.guidelines.lung_rads.lesions import Prior, ScreenedNodule
from nodule.guidelines.lung_rads.table import SUSPICION, Category, Edition

Movement = Literal["baseline", "new", "stable", "slowly growing", "growing"]

GROWTH_MM = Decimal("1.5")  # Lung-RADS, note on growth: strictly more
_WINDOW_MONTHS = 12
_STEPS: dict[Category, tuple[int, Category]] = {"3": (6, "2"), "4A": (3, "3")}
_UNCHANGED_MONTHS = 3  # Lung-RADS v1.1, category 2
_EARNED: tuple[Category, ...] = ("3", "4A", "4B", "4X")


def difference_mm(now: Size, before: Size) -> Decimal | None:
    """Rise of the mean diameter, or of the spheres' where either lacks axes; None if unlike."""
    if now.mean_mm is not None and before.mean_mm is not None:
        return now.mean_mm - before.mean_mm
    if now.sphere_mm is not None and before.sphere_mm is not None:
        return now.sphere_mm - before.sphere_mm
    return None


def movement(lesion: ScreenedNodule, edition: Edition) -> tuple[Movement | None, tuple[str, ...]]:
    """How the nodule moved; None and the facts that are missing where that cannot be determined."""
    if lesion.temporal_status != "followed":
        return lesion.temporal_status, ()
    if lesion.prior is None:
        return None, ("earlier scan",)
    nodule, prior = lesion.nodule, lesion.prior
    if nodule.composition != "part-solid":
        return _compare(nodule.size, prior.size, prior, edition, what="size")
    if prior.composition == "ground-glass":
        return "growing", ()
    component = (nodule.solid_component, prior.solid_component)
    return _compare(*component, prior, edition, what="solid component")


def _compare(
    now: Size | None, before: Size | None, prior: Prior, edition: Edition, *, what: str
) -> tuple[Movement | None, tuple[str, ...]]:
    if now is None:
        return None, (what,)
    if before is None:
        return None, (f"earlier {what}",)
    rise_mm = difference_mm(now, before)
    if rise_mm is None:
        return None, (f"earlier {what} by the same method",)
    if rise_mm <= GROWTH_MM:
        return "stable", ()
    if not edition.growth_window:
        return "growing", ()
    if prior.months is None:
        return None, ("months between the scans",)
    return ("growing" if _within_window(rise_mm, prior.months) else "slowly growing"), ()


def _within_window(rise_mm: Decimal, months: float) -> bool:
    if months <= _WINDOW_MONTHS:
        return True
    return rise_mm * _WINDOW_MONTHS > GROWTH_MM * Decimal(repr(float(months)))


def stepped(prior: Prior | None, edition: Edition) -> tuple[Category | None, tuple[str, ...]]:
    """Category of a stable lesion by its history; None where it has earned none.

    The second value names what is missing to step further down.
    """
    if prior is None or prior.category not in _EARNED:
        return None, ()
    held: Category = "4B" if prior.category == "4X" else prior.category
    months, lower = _STEPS.get(held, (None, held))
    if not edition.stepped:
        months, lower = _UNCHANGED_MONTHS, "2"
    if months is None:
        return held, ()
    if prior.months is None:
        return held, ("months between the scans",)
    due = half_up(prior.months, Decimal(1)) >= months
    return (lower if due else held), ()


def worse(one: Category, other: Category) -> Category:
    """Return the more suspicious of two categories."""
    return max(one, other, key=SUSPICION.index)
