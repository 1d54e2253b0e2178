"""The one form in which every rule set answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Literal

from nodule.errors import InputError
from nodule.guidelines.words import in_words
from nodule.printed import Digits

Outcome = Literal["applied", "out of scope", "insufficient"]
Fact = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule in our own words.

    Parameters
    ----------
    id : stable within its rule set.
    text : what it says.
    where : where the source says it.
    """

    id: str
    text: str
    where: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that a rule set computes.

    Parameters
    ----------
    name, unit : what it is; the unit is empty for a share.
    value : infinite for a doubling that never comes; printed, it is None.
    low, high : 95 % interval, where one is known.
    """

    name: str
    unit: str
    value: Annotated[float | None, Digits(4)]
    low: Annotated[float | None, Digits(4)] = None
    high: Annotated[float | None, Digits(4)] = None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An answer that only the reader may give.

    Parameters
    ----------
    answer : what the reader may choose instead or add.
    when : the condition that the reader judges.
    suggested : whether something on this exam speaks for it, so that it must not be overlooked.
    """

    answer: str
    when: str
    suggested: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a rule set says of a nodule or an exam.

    Parameters
    ----------
    rule_set, version, citation : whose rules these are.
    outcome : ``applied``; ``out of scope``, the rule set does not speak of this case;
        ``insufficient``, it would, but facts are missing.
    rule : the rule that fired, or the clause that refuses or asks.
    answer : the category or recommendation in short; None unless applied.
    management : what the source recommends to do; None where it recommends nothing.
    due_months : earliest and latest months after this exam at which the next CT is due, where the
        source says so; an optional CT is none that is due.
    figures : numbers computed.
    inputs : the facts used, by name.
    missing : the facts that would be needed, or that would sharpen an answer given without them.
    offers : answers that only the reader may give.
    caveats : what limits the answer.
    subject : the nodule that decided, as the report calls it; None for none.

    Raises
    ------
    InputError : ``BAD_RESULT`` where the outcome contradicts the rest.
    """

    rule_set: str
    version: str
    citation: str
    outcome: Outcome
    rule: Rule
    answer: str | None = None
    management: str | None = None
    due_months: tuple[int, int] | None = None
    figures: tuple[Figure, ...] = ()
    inputs: Annotated[Mapping[str, Fact], Digits(4)] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    caveats: tuple[str, ...] = ()
    subject: str | None = None

    def __post_init__(self) -> None:
        answered = self.answer is not None
        if answered != (self.outcome == "applied"):
            self._refuse("an answer if and only if the rules applied")
        if self.outcome == "insufficient" and not self.missing:
            self._refuse("the facts that are missing")

    def _refuse(self, expected: str) -> None:
        raise InputError(
            f"a result of {self.rule_set} contradicts itself",
            code="BAD_RESULT",
            expected=expected,
            got=self.outcome,
        )

    def figure(self, name: str) -> Figure:
        """Return the number of that name.

        Raises
        ------
        InputError : ``NO_FIGURE``.
        """
        for each in self.figures:
            if each.name == name:
                return each
        raise InputError(
            "there is no such figure",
            code="NO_FIGURE",
            expected=[each.name for each in self.figures],
            got=name,
        )

    def also_from(self, inputs: Mapping[str, object]) -> Result:
        """Return it with more facts named as used; those that are None are not."""
        return replace(self, inputs={**self.inputs, **_facts(inputs)})


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """A published set of rules, and how it answers.

    Parameters
    ----------
    name, version, citation : copied into every result.
    """

    name: str
    version: str
    citation: str

    def applied(
        self,
        rule: Rule,
        answer: str,
        *,
        management: str | None = None,
        due_months: tuple[int, int] | None = None,
        figures: tuple[Figure, ...] = (),
        inputs: Mapping[str, object] | None = None,
        missing: tuple[str, ...] = (),
        offers: tuple[Offer, ...] = (),
        caveats: tuple[str, ...] = (),
        subject: str | None = None,
    ) -> Result:
        """Answer by a rule."""
        return Result(
            rule_set=self.name,
            version=self.version,
            citation=self.citation,
            outcome="applied",
            rule=rule,
            answer=answer,
            management=management,
            due_months=due_months,
            figures=figures,
            inputs=_facts(inputs),
            missing=missing,
            offers=offers,
            caveats=caveats,
            subject=subject,
        )

    def out_of_scope(
        self, rule: Rule, *, inputs: Mapping[str, object] | None = None, subject: str | None = None
    ) -> Result:
        """Refuse by a clause of the scope."""
        return Result(
            rule_set=self.name,
            version=self.version,
            citation=self.citation,
            outcome="out of scope",
            rule=rule,
            inputs=_facts(inputs),
            subject=subject,
        )

    def insufficient(
        self,
        missing: Iterable[str],
        *,
        inputs: Mapping[str, object] | None = None,
        caveats: tuple[str, ...] = (),
        subject: str | None = None,
    ) -> Result:
        """Ask for facts instead of answering."""
        names = tuple(dict.fromkeys(missing))
        rule = Rule(
            id="facts-needed",
            text=f"Not computed: missing {', '.join(map(in_words, names))}.",
            where="inputs of the rule set",
        )
        return Result(
            rule_set=self.name,
            version=self.version,
            citation=self.citation,
            outcome="insufficient",
            rule=rule,
            inputs=_facts(inputs),
            missing=names,
            caveats=caveats,
            subject=subject,
        )


def _facts(inputs: Mapping[str, object] | None) -> dict[str, Fact]:
    """Keep what is stated, decimals as floats, sizes and lists left to their callers."""
    kept: dict[str, Fact] = {}
    for name, value in (inputs or {}).items():
        if isinstance(value, Decimal):
            kept[name] = float(value)
        elif isinstance(value, str | int | float):
            kept[name] = value
    return kept
