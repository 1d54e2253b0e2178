"""The category of an exam: its most suspicious lesion, and what the reader states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from nodule.errors import InputError
from nodule.guidelines._calcium import offer_if_benign
from nodule.guidelines.facts import ADULT_YEARS, Person
from nodule.guidelines.lung_rads.airways_cysts import (
    NOT_CLASSIFIED,
    classify_airway,
    classify_cyst,
)
from nodule.guidelines.lung_rads.lesions import AirwayNodule, Cyst, Lesion, ScreenedNodule
from nodule.guidelines.lung_rads.nodule_category import classify_nodule
from nodule.guidelines.lung_rads.table import (
    DUE_MONTHS,
    EDITIONS,
    SUSPICION,
    Category,
    Edition,
    Version,
)
from nodule.guidelines.result import Offer, Result, Rule

Incomplete = Literal["prior being located", "lungs not evaluable", "suspected infection"]

_READ = ("route", "age_years", "known_cancer")  # of the person
_USUAL_AGE_YEARS = (50, 80)  # USPSTF 2021
_OFFER_S = Offer(
    answer="S", when="there is a significant finding that is not lung cancer and is not yet known"
)
_OFFER_0 = Offer(
    answer="0",
    when="a prior CT is being located, part of the lungs cannot be judged, or findings suggest "
    "infection or inflammation, such as consolidation, more than six new nodules or a solid "
    "nodule of 8 mm or more that appeared in a short time",
)


@dataclass(frozen=True, kw_only=True)
class ReaderStatement:
    """What only the reader may decide.

    Parameters
    ----------
    upgrade_to_4x : a lesion of category 3 or 4 has further signs of cancer.
    significant_other_finding : adds the modifier S.
    incomplete : makes the exam category 0, for this reason.
    diffuse_disease_judged : a diffuse pattern is known or judged, and nodules are to be classified
        beside it, those in it included.
    """

    upgrade_to_4x: bool = False
    significant_other_finding: bool = False
    incomplete: Incomplete | None = None
    diffuse_disease_judged: bool = False


def classify_lesion(lesion: Lesion, *, version: Version = "v2022") -> Result:
    """Category of one lesion; :func:`classify_exam` checks whether Lung-RADS applies at all.

    Returns
    -------
    Result : ``answer`` is ``1`` to ``4B``, or ``not classified`` for a cyst that has no category.
    """
    edition = EDITIONS[version]
    if isinstance(lesion, AirwayNodule):
        return classify_airway(lesion, edition)
    if isinstance(lesion, Cyst):
        return classify_cyst(lesion, edition)
    return classify_nodule(lesion, edition)


def classify_exam(
    lesions: Sequence[Lesion],
    *,
    person: Person,
    reader: ReaderStatement | None = None,
    version: Version = "v2022",
) -> Result:
    """Category of a screening exam.

    Parameters
    ----------
    lesions : all that were found, in any order; none is category 1.
    person : ``route`` must be known; a ``known_cancer`` is out of scope.
    reader : what the reader has decided, nothing where no reader has seen the exam.

    Returns
    -------
    Result : ``answer`` is the category, with ``S`` where the reader said so; ``subject`` the lesion
        that decided.

    Raises
    ------
    InputError : ``LUNG_RADS_4X_BELOW_3``.
    """
    edition = EDITIONS[version]
    refused = refuse(person, version=version)
    if refused is not None:
        return refused
    judged = _dominant([(e, classify_lesion(e, version=version)) for e in lesions], edition)
    offers = (*_if_benign(lesions, judged, edition, version), *judged.offers)
    judged = replace(judged, offers=offers)
    stated = _as_read(judged, reader or ReaderStatement(), edition)
    caveats = _age_caveat(person) if stated.outcome == "applied" else ()
    return replace(stated, caveats=(*stated.caveats, *caveats)).also_from(
        {"lesions": len(lesions)} | person.facts(*_READ)
    )


def refuse(person: Person, *, version: Version = "v2022") -> Result | None:
    """Say why Lung-RADS does not apply to a person's exam or what it must know first, else None."""
    rules, facts = EDITIONS[version].rules, person.facts(*_READ)
    clauses = (
        (person.known_cancer is True, "cancer", "Not for surveillance of a known cancer."),
        (
            person.age_years is not None and person.age_years < ADULT_YEARS,
            "age",
            f"Not under {ADULT_YEARS} years.",
        ),
        (
            person.route == "incidental",
            "route",
            "Only for low-dose CT of lung-cancer screening, not for incidental nodules.",
        ),
    )
    for applies, what, text in clauses:
        if applies:
            return rules.out_of_scope(
                Rule(id=f"scope-{what}", text=text, where="scope"), inputs=facts
            )
    return rules.insufficient(["route"], inputs=facts) if person.route is None else None


def _dominant(judged: Sequence[tuple[Lesion, Result]], edition: Edition) -> Result:
    """Make the most suspicious lesion's result the exam's, the largest one's of several."""
    results = [result for _, result in judged]
    ranked = [(_rank(r), _diameter_mm(e), r) for e, r in judged if r.answer in SUSPICION]
    none = (0, Decimal(), _no_nodule(edition))
    _, _, worst = max(ranked, key=lambda each: each[:2], default=none)
    lacking = [r for r in results if r.outcome == "insufficient"]
    if lacking and worst.answer != "4B":
        return _unjudged(lacking, worst if ranked else None, edition)
    caveats = [
        f"{r.subject or 'A lesion'} is left out: {r.rule.text}"
        for r in results
        if r.outcome != "applied" or r.answer == NOT_CLASSIFIED
    ]
    own = (offer for offer in worst.offers if not offer.suggested)  # what is, holds of it alone
    offers = (*own, _OFFER_S, _OFFER_0)
    return replace(worst, offers=offers, caveats=(*worst.caveats, *caveats))


