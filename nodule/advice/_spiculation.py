"""A model that asks whether a nodule is spiculated, where no reader has said so.

What the networks expect readers to say stands in as a suggestion, and the answer says so: the other
answer is offered, and spiculation stays among what would make it more specific. Where the networks
suggest neither, both answers are offered and none is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nodule.findings import Assessment
from nodule.guidelines.result import Offer, Result

SUGGESTED_SPICULATION = "Spiculation is not stated"
_FACT = "spiculation"
_WORDS = {True: "spiculated", False: "not spiculated"}


def by_spiculation(
    ask: Callable[[bool | None], Result], *, stated: bool | None, assessment: Assessment | None
) -> Result:
    """Ask a model, with the networks' suggestion where nobody states spiculation.

    Parameters
    ----------
    ask : the model, by whether the nodule is spiculated.
    stated : what a reader says.
    assessment : what the networks say.
    """
    result = ask(stated)
    if result.missing != (_FACT,):
        return result
    look = None if assessment is None else assessment.characteristics
    suggested = None if look is None else look.suggests_spiculation
    if look is None or suggested is None:
        return replace(result, offers=tuple(_offer(ask, each) for each in (True, False)))
    answered = ask(suggested)
    inputs = dict(answered.inputs)
    inputs[f"{_FACT} (suggested)"] = inputs.pop(_FACT)
    caveat = (
        f"{SUGGESTED_SPICULATION}: the networks suggest {_WORDS[suggested]} (they expect "
        f"readers to rate it {look.mean('spiculation'):.1f} of 5), which a reader must confirm."
    )
    return replace(
        answered,
        inputs=inputs,
        missing=(_FACT,),
        offers=(_offer(ask, not suggested),),
        caveats=(*answered.caveats, caveat),
    )


def rests_on_suggestion(result: Result) -> tuple[str, ...]:
    """Return the caveat of an answer that rests on the networks' suggestion, else nothing."""
    return tuple(each for each in result.caveats if each.startswith(SUGGESTED_SPICULATION))


def _offer(ask: Callable[[bool | None], Result], spiculated: bool) -> Offer:
    return Offer(answer=ask(spiculated).answer or "", when=f"the nodule is {_WORDS[spiculated]}")
