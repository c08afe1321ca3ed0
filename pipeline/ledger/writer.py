"""Group commit: all writes go through one thread, and those that come at once share one transaction.

An intent has to be on disk before the first byte of a call leaves, so every call pays for a sync of the disk. Calls
under way at the same time share it: while one commit is being synced, the next writes queue up and go together. What
nobody waits for (an outcome, as a rule) goes along with what somebody waits for (the next intent), and has a commit of
its own only when nothing came for as long as a commit takes.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import sqlalchemy as sa

from pipeline.ledger.engine import ledger_trouble

T = TypeVar("T")
Write = Callable[[sa.Connection], T]
_Queued = tuple[Write[Any], "Future[Any]", bool]
"""What to write, whom to tell, and whether somebody waits for it."""

_LONGEST_LINGER = 0.02
"""Seconds that a write may lie in memory for company, at most; usually it is the time of the last commit."""


class GroupWriter:
    """Runs writes one after another in shared transactions; ``write`` returns when its transaction is durable."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(immediate=True)
        self._linger = 0.0
        self._queue: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    def write(self, what: Write[T]) -> T:
        """Run ``what`` in a transaction and return its result once it is committed; raises what ``what`` raised."""
        future: Future[T] = Future()
        self._queue.put((what, future, True))
        return future.result()

    def post(self, what: Write[T]) -> Future[T]:
        """The same without waiting. Writes are carried out in the order they came, so no later one is durable alone."""
        future: Future[T] = Future()
        self._queue.put((what, future, False))
        return future

    def close(self) -> None:
        """Finish what is queued and stop."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        stopping = False
        while not stopping:
            group, stopping = self._next_group()
            if group:
                self._commit(group)

    def _next_group(self) -> tuple[list[_Queued], bool]:
        """What is written in one commit, and whether it is the last."""
        group: list[_Queued] = []
        item = self._queue.get()
        until = time.monotonic() + self._linger
        while item is not None:
            group.append(item)
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                if any(awaited for _, _, awaited in group):
                    return group, False
                try:
                    item = self._queue.get(timeout=max(0.0, until - time.monotonic()))
                except queue.Empty:
                    return group, False
        return group, True

    def _commit(self, group: list[_Queued]) -> None:
        try:
            with ledger_trouble(self._engine.url.database), self._engine.begin() as connection:
                results = [what(connection) for what, _, _ in group]
                begun = time.monotonic()
            self._linger = min(_LONGEST_LINGER, time.monotonic() - begun)
        except Exception as problem:  # noqa: BLE001 - it is handed to whoever asked for the write
            if len(group) == 1:
                group[0][1].set_exception(problem)
            else:  # one bad write must not take its neighbours down
                for single in group:
                    self._commit([single])
            return
        for (_, future, _), result in zip(group, results, strict=True):
            future.set_result(result)
