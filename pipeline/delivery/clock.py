"""Time as an argument: the real clock, and what a test puts in its place."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970 in UTC, and waiting."""

    def now(self) -> float:
        """The time in seconds since 1970."""
        ...

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Let ``seconds`` pass, or less when ``stop`` is set."""
        ...


class RealClock:
    """The machine's clock, moving only forward within one process however the wall clock jumps."""

    def __init__(self) -> None:
        self._wall = time.time()
        self._start = time.monotonic()

    def now(self) -> float:
        """The wall time at the start of the process plus what has passed since."""
        return self._wall + (time.monotonic() - self._start)

    @property
    def offset(self) -> float:
        """What the wall clock showed beside the one that only counts on: it changes when somebody sets the clock."""
        return self._wall - self._start

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Sleep, woken by ``stop``."""
        stop.wait(seconds)
