"""The category of a nodule in the lung's parenchyma."""

from __future__ import annotations

from dataclasses import replace

from nodule.guidelines._calcium import offer_if_benign
from nodule.guidelines.facts import NoduleFacts, Size, Steps
from nodule.guidelines.lung_rads.lesions import Prior, ScreenedNodule
from nodule.guidelines.lung_rads.movement import Movement, difference_mm, movement, stepped, worse
from nodule.guidelines.lung_rads.table import (
    BENIGN_TEXT,
    COMPONENT,
    GROUND_GLASS,
    JUXTAPLEURAL,
    PART_SOLID_TOTAL,
    SOLID,
    SUSPICION,
    Category,
    Edition,
    First,
)
from nodule.guidelines.lung_rads.verdict import Lacking, Verdict, as_result, suspicious, verdict
from nodule.guidelines.result import Offer, Result

_FIRST: dict[Movement, First] = {
    "baseline": "baseline",
    "stable": "baseline",
    "slowly growing": "baseline",
    "new": "new",
    "growing": "growing",
}
_WORDS: dict[Movement, str] = {
    "baseline": "at baseline",
    "stable": "unchanged or smaller, by size",
    "slowly growing": "growing slowly, by size",
    "new": "new",
    "growing": "growing",
}
_OFFER_SLOW = Offer(
    answer="4B",
    when="a solid or part-solid nodule has grown slowly over several screening rounds",
)


def classify_nodule(lesion: ScreenedNodule, edition: Edition) -> Result:
    """Category by appearance, size and temporal status, then by what stability has earned."""
    nodule = lesion.nodule
    moved, unknown = movement(lesion, edition)
    reached: Verdict | Lacking | None = _benign(nodule, moved, edition)
    offers: tuple[Offer, ...] = ()
    missing: tuple[str, ...] = ()
    if reached is None:
        reached = _by_size(nodule, moved, unknown)
        if isinstance(reached, Verdict) and moved not in (None, "baseline", "new"):
            offers = _offer_slow(lesion, moved, reached.category)
            reached, missing, more = _with_history(lesion, moved, reached, edition)
            offers = (*offers, *more)
        if nodule.perhaps_benign:
            offers = (*offers, offer_if_benign("1", [nodule]))
    return as_result(
        edition,
        reached,
        inputs=_inputs(lesion),
        subject=nodule.id,
        missing=missing,
        offers=offers,
        caveats=(*_unmeasured_component(nodule), *_by_volume(lesion, reached, edition)),
    )


def _unmeasured_component(nodule: NoduleFacts) -> tuple[str, ...]:
    if nodule.solid_component is None or not nodule.solid_component.measures_nothing:
        return ()
    return ("Its solid part is too small to measure, and counts as less than any limit.",)


def _benign(nodule: NoduleFacts, moved: Movement | None, edition: Edition) -> Verdict | None:
    feature = nodule.benign_feature
    if feature is None:
        return None
    found = verdict(
        "1" if feature in ("calcification", "fat") else "2",
        f"benign-{feature}",
        BENIGN_TEXT[feature],
    )
    if feature in ("calcification", "fat", "proven"):
        return found
    if feature not in edition.lymph_node_shape or nodule.size is None:
        return None
    solid = nodule.composition in (None, "solid")
    small = _place(JUXTAPLEURAL, nodule.size) == 0
    quiet = moved in ("baseline", "new", "stable")
    return found if solid and small and quiet else None


def _by_size(
    nodule: NoduleFacts, moved: Movement | None, unknown: tuple[str, ...]
) -> Verdict | Lacking:
    if nodule.size is None or nodule.composition is None:
        absent = [name for name in ("composition", "size") if getattr(nodule, name) is None]
        return Lacking(facts=(*absent, *unknown))
    if nodule.composition == "ground-glass":
        return _ground_glass(nodule.size, moved, unknown)
    if moved is None:
        return Lacking(facts=unknown)
    if nodule.composition == "part-solid":
        return _part_solid(nodule.size, nodule.solid_component, moved)
    return _placed("solid", "Solid nodule", nodule.size, SOLID[_FIRST[moved]], moved)


def _part_solid(size: Size, component: Size | None, moved: Movement) -> Verdict | Lacking:
    small = _place(PART_SOLID_TOTAL, size) == 0
    total = PART_SOLID_TOTAL.words(0)
    if small and _FIRST[moved] == "baseline":
        text = f"Part-solid nodule, {_WORDS[moved]}, {total} in all"
        return verdict("2", "part-solid-small", text)
    if component is None:
        return Lacking(facts=("solid component",))
    title = "Solid component of a part-solid nodule"
    placed = _placed("part-solid", title, component, COMPONENT[_FIRST[moved]], moved)
    if small and moved == "new" and placed.category != "4B":
        return verdict("3", "part-solid-new-small", f"New part-solid nodule, {total} in all")
    return placed


def _ground_glass(
    size: Size, moved: Movement | None, unknown: tuple[str, ...]
) -> Verdict | Lacking:
    index = _place(GROUND_GLASS, size)
    words = GROUND_GLASS.words(index)
    if index == 0:
        return verdict("2", "ground-glass-small", f"Ground-glass nodule, {words}")
    if moved is None:
        return Lacking(facts=unknown)
    if moved in ("stable", "slowly growing"):
        text = f"Ground-glass nodule, {words}, unchanged or growing slowly"
        return verdict("2", "ground-glass-quiet", text)
    return verdict("3", f"ground-glass-{moved}", f"Ground-glass nodule, {_WORDS[moved]}, {words}")


