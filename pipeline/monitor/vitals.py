"""Whether the watch is alive: every event it tells is a beat."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pipeline.events import Event

STALLED_AFTER = 900.0
"""Seconds without any event after which the watch counts as stuck. Reading one huge file tells nothing for minutes."""


class Vitals:
    """A listener that remembers when it last heard something, and what stands in the way."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._beat = monotonic()
        self.last_pass: float | None = None
        self.settings_wrong: str | None = None

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """A beat."""
        del facts
        self._beat = self._monotonic()
        if event is Event.SETTINGS_WRONG:
            self.settings_wrong = text
        elif event is Event.SETTINGS_READ_ANEW:
            self.settings_wrong = None

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """A beat."""
        del facts
        self._beat = self._monotonic()
        if event is Event.RUN_ENDED:
            self.last_pass = time.time()

    def advance(self) -> None:
        """A beat."""
        self._beat = self._monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last beat."""
        return self._monotonic() - self._beat

    @property
    def stalled(self) -> bool:
        """Whether nothing was heard for too long."""
        return self.silence > STALLED_AFTER
