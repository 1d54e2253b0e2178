"""Decoder processes that are kept from one series to the next."""

from __future__ import annotations

import atexit
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from nodule.ct.dicom._frame_decoder import FrameDecoder

MAX_KEPT = 4
MAX_FRAMES = 5_000  # then a fresh process: what a codec leaks does not add up to a limit
IDLE_SECONDS = 60.0


class DecoderPool:
    """Lends decoder processes, and keeps those that did their work without an error.

    Whatever ends a loan early (a refused frame, a crash, an interrupt) ends its process: its state
    is unknown. Idle processes end after a minute, and with this one. A process forked from this
    one starts its own.

    Why no library: ``concurrent.futures`` loses all workers when one dies and cannot stop one
    that hangs, and whatever starts workers by ``multiprocessing`` imports the caller's script
    again in each, with all that it loads before a limit is set.
    """

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._reset()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[FrameDecoder] = []
        self._timer: threading.Timer | None = None

    def _forget(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the processes are not this one's to wait for
            self._reset()

    @contextmanager
    def lend(self) -> Iterator[FrameDecoder]:
        """Lend a decoder to one thread."""
        decoder = self._take()
        try:
            yield decoder
        except BaseException:
            decoder.close()
            raise
        self._put_back(decoder)

    def close(self) -> None:
        """End all idle processes."""
        with self._lock:
            idle, self._idle = self._idle, []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for decoder in idle:
            decoder.close()

    @property
    def idle_pids(self) -> tuple[int, ...]:
        """Process ids of the decoders that wait for work."""
        with self._lock:
            return tuple(decoder.pid for decoder in self._idle)

    def _take(self) -> FrameDecoder:
        while True:
            with self._lock:
                decoder = self._idle.pop() if self._idle else None
            if decoder is None:
                return FrameDecoder()
            if decoder.is_alive:
                return decoder
            decoder.close()

    def _put_back(self, decoder: FrameDecoder) -> None:
        with self._lock:
            is_kept = len(self._idle) < MAX_KEPT and decoder.frames < MAX_FRAMES
            if is_kept:
                self._idle.append(decoder)
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = threading.Timer(self._idle_seconds, self.close)
                self._timer.daemon = True
                self._timer.start()
        if not is_kept:
            decoder.close()


DECODERS = DecoderPool()
