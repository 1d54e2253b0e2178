"""Workers in processes of their own, on this machine or on a cluster, by Ray.

Each is an actor that loads the networks once and keeps them. One that dies, or takes too long,
loses the study it had, and another takes its place.
"""

from __future__ import annotations

import functools
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from nodule.errors import InputError, UsageError
from pipelines.batch._outcomes import Failure, failure_of
from pipelines.batch._study_work import StudyDone
from pipelines.places import StudyPlace

Work = Callable[[StudyPlace], StudyDone | Failure]

WORKER_LOST = "WORKER_LOST"
TIMED_OUT = "TIMED_OUT"
STUDY_MEMORY_BYTES = 2 << 30  # of a study of 750 slices
_OBJECT_STORE_BYTES = 80 << 20  # nothing but addresses and outcomes goes through it
START_LIMIT_S = 120.0  # of a worker's process
_POLL_S = 1.0
_OWNER_ONLY = 0o077


class _StudyWorker:
    """Does the work on one study after the other, in an actor's process."""

    def __init__(self, work: Work) -> None:
        os.umask(_OWNER_ONLY)
        self._work = work

    def is_there(self) -> bool:
        return True

    def work(self, place: StudyPlace) -> StudyDone | Failure:
        return self._work(place)


@dataclass
class _Hand:
    """An actor, and what it does.

    Parameters
    ----------
    actor : of :class:`_StudyWorker`.
    there : a reference to the answer of an actor whose process has started.
    place : the study that it was given last.
    since_s : when it was given that.
    started : whether its process was there at that time.
    """

    actor: Any
    there: Any
    place: StudyPlace | None = None
    since_s: float = 0.0
    started: bool = False


class RayWorkers:
    """Actors of Ray, each with one study at a time.

    Parameters
    ----------
    work : what is done with each study; it is sent to the actors.
    use_gpus : whether each worker is to have a GPU of its own, where there are any.
    count : how many; None for as many as processors, GPUs and memory allow.
    threads : of each.
    address : of a running cluster; None begins one on this machine, which ends with the block.
    study_limit_s : longest that a study may take.

    Raises
    ------
    UsageError : ``NO_BATCH_PACKAGES``; ``NO_CLUSTER`` where none answers at the address.
    InputError : ``NO_MEMORY`` where not even one worker fits.
    """

    def __init__(
        self,
        work: Work,
        *,
        use_gpus: bool,
        count: int | None = None,
        threads: int = 1,
        address: str | None = None,
        study_limit_s: float = 3600.0,
    ) -> None:
        self._ray = _begin_ray(address)
        self._limit_s = study_limit_s
        self._running: dict[Any, _Hand] = {}
        try:
            has = self._ray.cluster_resources()
            gpus = int(has.get("GPU", 0)) if use_gpus else 0
            self.size = _how_many(has, asked=count, threads=threads, gpus=gpus)
            self._new_actor = functools.partial(
                self._ray.remote(_StudyWorker)
                .options(num_cpus=threads, num_gpus=1 if gpus else 0, memory=STUDY_MEMORY_BYTES)
                .remote,
                work,
            )
            self._idle = [self._hire() for _ in range(self.size)]
        except BaseException:
            self._ray.shutdown()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hand in (*self._idle, *self._running.values()):
            self._ray.kill(hand.actor)
        self._ray.shutdown()

    def begin(self, item: StudyPlace) -> None:
        """Give a study to a worker that has none."""
        hand = self._idle.pop()
        hand.place, hand.since_s = item, time.monotonic()
        self._running[hand.actor.work.remote(item)] = hand

    def next_ended(self) -> tuple[StudyPlace, StudyDone | Failure]:
        """Wait for a study to end; one that its worker lost is a failure of code `WORKER_LOST`."""
        while True:
            ended, _ = self._ray.wait(list(self._running), timeout=_POLL_S)
            if ended:
                return self._ended(ended[0])
            for ref, hand in list(self._running.items()):
                if (error := self._overdue(hand)) is not None:
                    del self._running[ref]
                    return self._lose(hand, error)

    def _ended(self, ref: Any) -> tuple[StudyPlace, StudyDone | Failure]:
        hand = self._running.pop(ref)
        try:
            outcome: StudyDone | Failure = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            return self._lose(hand, _lost(type(error).__name__))
        self._idle.append(hand)
        assert hand.place is not None
        return hand.place, outcome

    def _overdue(self, hand: _Hand) -> InputError | None:
        """Return why a worker is waited for no longer; None where it is."""
        now = time.monotonic()
        if not hand.started and self._ray.wait([hand.there], timeout=0)[0]:
            hand.started, hand.since_s = True, now
        taken_s = now - hand.since_s
        if hand.started:
            return _timed_out(self._limit_s) if taken_s > self._limit_s else None
        return _lost("no node for it") if taken_s > START_LIMIT_S else None

    def _hire(self) -> _Hand:
        actor = self._new_actor()
        return _Hand(actor=actor, there=actor.is_there.remote())

    def _lose(self, hand: _Hand, error: InputError) -> tuple[StudyPlace, Failure]:
        """Have a new process in place of a lost one: one that Ray restarts refuses work first."""
        self._ray.kill(hand.actor)
        if hand.started or self.size == 1:
            self._idle.append(self._hire())
        else:
            self.size -= 1  # its node has gone
        assert hand.place is not None
        return hand.place, failure_of(hand.place.location, error)


def _begin_ray(address: str | None) -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise UsageError(
            "several workers need Ray",
            code="NO_BATCH_PACKAGES",
            hint="Install nodule[batch], or give --workers 0 to work in this process.",
        ) from None
    own: dict[str, Any] = {
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
        "_node_ip_address": "127.0.0.1",
    }
    on_end = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if address else own),
        )
    except (ConnectionError, ValueError) as error:
        raise UsageError(
            "no cluster answers there", code="NO_CLUSTER", got=f"{address}: {type(error).__name__}"
        ) from None
    signal.signal(signal.SIGTERM, on_end)  # Ray's own would end the process without a summary
    return ray


def _how_many(has: dict[str, float], *, asked: int | None, threads: int, gpus: int) -> int:
    by_memory = int(has.get("memory", 0) // STUDY_MEMORY_BYTES)
    by_device = gpus or int(has.get("CPU", 1) // threads)
    if by_memory < 1 or by_device < 1:
        raise InputError(
            "not even one worker fits",
            code="NO_MEMORY",
            expected=f"{STUDY_MEMORY_BYTES >> 20} MiB and {threads} processors for each",
            got=f"{int(has.get('memory', 0)) >> 20} MiB and {int(has.get('CPU', 0))} processors",
        )
    return min(by_memory, by_device, asked or by_device)


def _lost(kind: str) -> InputError:
    return InputError(
        "the process that worked on the study has died",
        code=WORKER_LOST,
        got=kind,
        hint="It may have been out of memory; the system's log says so.",
    )


def _timed_out(limit_s: float) -> InputError:
    return InputError("the study took too long", code=TIMED_OUT, expected=f"at most {limit_s:g} s")
