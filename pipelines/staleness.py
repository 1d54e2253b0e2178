"""Why a step will run again: what differs from the nearest output that the cache holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pipelines.cache import Cache
from pipelines.entry import Entry
from pipelines.fingerprint import Recipe, canonical_json

Verdict = Literal["cached", "changed", "never ran"]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What the cache holds for a step.

    Parameters
    ----------
    stage, key : of the step.
    verdict : ``cached``, or why it is not.
    differences : where verdict is ``changed``, one line for each difference from the nearest
        entry of the same stage.
    """

    stage: str
    key: str
    verdict: Verdict
    differences: tuple[str, ...] = ()


def explain(recipes: Mapping[str, Recipe], cache: Cache) -> tuple[Explanation, ...]:
    """Say for each step of a flow whether its output is cached, and if not why, in order.

    Parameters
    ----------
    recipes : by step, as from :meth:`Flow.recipes`.
    """
    entries = tuple(cache.entries())
    upstream = {recipe.key: name for name, recipe in recipes.items()}
    return tuple(_explain(recipe, entries, upstream, cache) for recipe in recipes.values())


def _explain(
    recipe: Recipe, entries: tuple[Entry, ...], upstream: Mapping[str, str], cache: Cache
) -> Explanation:
    if cache.has(recipe.key):
        return Explanation(stage=recipe.stage, key=recipe.key, verdict="cached")
    others = [entry.recipe for entry in entries if entry.recipe.stage == recipe.stage]
    if not others:
        return Explanation(stage=recipe.stage, key=recipe.key, verdict="never ran")
    # same inputs first: another study's entry says little about this one's
    nearest = min(
        others,
        key=lambda other: (
            len(list(_input_changes(other, recipe, upstream))),
            len(list(_own_changes(other, recipe))),
            -cache.last_used(other.key),
        ),
    )
    differences = (*_own_changes(nearest, recipe), *_input_changes(nearest, recipe, upstream))
    return Explanation(
        stage=recipe.stage, key=recipe.key, verdict="changed", differences=differences
    )


def _own_changes(old: Recipe, new: Recipe) -> Iterator[str]:
    if old.version != new.version:
        yield f"version {old.version} -> {new.version}"
    yield from _changes(old.constants, new.constants)
    yield from _changes(dict(_leaves(old.fields)), dict(_leaves(new.fields)))


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name} {before.get(name, 'absent')} -> {after.get(name, 'absent')}"


def _input_changes(old: Recipe, new: Recipe, upstream: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(old.inputs.keys() | new.inputs.keys()):
        key = new.inputs.get(name, "")
        if old.inputs.get(name) != key:
            step = upstream.get(key.partition(".")[0])
            yield f"input {name}: " + (f"output of {step}" if step else "other file content")


def _leaves(fields: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Flatten tagged fields to dotted names and canonical values."""
    for name, value in fields.items():
        match value:
            case ["dataclass", _, dict() as nested]:
                yield from _leaves(nested, f"{prefix}{name}.")
            case _:
                yield f"{prefix}{name}", canonical_json(value)
