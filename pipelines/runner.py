"""Runs a flow: what is needed, in order, from the cache where it can.

The runner knows steps by name and their outputs by data type, never what they compute. A thread of
its own compresses and writes an output while the next step runs.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodule.errors import CacheCorruptError, NoduleError, StageError
from pipelines.cache import Cache, NotCached
from pipelines.codec import Codecs, Files
from pipelines.fingerprint import Recipe
from pipelines.graph import Flow, Source, Step

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hit:
    """A step need not run."""

    step: str


@dataclass(frozen=True)
class Started:
    """A step begins to run."""

    step: str


@dataclass(frozen=True)
class Advanced:
    """A step has done this share of its work, in [0, 1]."""

    step: str
    share: float


@dataclass(frozen=True)
class Finished:
    """A step has run."""

    step: str
    seconds: float


@dataclass(frozen=True)
class CacheTrouble:
    """The cache failed a step; the result does not suffer.

    ``code`` is ``CACHE_CORRUPT``, ``CACHE_UNREADABLE`` or ``CACHE_UNWRITABLE``.
    """

    step: str
    code: str
    message: str


Event = Hit | Started | Advanced | Finished | CacheTrouble
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, kw_only=True)
class FlowResult:
    """What came of a flow.

    Parameters
    ----------
    outputs : the wanted outputs by step.
    recipes : of every step of the flow.
    ran : steps that ran, in order; the others came from the cache or were not needed.
    """

    outputs: Mapping[str, Any]
    recipes: Mapping[str, Recipe]
    ran: tuple[str, ...]


def run_flow(
    flow: Flow,
    sources: Mapping[str, Source],
    *,
    wanted: Iterable[str],
    cache: Cache | None,
    codecs: Codecs,
    listen: Listener = ignore,
) -> FlowResult:
    """Bring about the wanted outputs; what the cache holds is not computed again.

    Parameters
    ----------
    flow : the steps.
    sources : raw inputs by the names that steps use.
    wanted : steps whose outputs to return. Others are decoded only for a step that must run,
        and held no longer than one that must run needs them.
    cache : where outputs are kept; None keeps them in memory alone.
    codecs : how the flow's data types are stored.
    listen : called with each event in this thread.

    Raises
    ------
    NoduleError : as a stage raised it.
    StageError : ``STAGE_FAILED`` when a stage raised anything else, which is then the cause;
        ``BAD_OUTPUT`` when its output is not of the declared type; before anything runs,
        ``BAD_FLOW``, ``NO_SOURCE`` or ``UNKEYED_VALUE``.
    """
    for step in flow.steps.values():
        if step.output not in codecs:
            raise StageError(
                f"step {step.name} has an output that no codec stores",
                code="BAD_FLOW",
                got=step.output,
            )
    recipes = flow.recipes({name: source.key for name, source in sources.items()})
    with ThreadPoolExecutor(max_workers=1) as writer:
        store = _Store(
            recipes=recipes, flow=flow, cache=cache, codecs=codecs, listen=listen, writer=writer
        )
        run = _Run(flow=flow, sources=sources, wanted=tuple(wanted), store=store, listen=listen)
        try:
            outputs = run.outputs()
        finally:  # what steps have done before another failed is kept
            store.settle()
    return FlowResult(outputs=outputs, recipes=recipes, ran=tuple(run.ran))


def origin_of(error: BaseException) -> str:
    """Name an exception's type and line, and not its text, which may quote a patient's file."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where


