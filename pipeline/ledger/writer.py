"""Group commit: whoever has something to write while nobody commits does so, and takes along what came meanwhile.

An intent has to be on disk before the first byte of a call leaves, so every call pays for a sync of the disk. Who sends
the call commits it himself: nothing is handed to another thread and back. Calls under way at the same time
share: while one commit is being synced, the next writes queue up, and the first of those that wait commits them all.
What nobody waits for (an outcome, as a rule) goes along with what somebody waits for (the next intent), and has a
commit of its own only when none came for a moment, or none will. What follows from such writes (that a delivery is
done) may be left for one of the next commits where they come fast: several change the same few pages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from itertools import chain
from types import TracebackType
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from pipeline.errors import LedgerError
from pipeline.ledger import plain
from pipeline.ledger.checkpoints import Checkpoints
from pipeline.ledger.engine import ledger_trouble

_FAST, _MOST_LEFT = 0.002, 16
"""Writes that may be left are left where the last commit is no longer ago than so many seconds; so many at most."""

T = TypeVar("T")
Write = Callable[[sa.Connection], T]

_SHORTEST_LINGER, _LONGEST_LINGER = 0.01, 0.02
"""Seconds that a write may lie in memory for company, about; who knows that none will come says so (``flush``)."""

_CACHE_KB = 16_000
"""Pages of a transaction that SQLite keeps in memory. Out of the two thousand kilobytes it takes by itself, the
records of a file flow over into the log, and come back, again and again: half of all that is written."""


class _Awaited(Generic[T]):
    """A write that its own thread waits for: until it is committed, or is to commit the queue itself."""

    __slots__ = ("_problem", "_result", "done", "leads", "turn", "waits", "what")

    def __init__(self, what: Write[T]) -> None:
        self.what = what
        self.turn = threading.Lock()
        self.turn.acquire()
        self.waits = True
        self.leads = False
        self.done = False
        self._result: Any = None
        self._problem: BaseException | None = None

    def set_result(self, result: T) -> None:
        self._result, self.done = result, True
        self.turn.release()

    def set_exception(self, problem: BaseException) -> None:
        self._problem, self.done = problem, True
        self.turn.release()

    def outcome(self) -> T:
        if self._problem is not None:
            raise self._problem
        result: T = self._result
        return result


class Posted(Generic[T]):
    """A write that nobody needs to wait for. (A ``Future`` of the standard library costs more than its statements.)"""

    __slots__ = ("_ended", "_problem", "_result", "_then", "done", "what")

    def __init__(self, what: Write[T]) -> None:
        self.what = what
        self.done = False
        self._ended = threading.Lock()
        self._ended.acquire()
        self._then: list[Callable[[BaseException | None], object]] = []
        self._result: Any = None
        self._problem: BaseException | None = None

    def set_result(self, result: T) -> None:
        """It is committed."""
        self._result = result
        self._end()

    def set_exception(self, problem: BaseException) -> None:
        """It could not be written."""
        self._problem = problem
        self._end()

    def result(self, timeout: float = -1) -> T:
        """What it gave, once it is committed; raises what it raised, and ``TimeoutError`` after so many seconds."""
        if not self._ended.acquire(timeout=timeout):
            raise TimeoutError
        self._ended.release()
        if self._problem is not None:
            raise self._problem
        told: T = self._result
        return told

    @property
    def problem(self) -> BaseException | None:
        """Why it could not be written, as far as that is known."""
        return self._problem

    def then(self, tell: Callable[[BaseException | None], object]) -> None:
        """Call ``tell`` once, when it is committed (``None``) or could not be; at once where that is known already."""
        self._then.append(tell)
        if self.done:
            self._tell()

    def _end(self) -> None:
        self.done = True
        self._ended.release()
        self._tell()

    def _tell(self) -> None:
        with suppress(IndexError):  # whoever takes a call out of the list makes it: each is made once
            while True:
                self._then.pop()(self._problem)


_Queued = _Awaited[Any] | Posted[Any]


class _Begun(AbstractContextManager[sa.Connection]):
    """A transaction on a connection that stays open, begun and ended by the driver.

    For SQLAlchemy the connection is in one long transaction: its own way in and out takes as long as three statements.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        plain.by_driver(connection, "BEGIN IMMEDIATE")

    def __enter__(self) -> sa.Connection:
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self._connection.connection.rollback()  # where SQLite has done so itself, there is nothing to do

    def commit(self) -> None:
        """Durable from now on."""
        plain.by_driver(self._connection, "COMMIT")


