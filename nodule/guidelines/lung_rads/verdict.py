"""From a category and its rule to a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nodule.guidelines.lung_rads.table import DUE_MONTHS, SUSPICION, Category, Edition
from nodule.guidelines.result import Offer, Result, Rule

OFFER_4X = Offer(
    answer="4X",
    when="further features or findings raise the suspicion, such as spiculation, enlarged lymph "
    "nodes, metastases or ground-glass that doubled within a year",
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A category with its rule."""

    category: Category
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What is missing for a category."""

    facts: tuple[str, ...]


def verdict(category: Category, rule: str, text: str) -> Verdict:
    """Category by a rule of the table, whose text is completed by the category."""
    where = f"table, category {category}"
    return Verdict(
        category=category, rule=Rule(id=rule, text=f"{text}: category {category}.", where=where)
    )


def suspicious(category: Category) -> bool:
    """Whether the screen counts as positive."""
    return SUSPICION.index(category) >= SUSPICION.index("3")


def as_result(
    edition: Edition,
    reached: Verdict | Lacking,
    *,
    inputs: Mapping[str, object],
    subject: str,
    management: str | None = None,
    missing: tuple[str, ...] = (),
    offers: tuple[Offer, ...] = (),
    caveats: tuple[str, ...] = (),
) -> Result:
    """Answer with the edition's management unless another is given; offer 4X from 3 on."""
    if isinstance(reached, Lacking):
        return edition.rules.insufficient(reached.facts, inputs=inputs, subject=subject)
    if suspicious(reached.category):
        offers = (*offers, OFFER_4X)
    return edition.rules.applied(
        reached.rule,
        reached.category,
        management=management or edition.management[reached.category],
        due_months=DUE_MONTHS.get(reached.category),
        inputs=inputs,
        missing=missing,
        offers=offers,
        caveats=caveats,
        subject=subject,
    )
