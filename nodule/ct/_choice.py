"""Which of several usable series to read.

The rule, one step after the other until one series is left:

1. a scan before what its description calls a localizer, a bolus monitor, a projection or a map;
2. the one that covers most of the chest: coverage along z counts in steps of 50 mm up to 300 mm,
   which holds most lungs, so that a longer scan of the abdomen too is no better;
3. one that the scanner reconstructed before one that was derived from it or reformatted;
4. thinner slices; what is 1.5 mm and thinner is thin (Fleischner Society 2017);
5. a standard kernel before an unknown one, and that before a sharp one: measuring and the
   networks were made on standard kernels; where no attribute names a kernel, the description may;
6. more slices in the same length;
7. the lower series number, which is the earlier series of a scanner.

Series that are still equal are a tie, which is said. Then stored pixels decide, by their digest:
neither names nor UIDs nor the order of files do, all of which an export may change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nodule.ct._kernels import Sharpness, sharpness_of
from nodule.ct._series_words import described_sharpness, word_of_no_scan, word_of_reformat

THIN_MM = 1.5
_STEP_MM = 50.0
_ENOUGH_STEPS = 6
_ORDER: tuple[Sharpness, ...] = ("standard", "unknown", "sharp")
_LAST = 1 << 31  # a series number is of 32 bits


@dataclass(frozen=True, kw_only=True)
class SeriesOffer:
    """What the rule looks at.

    Parameters
    ----------
    coverage_mm : extent along the slice normal.
    spacing_mm : distance of neighbouring slices.
    thickness_mm, kernel, description, number : as stated, None where they are not.
    is_derived : whether its image type says so.
    content : returns the digest of its stored pixels; asked for in a tie only.
    """

    coverage_mm: float
    spacing_mm: float
    thickness_mm: float | None
    kernel: str | None
    description: str | None
    number: int | None
    is_derived: bool
    content: Callable[[], str]

    @property
    def sharpness(self) -> Sharpness:
        """How sharp the kernel is, by its own name or else by the description."""
        by_name = sharpness_of(self.kernel)
        return described_sharpness(self.description) if by_name == "unknown" else by_name

    @property
    def thick_mm(self) -> float:
        """How much of the body a slice stands for: slices may lie apart, and may overlap."""
        return max(self.spacing_mm, self.thickness_mm or 0.0)


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One step of the rule: what it is called, and its rank of an offer, the lowest the best."""

    name: str
    rank: Callable[[SeriesOffer], float]


_RULE = (
    _Step(
        name="a scan before a localizer, projection or map",
        rank=lambda offer: word_of_no_scan(offer.description) is not None,
    ),
    _Step(
        name="coverage of the chest",
        rank=lambda offer: -min(int(offer.coverage_mm // _STEP_MM), _ENOUGH_STEPS),
    ),
    _Step(
        name="original before derived",
        rank=lambda offer: offer.is_derived or word_of_reformat(offer.description) is not None,
    ),
    _Step(name="thinner slices", rank=lambda offer: round(max(offer.thick_mm, THIN_MM), 1)),
    _Step(name="kernel", rank=lambda offer: _ORDER.index(offer.sharpness)),
    _Step(name="more slices", rank=lambda offer: round(offer.spacing_mm, 1)),
    _Step(
        name="series number",
        rank=lambda offer: _LAST if offer.number is None else offer.number,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which offer is the best, and why.

    Parameters
    ----------
    index : of the best offer.
    tied : indices of the offers that are as good by every step of the rule.
    reason : in words.
    """

    index: int
    tied: tuple[int, ...]
    reason: str


def best_of(offers: Sequence[SeriesOffer]) -> Choice:
    """Choose the best of at least one offer."""
    ranks = [tuple(step.rank(offer) for step in _RULE) for offer in offers]
    equal = [index for index, rank in enumerate(ranks) if rank == min(ranks)]
    index = min(equal, key=lambda each: offers[each].content()) if len(equal) > 1 else equal[0]
    tied = tuple(each for each in equal if each != index)
    return Choice(
        index=index,
        tied=tied,
        reason=f"{_rank_in_words(ranks, index, tied)}: {_in_words(offers[index])}",
    )


def _rank_in_words(ranks: Sequence[tuple[float, ...]], index: int, tied: Sequence[int]) -> str:
    if len(ranks) == 1:
        return "the only usable series"
    decided: dict[str, int] = {}
    for other in ranks:
        steps = (
            s for s, best, worse in zip(_RULE, ranks[index], other, strict=True) if best < worse
        )
        if (step := next(steps, None)) is not None:
            decided[step.name] = decided.get(step.name, 0) + 1
    by = [f"before {count} by {name}" for name, count in decided.items()]
    if tied:
        by.append(f"tied with {len(tied)} by every step")
    return f"the best of {len(ranks)} usable series, {', '.join(by)}"


def _in_words(offer: SeriesOffer) -> str:
    what = f"{offer.coverage_mm:.0f} mm in slices {offer.spacing_mm:.2f} mm apart"
    if offer.kernel:
        what += f", kernel {offer.kernel} ({offer.sharpness})"
    return what
