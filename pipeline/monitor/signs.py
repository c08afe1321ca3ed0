"""The ledger's vital signs, kept for a while: a scrape never waits for the ledger, and costs it little."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pipeline.ledger.vital_signs import VitalSigns, vital_signs

LEAST_AGE = 1.0
SHARE = 50
"""Asking may take one part in ``SHARE`` of the time: what took half a second is kept for 25."""


class Signs:
    """The last answer; asking for it starts a new question in the background when it is old enough."""

    def __init__(self, engine: sa.Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._keep_until = float("-inf")
        self._read_at: float | None = None
        self.latest: VitalSigns | None = None
        self.readable = True

    def now(self) -> VitalSigns | None:
        """What was read last; ``None`` while nothing was read so far. The first question is waited for, a moment."""
        with self._lock:
            if self._asking is None and self._monotonic() >= self._keep_until:
                self._asking = threading.Thread(target=self._ask, name="vital signs", daemon=True)
                self._asking.start()
            asking = self._asking
        if asking is not None:
            asking.join(5.0 if self.latest is None else 0.2)
        return self.latest

    @property
    def age(self) -> float | None:
        """Seconds since the answer was read."""
        return None if self._read_at is None else self._monotonic() - self._read_at

    def close(self) -> None:
        """Wait for a question under way: the ledger is closed after this."""
        if self._asking is not None:
            self._asking.join(30.0)

    def _ask(self) -> None:
        begun = self._monotonic()
        try:
            with self._engine.connect() as connection:
                self.latest = vital_signs(connection)
            self._read_at, self.readable = self._monotonic(), True
        except (SQLAlchemyError, OSError):
            self.readable = False
        finally:
            took = self._monotonic() - begun
            with self._lock:
                self._keep_until = self._monotonic() + max(LEAST_AGE, took * SHARE)
                self._asking = None