def _unjudged(lacking: Sequence[Result], worst: Result | None, edition: Edition) -> Result:
    """Leave an exam without a category, and offer what the lesions that have one would make it."""
    names = ", ".join(dict.fromkeys(r.subject or "a lesion" for r in lacking))
    result = edition.rules.insufficient(
        [f"{r.subject}: {fact}".lstrip(": ") for r in lacking for fact in r.missing],
        subject=lacking[0].subject,
    )
    if worst is None:
        return result
    least = Offer(
        answer=worst.answer or "",
        when=f"{names} would not raise it, or no lesion is there",
        suggested=True,
    )
    caveat = f"The other lesions make it category {worst.answer} or higher."
    return replace(result, offers=(least,), caveats=(caveat,))


def _if_benign(
    lesions: Sequence[Lesion], judged: Result, edition: Edition, version: Version
) -> Iterator[Offer]:
    """Offer the category that holds where all that is as dense as calcium is benign."""
    nodules = [lesion.nodule for lesion in lesions if isinstance(lesion, ScreenedNodule)]
    if judged.answer is None or not any(each.perhaps_benign for each in nodules):
        return
    benign = [_as_benign(lesion) for lesion in lesions]
    other = _dominant([(e, classify_lesion(e, version=version)) for e in benign], edition)
    if other.answer not in (None, judged.answer):
        yield offer_if_benign(other.answer or "", nodules)


def _as_benign(lesion: Lesion) -> Lesion:
    if not isinstance(lesion, ScreenedNodule):
        return lesion
    return replace(lesion, nodule=lesion.nodule.if_benign())


def _rank(result: Result) -> int:
    return [str(category) for category in SUSPICION].index(result.answer or "")


def _diameter_mm(lesion: Lesion) -> Decimal:
    """Size of a lesion; airway nodules and cysts that have none come after those that have."""
    if isinstance(lesion, Cyst):
        return Decimal()
    size = lesion.size if isinstance(lesion, AirwayNodule) else lesion.nodule.size
    return Decimal() if size is None else size.diameter_mm


def _no_nodule(edition: Edition) -> Result:
    rule = Rule(id="no-nodule", text="No nodule: category 1.", where="table, category 1")
    return edition.rules.applied(
        rule, "1", management=edition.management["1"], due_months=DUE_MONTHS["1"]
    )


def _as_read(result: Result, reader: ReaderStatement, edition: Edition) -> Result:
    """Apply what the reader decided, and take back the offers that this answers."""
    if result.outcome == "applied" and reader.upgrade_to_4x:
        result = _upgraded(result, edition)
    if reader.incomplete is not None:
        result = _incomplete(result, reader.incomplete, edition)
    if result.outcome != "applied":
        return _waiting(result, reader)
    if reader.significant_other_finding:
        offers = tuple(offer for offer in result.offers if offer is not _OFFER_S)
        result = replace(result, answer=f"{result.answer}S", offers=offers)
        result = result.also_from({"reader: significant other finding": True})
    return result


def _waiting(result: Result, reader: ReaderStatement) -> Result:
    """Say what the reader decided of an exam that has no category yet."""
    said = {"4X": reader.upgrade_to_4x, "S": reader.significant_other_finding}
    waits = " and ".join(answer for answer, stated in said.items() if stated)
    if not waits:
        return result
    caveat = f"The reader states {waits}, which can be added only once there is a category."
    return replace(result, caveats=(*result.caveats, caveat))


def _incomplete(result: Result, reason: Incomplete, edition: Edition) -> Result:
    rule = Rule(id="reader-0", text=f"Reader: {reason}: category 0.", where="table, category 0")
    instead = f"Without it: category {result.answer}." if result.answer else result.rule.text
    return edition.rules.applied(
        rule,
        "0",
        management=edition.management["0"],
        due_months=DUE_MONTHS["0"],
        inputs=dict(result.inputs) | {"reader: incomplete": reason},
        missing=result.missing,
        offers=(_OFFER_S,),
        caveats=(instead, *result.caveats),
        subject=result.subject,
    )


def _upgraded(result: Result, edition: Edition) -> Result:
    if _rank(result) < SUSPICION.index("3"):
        raise InputError(
            "4X raises categories 3 and 4 only",
            code="LUNG_RADS_4X_BELOW_3",
            expected="an exam of category 3, 4A or 4B",
            got=result.answer,
            hint="Remove the reader's 4X, or give the nodule that it applies to.",
        )
    category: Category = "4X"
    text = f"Reader: category {result.answer} with further signs of cancer: category 4X."
    return replace(
        result,
        answer=category,
        rule=Rule(id="reader-4X", text=text, where="table, category 4X"),
        management=edition.management[category],
        due_months=None,
        offers=tuple(offer for offer in result.offers if offer.answer not in ("4X", "4B")),
    ).also_from({"reader: upgrade to 4X": True})


def _age_caveat(person: Person) -> tuple[str, ...]:
    low, high = _USUAL_AGE_YEARS
    if person.age_years is None or low <= person.age_years <= high:
        return ()
    return (f"Screening is meant for {low} to {high} years (USPSTF 2021).",)
