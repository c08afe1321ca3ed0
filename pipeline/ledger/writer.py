"""Group commit: all writes go through one thread, and those that come at once share one transaction.

An intent has to be on disk before the first byte of a call leaves, so every call pays for a sync of the disk. Calls
under way at the same time share it: while one commit is being synced, the next writes queue up and go together.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import sqlalchemy as sa

from pipeline.ledger.engine import ledger_trouble

T = TypeVar("T")
Write = Callable[[sa.Connection], T]
_Queued = tuple[Write[Any], "Future[Any]"]


class GroupWriter:
    """Runs writes one after another in shared transactions; ``write`` returns when its transaction is durable."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(immediate=True)
        self._queue: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    def write(self, what: Write[T]) -> T:
        """Run ``what`` in a transaction and return its result once it is committed; raises what ``what`` raised."""
        future: Future[T] = Future()
        self._queue.put((what, future))
        return future.result()

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
        group: list[_Queued] = []
        item = self._queue.get()
        while item is not None:
            group.append(item)
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Queued]) -> None:
        try:
            with ledger_trouble(), self._engine.begin() as connection:
                results = [what(connection) for what, _ in group]
        except Exception as problem:  # noqa: BLE001 - it is handed to whoever asked for the write
            if len(group) == 1:
                group[0][1].set_exception(problem)
            else:  # one bad write must not take its neighbours down
                for single in group:
                    self._commit([single])
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)
