"""Flows: which step reads what."""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodule.errors import StageError
from pipelines.fingerprint import Recipe
from pipelines.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Source:
    """Raw input from outside a flow.

    Parameters
    ----------
    key : digest of its content.
    load : gives the value; called only if a step that reads it must run.
    """

    key: str
    load: Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A stage's place in a flow.

    Parameters
    ----------
    stage : what runs.
    inputs : by keyword of ``stage.run``, the name of a source or of a step, or
        ``name.attribute`` for one attribute of its output.
    output : data type of what ``stage.run`` returns; it picks the codec.
    constants : of the stage's code that may move its answer, source text by dotted name; they are
        part of the key.
    """

    stage: Stage
    inputs: Mapping[str, str]
    output: Any
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The stage's name, by which other steps refer to the output."""
        return self.stage.name

    @property
    def upstream(self) -> frozenset[str]:
        """Names of the sources and steps that it reads."""
        return frozenset(reference.partition(".")[0] for reference in self.inputs.values())


@dataclass(frozen=True)
class Flow:
    """Steps by name, in an order in which they can run; made by :meth:`of`."""

    steps: Mapping[str, Step]

    @classmethod
    def of(cls, *steps: Step) -> Flow:
        """Sort steps that are given in any order.

        Raises
        ------
        StageError : ``BAD_FLOW`` when two steps share a name or steps wait for each other.
        """
        by_name = {step.name: step for step in steps}
        if len(by_name) != len(steps):
            names = sorted(step.name for step in steps)
            raise StageError("two steps have one name", code="BAD_FLOW", got=names)
        sorter = graphlib.TopologicalSorter({s.name: sorted(s.upstream) for s in steps})
        try:
            order = tuple(sorter.static_order())
        except graphlib.CycleError as error:
            circle = " -> ".join(error.args[1])
            raise StageError("steps depend on each other", code="BAD_FLOW", got=circle) from error
        return cls({name: by_name[name] for name in order if name in by_name})

    def recipes(self, source_keys: Mapping[str, str]) -> dict[str, Recipe]:
        """Return what each step's output depends on, in order.

        Parameters
        ----------
        source_keys : digest of each source's content, by its name.

        Raises
        ------
        StageError : ``NO_SOURCE`` when a step reads what is neither step nor source;
            ``UNKEYED_VALUE`` as :meth:`Recipe.of`.
        """
        recipes: dict[str, Recipe] = {}
        keys = dict(source_keys)
        for name, step in self.steps.items():
            _require_upstream(step, keys)
            inputs = {keyword: _input_key(ref, keys) for keyword, ref in step.inputs.items()}
            recipes[name] = Recipe.of(step.stage, inputs=inputs, constants=step.constants)
            keys[name] = recipes[name].key
        return recipes


def _require_upstream(step: Step, keys: Mapping[str, str]) -> None:
    unknown = sorted(step.upstream - keys.keys())
    if unknown:
        raise StageError(
            f"step {step.name} reads an input that nothing provides",
            code="NO_SOURCE",
            expected=f"one of {sorted(keys)}",
            got=unknown,
        )


def _input_key(reference: str, keys: Mapping[str, str]) -> str:
    name, dot, attribute = reference.partition(".")
    return keys[name] + dot + attribute