def _placed(
    kind: str,
    title: str,
    size: Size,
    ladder: tuple[Steps, tuple[Category, ...]],
    moved: Movement,
) -> Verdict:
    steps, categories = ladder
    index = _place(steps, size)
    category = categories[index]
    text = f"{title}, {_WORDS[moved]}, {steps.words(index)}"
    return verdict(category, f"{kind}-{_FIRST[moved]}-{category}", text)


def _with_history(
    lesion: ScreenedNodule, moved: Movement, sized: Verdict, edition: Edition
) -> tuple[Verdict, tuple[str, ...], tuple[Offer, ...]]:
    """Hold the earlier category, or step down from it where the nodule did not grow.

    Returns the verdict, the facts that would sharpen it, and what is left to the reader.
    """
    prior = lesion.prior or Prior()
    if lesion.nodule.composition == "ground-glass":
        return sized, (), ()
    earned, missing = stepped(prior, edition)
    if earned is None or prior.category is None:
        ask = prior.category is None and suspicious(sized.category)
        return sized, (("earlier category",) if ask else ()), ()
    if moved in ("slowly growing", "growing") or _class_rose(lesion.nodule, prior):
        held: Category = "4B" if prior.category == "4X" else prior.category
        unchanged = worse(sized.category, held) == sized.category
        return (sized if unchanged else _history(held, prior.category)), (), ()
    offers: tuple[Offer, ...] = ()
    if SUSPICION.index(sized.category) < SUSPICION.index(earned):
        shrunk = "the nodule shrank, as inflammation does, and its present size is to decide"
        offers = (Offer(answer=sized.category, when=shrunk),)
    return _history(earned, prior.category), missing, offers


def _history(category: Category, earlier: Category) -> Verdict:
    if SUSPICION.index(category) < SUSPICION.index(earlier) and earlier != "4X":
        return verdict(category, "history-stepped", f"Category {earlier} before, no growth since")
    text = f"Category {earlier} before, no step down due"
    return verdict(category, "history-held", text)


def _class_rose(now: NoduleFacts, prior: Prior) -> bool:
    """Whether the nodule is in a higher size class than on the earlier scan."""
    pairs = [(SOLID["baseline"][0], now.size, prior.size)]
    if now.composition == "part-solid":
        pairs = [
            (PART_SOLID_TOTAL, now.size, prior.size),
            (COMPONENT["baseline"][0], now.solid_component, prior.solid_component),
        ]
    return any(
        _place(steps, after) > _place(steps, before)
        for steps, after, before in pairs
        if after is not None and before is not None
    )


def _offer_slow(lesion: ScreenedNodule, moved: Movement, sized: Category) -> tuple[Offer, ...]:
    """Offer 4B for a solid or part-solid nodule that is larger than before by any amount."""
    now, prior = lesion.nodule, lesion.prior or Prior()
    if moved == "growing" or now.composition == "ground-glass" or sized == "4B":
        return ()
    pairs = ((now.size, prior.size), (now.solid_component, prior.solid_component))
    rises_mm = [difference_mm(a, b) for a, b in pairs if a is not None and b is not None]
    rose = moved == "slowly growing" or any(rise is not None and rise > 0 for rise in rises_mm)
    return (_OFFER_SLOW,) if rose else ()


def _by_volume(
    lesion: ScreenedNodule, reached: Verdict | Lacking, edition: Edition
) -> tuple[str, ...]:
    """Say when the volume alone would give another category."""
    sizes = [s for s in (lesion.nodule.size, lesion.nodule.solid_component) if s is not None]
    both = [s.axes_mm is not None and s.volume_mm3 is not None for s in sizes]
    if isinstance(reached, Lacking) or not both or not all(both):
        return ()
    nodule = replace(
        lesion.nodule,
        size=_volume_only(lesion.nodule.size),
        solid_component=_volume_only(lesion.nodule.solid_component),
    )
    prior = lesion.prior and replace(
        lesion.prior,
        size=_volume_only(lesion.prior.size),
        solid_component=_volume_only(lesion.prior.solid_component),
    )
    other = classify_nodule(replace(lesion, nodule=nodule, prior=prior), edition)
    if other.answer in (None, reached.category):
        return ()
    return (f"By volume instead of diameter it would be category {other.answer}.",)


def _volume_only(size: Size | None) -> Size | None:
    if size is None or size.volume_mm3 is None:
        return None
    return Size(volume_mm3=size.volume_mm3)


def _place(steps: Steps, size: Size) -> int:
    return steps.place(size.mean_mm, size.whole_mm3)


def _inputs(lesion: ScreenedNodule) -> dict[str, object]:
    now, prior = lesion.nodule, lesion.prior or Prior()
    return {
        "composition": now.composition,
        "benign feature": now.benign_feature,
        "course": lesion.temporal_status,
        **_sizes("", now.size, now.solid_component),
        **_sizes("earlier ", prior.size, prior.solid_component),
        "months between the scans": prior.months,
        "earlier category": prior.category,
    }


def _sizes(when: str, size: Size | None, component: Size | None) -> dict[str, object]:
    facts: dict[str, object] = {}
    for what, each in (("", size), ("solid component ", component)):
        if each is not None and each.axes_mm is not None:
            facts[f"{when}{what}mean diameter (mm)"] = each.mean_mm
        elif each is not None:
            facts[f"{when}{what}volume (mm³)"] = each.whole_mm3
    return facts