@dataclass(kw_only=True)
class _Store:
    """The cache by step, written in the background: its faults are reported, not raised."""

    recipes: Mapping[str, Recipe]
    flow: Flow
    cache: Cache | None
    codecs: Codecs
    listen: Listener
    writer: ThreadPoolExecutor
    distrusted: set[str] = field(default_factory=set)
    pending: dict[str, Future[None]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        self._settle(name)
        if self.cache is None or name in self.distrusted:
            return False
        try:
            return self.cache.has(self.recipes[name].key)
        except OSError as error:
            self._distrust(name, "CACHE_UNREADABLE", f"cannot be read: {error.strerror}")
            return False

    def load(self, name: str) -> Any:
        """Return a step's output, or raise NotCached."""
        key = self.recipes[name].key
        if self.cache is None:
            raise NotCached(key)
        try:
            return self.cache.load(key, self.codecs[self.flow.steps[name].output])
        except CacheCorruptError as error:
            self._distrust(name, error.code, str(error))
            raise NotCached(key) from error
        except OSError as error:
            self._distrust(name, "CACHE_UNREADABLE", f"cannot be read: {error.strerror}")
            raise NotCached(key) from error

    def save(self, name: str, value: Any, seconds: float) -> None:
        if self.cache is None:
            return
        files = self._encode(name, value)
        self.pending[name] = self.writer.submit(
            self.cache.store, self.recipes[name], files, seconds=seconds
        )

    def settle(self) -> None:
        """Wait until all that was saved is written, or report why it is not."""
        for name in list(self.pending):
            self._settle(name)

    def _settle(self, name: str) -> None:
        written = self.pending.pop(name, None)
        if written is None:
            return
        try:
            written.result()
        except OSError as error:
            self._tell(name, "CACHE_UNWRITABLE", f"cannot be written: {error.strerror}")

    def _encode(self, name: str, value: Any) -> Files:
        output = self.flow.steps[name].output
        try:
            return self.codecs[output].encode(value)
        except Exception as error:
            raise StageError(
                f"stage {name} returned what cannot be stored",
                code="BAD_OUTPUT",
                expected=output,
                got=type(value).__name__,
            ) from error

    def _distrust(self, name: str, code: str, message: str) -> None:
        self.distrusted.add(name)
        self._tell(name, code, message)

    def _tell(self, name: str, code: str, message: str) -> None:
        _log.warning("cache of %s: %s", name, message)
        self.listen(CacheTrouble(name, code, message))


@dataclass(kw_only=True)
class _Run:
    """One run: what is held in memory now, and what ran so far."""

    flow: Flow
    sources: Mapping[str, Source]
    wanted: tuple[str, ...]
    store: _Store
    listen: Listener
    held: dict[str, Any] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def outputs(self) -> dict[str, Any]:
        missing = self._missing()
        for name in self.flow.steps:
            if name not in missing:
                self.listen(Hit(name))
        while True:
            # an entry may prove corrupt or vanish whenever it is read: then plan again
            try:
                while missing := self._missing():
                    self._execute(self.flow.steps[missing[0]])
                    self._forget()
                return {name: self._value(name) for name in self.wanted}
            except NotCached:
                continue

    def _missing(self) -> list[str]:
        """Return the steps that must run, in order."""
        needed = set(self.wanted)
        missing = []
        for name in reversed(list(self.flow.steps)):
            if name in needed and name not in self.held and not self.store.has(name):
                missing.append(name)
                needed |= self.flow.steps[name].upstream
        return missing[::-1]

    def _forget(self) -> None:
        needed = set(self.wanted)
        for name in self._missing():
            needed |= self.flow.steps[name].upstream
        self.held = {name: value for name, value in self.held.items() if name in needed}

    def _value(self, name: str) -> Any:
        if name not in self.held:
            source = self.sources.get(name)
            self.held[name] = self.store.load(name) if source is None else source.load()
        return self.held[name]

    def _execute(self, step: Step) -> None:
        inputs = {keyword: self._input(reference) for keyword, reference in step.inputs.items()}
        self.listen(Started(step.name))
        began = time.perf_counter()
        value = _call(step, inputs, lambda share: self.listen(Advanced(step.name, share)))
        seconds = time.perf_counter() - began
        self.store.save(step.name, value, seconds)
        self.held[step.name] = value
        self.ran.append(step.name)
        self.listen(Finished(step.name, seconds))

    def _input(self, reference: str) -> Any:
        name, _, attribute = reference.partition(".")
        value = self._value(name)
        return getattr(value, attribute) if attribute else value


def _call(step: Step, inputs: Mapping[str, Any], progress: Callable[[float], None]) -> Any:
    try:
        return step.stage.run(**inputs, progress=progress)
    except NoduleError:
        raise
    except Exception as error:
        raise StageError(
            f"stage {step.name} failed",
            code="STAGE_FAILED",
            got=origin_of(error),
            hint="This is a defect of the stage; please report it",
        ) from error