class GroupWriter:
    """Runs writes one after another in shared transactions; ``write`` returns when its transaction is durable."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(immediate=True)
        self._database = engine.url.database
        # A SQLite connection is nothing but an open file; that of a server may end while nobody writes.
        self._keeps_open = engine.dialect.name == "sqlite"
        self._connection: sa.Connection | None = None
        self._checkpoints = (
            Checkpoints(engine) if self._keeps_open and self._database not in {None, ":memory:"} else None
        )
        self._linger = _SHORTEST_LINGER
        self._mutex = threading.Lock()
        self._queue: list[_Queued] = []
        self._left: list[Posted[Any]] = []
        self._left_since = self._committed_at = 0.0
        self._leading = False  # somebody commits, or was told to
        self._posted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._mind_the_posted, name="ledger", daemon=True)
        self._thread.start()

    def write(self, what: Write[T]) -> T:
        """Run ``what`` in a transaction and return its result once it is committed; raises what ``what`` raised."""
        mine = _Awaited(what)
        with self._mutex:
            self._queue.append(mine)
            leads = not self._leading
            self._leading = True
        if not leads:
            try:
                mine.turn.acquire()
            except BaseException:
                self._leave(mine)
                raise
        if not mine.done:
            self._lead()
        return mine.outcome()

    def post(self, what: Write[T]) -> Posted[T]:
        """The same without waiting. Writes are carried out in the order they came, so no later one is durable alone."""
        posted = Posted(what)
        with self._mutex:
            self._queue.append(posted)
        if not self._posted.is_set():
            self._posted.set()
        return posted

    def post_at_leisure(self, what: Write[T]) -> Posted[T]:
        """The same for what one of the next commits may take along; never before what was posted until now."""
        posted = Posted(what)
        with self._mutex:
            if not self._left:
                self._left_since = time.monotonic()
            self._left.append(posted)
        if not self._posted.is_set():
            self._posted.set()
        return posted

    def flush(self) -> None:
        """What was posted need not wait for company: none will come."""
        if self._may_lead():
            self._lead()

    def close(self) -> None:
        """Finish what is queued and stop."""
        self._closing.set()
        self._posted.set()
        self._thread.join()
        with self._mutex:
            is_written = not (self._queue or self._left or self._leading)  # then one that is locked is not asked again
        with suppress(LedgerError):  # what could not be written was told to whoever asked for it
            if not is_written:
                self.write(lambda _connection: None)  # behind all others
        if self._checkpoints is not None:
            self._checkpoints.close()
        self._let_go()

    def _leave(self, mine: _Awaited[Any]) -> None:
        """This thread is being ended while it waits: what it wanted written is written, and nobody waits for it."""
        with self._mutex:
            mine.waits = False
            leads = mine.leads and not mine.done
        self._posted.set()
        if leads:
            self._lead()

    def _may_lead(self, oldest: _Queued | None = None) -> bool:
        """Whether there is something to commit and nobody else to do it; then it is up to the caller."""
        with self._mutex:
            first = (*self._queue[:1], *self._left[:1])
            leads = bool(first) and not self._leading and (oldest is None or oldest in first)
            self._leading = self._leading or leads
            return leads

    def _lead(self) -> None:
        """Commit what is queued; then the first of those who came meanwhile and wait goes on."""
        with self._mutex:
            group, self._queue = self._queue, []
            if self._left and not self._is_in_haste(group):
                group += self._left
                self._left = []
        try:
            self._commit(group)
        finally:
            with self._mutex:
                following = next((one for one in self._queue if isinstance(one, _Awaited) and one.waits), None)
                self._leading = following is not None
                if following is not None:
                    following.leads = True
                    following.turn.release()

    def _is_in_haste(self, group: list[_Queued]) -> bool:
        """Whether somebody waits for this commit, and the next one will come as soon: then it takes little along."""
        if len(self._left) >= _MOST_LEFT or self._closing.is_set():
            return False
        now = time.monotonic()
        fast = now - self._committed_at < _FAST and now - self._left_since < _SHORTEST_LINGER
        return fast and any(isinstance(one, _Awaited) for one in group)

    def _mind_the_posted(self) -> None:
        """Commit what lies there without company in two looks; sleep while nothing is posted."""
        seen: _Queued | None = None
        while not self._closing.is_set():
            if seen is None:
                self._posted.wait()
            self._closing.wait(self._linger)
            self._posted.clear()
            if seen is not None and self._may_lead(seen):
                self._lead()
            with self._mutex:
                seen = next(chain(self._left, self._queue), None)

    def _commit(self, group: list[_Queued]) -> None:
        is_begun = False
        try:
            with self._begun() as connection:
                is_begun = True
                results = [one.what(connection) for one in group]
                begun = time.monotonic()
            self._committed_at = time.monotonic()
            self._linger = min(_LONGEST_LINGER, max(_SHORTEST_LINGER, self._committed_at - begun))
        except BaseException as raised:
            problem = self._in_words(raised)
            self._let_go()
            if not isinstance(problem, Exception):  # this thread is being ended; the others must not wait for ever
                for one in group:
                    one.set_exception(LedgerError("The program was ended while the ledger was being written."))
                raise
            if len(group) == 1 or not is_begun:  # locked: to ask once more for each would take as long each time
                for one in group:
                    one.set_exception(problem)
            else:  # one bad write must not take its neighbours down
                for one in group:
                    self._commit([one])
            return
        for one, result in zip(group, results, strict=True):
            one.set_result(result)
        if self._checkpoints is not None:
            self._checkpoints.committed(connection)

    def _in_words(self, raised: BaseException) -> BaseException:
        """What the database said, as a ``LedgerError`` with what to do; anything else as it is."""
        try:
            with ledger_trouble(self._database):
                raise raised  # noqa: TRY301 - the block around it has the words
        except BaseException as problem:  # noqa: BLE001 - it is given back
            return problem

    def _begun(self) -> AbstractContextManager[sa.Connection]:
        """A transaction: committed at the end of the block, rolled back when that raises."""
        if not self._keeps_open:
            return self._engine.begin()
        if self._connection is None:
            self._connection = self._engine.execution_options(by_hand=True).connect()
            self._connection.begin()
            plain.by_driver(self._connection, f"PRAGMA cache_size={-_CACHE_KB}")
            if self._checkpoints is not None:
                self._checkpoints.leave_to_us(self._connection)
        return _Begun(self._connection)

    def _let_go(self) -> None:
        kept, self._connection = self._connection, None
        if kept is not None:
            with suppress(sa.exc.SQLAlchemyError):  # what was wrong with it is told by what was to be written
                kept.close()
