"""The workers of a drain: each takes the next delivery in line, and the line is filled before it is empty."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from pipeline.delivery.prepared import Prepared
from pipeline.ledger.deliveries import Delivery, History
from pipeline.ledger.writer import Posted

Waiting = tuple[Delivery, History]

FETCHED = 16
"""Deliveries fetched at once per worker: few, so that a doubt that falls due is not kept waiting behind many."""

_SLICE_SECONDS, _LARGEST_SLICE = 0.25, 512
"""Where the calls are quick more are fetched at once: what is done within so many seconds, up to so many."""

_LOW, _SHARE_LEFT = 4, 4
"""More are fetched where so many deliveries per worker are in line, or one in so many of the last ones fetched: they
keep the workers busy while it lasts."""


@dataclass(slots=True, eq=False)
class _Place:
    """One delivery in line, and what was made ready of it."""

    waiting: Waiting
    looked_at: bool = False
    ready: Prepared | None = None


class Crew:
    """``size`` workers over one line.

    ``fetch(limit, skip)`` gives what is due; ``attend`` takes one delivery as far as it goes and returns the write of
    where it stands. Until that write is committed the ledger still shows the delivery as due, so it is skipped. A
    worker that finds nothing more to take calls ``flush``: no further write will take along what lies in memory.
    ``prepare`` makes ready what can be of a delivery that is still in line (``make_ready``).
    """

    def __init__(
        self,
        name: str,
        size: int,
        fetch: Callable[[int, Sequence[int]], list[Waiting]],
        attend: Callable[[Delivery, History, Prepared | None], Posted[None] | None],
        may_begin: Callable[[], bool],
        finished: Callable[[], bool],
        progress: Callable[[], None],
        flush: Callable[[], None],
        prepare: Callable[[Delivery, History], Prepared | None] = lambda _delivery, _history: None,
    ) -> None:
        self._name = name
        self._size = max(1, size)
        self._fetch = fetch
        self._attend = attend
        self._may_begin = may_begin
        self._finished = finished
        self._progress = progress
        self._flush = flush
        self._prepare = prepare
        self._changed = threading.Condition()
        self._line: deque[_Place] = deque()
        self._open: set[int] = set()
        self._filled_at, self._attended_then = time.monotonic(), 0
        self._low = _LOW * self._size
        self._unwritten = 0
        self._working = 0
        self._more = True  # the last look did not show everything that is due
        self._freed = True  # something has ended, or time has passed, since the last look
        self._broken: BaseException | None = None
        self.attended = 0

    def work(self, wait_for_more: Callable[[], bool]) -> None:
        """Work until nothing is due and ``wait_for_more`` says that nothing will be soon; raises what a worker met."""
        with ThreadPoolExecutor(self._size, thread_name_prefix=self._name) as pool:
            try:
                self._direct(pool, wait_for_more)
            except BaseException as problem:
                self._broken = problem
                raise
            with self._changed:
                self._changed.wait_for(self._is_idle)
        if self._broken is not None:
            raise self._broken

    # --- the foreman ---

    def _direct(self, pool: ThreadPoolExecutor, wait_for_more: Callable[[], bool]) -> None:
        while self._broken is None and not self._finished():
            self._fill()
            self._call_in(pool)
            with self._changed:
                if not self._is_idle():
                    self._changed.wait_for(self._needs_the_foreman)
                    continue
                if self._may_begin() and (self._line or self._wants_more()):
                    continue  # all was done before he could turn to it
            if not wait_for_more():
                return
            self._freed = True

    def _is_idle(self) -> bool:
        return not self._working and not self._unwritten

    def _needs_the_foreman(self) -> bool:
        """Whether all is done, or somebody could do more than there is to take."""
        if self._is_idle() or self._broken is not None:
            return True
        more = self._wants_more() or (bool(self._line) and self._working < self._size)
        return more and self._may_begin()  # asked last: as a rule there is nothing to do, and this takes longest

    def _wants_more(self) -> bool:
        """Whether it is time to look what is due: the line is short, or half of the workers have nothing to do."""
        if self._more:
            return len(self._line) <= self._low
        return not self._line and self._freed and self._working <= self._size // 2

    def _fill(self) -> None:
        with self._changed:
            wanted = self._wants_more() and self._may_begin()
            skip = list(self._open)
            self._freed = self._freed and not wanted
        if not wanted:
            return
        limit = self._slice()
        self._low = max(_LOW * self._size, limit // _SHARE_LEFT)
        found = self._fetch(limit, skip)
        with self._changed:
            self._more = len(found) == limit
            self._open.update(delivery.id for delivery, _ in found)
            self._line.extend(map(_Place, found))

    def _slice(self) -> int:
        """How many to fetch, by how quick the calls were since the last time."""
        now, few = time.monotonic(), FETCHED * self._size
        speed = (self.attended - self._attended_then) / max(0.001, now - self._filled_at)
        self._filled_at, self._attended_then = now, self.attended
        return max(few, min(int(speed * _SLICE_SECONDS), _LARGEST_SLICE))

    def _call_in(self, pool: ThreadPoolExecutor) -> None:
        with self._changed:
            wanted = min(self._size - self._working, len(self._line)) if self._may_begin() else 0
            self._working += wanted
        for _ in range(wanted):
            pool.submit(self._take_turns)

    # --- a worker ---

    def _take_turns(self) -> None:
        try:
            while (place := self._next()) is not None:
                self._attend_to(*place.waiting, place.ready)
            self._flush()
        except BaseException as problem:  # noqa: BLE001 - it is raised where the crew was set to work
            self._broken = self._broken or problem
        with self._changed:
            self._working -= 1
            self._tell_the_foreman()

    def make_ready(self) -> None:
        """Do ahead what can be done of the delivery that comes next; for a worker that has a moment to wait."""
        with self._changed:
            place = next((one for one in islice(self._line, self._size) if not one.looked_at), None)
            if place is None:
                return
            place.looked_at = True
        place.ready = self._prepare(*place.waiting)

    def _next(self) -> _Place | None:
        with self._changed:
            if self._broken is not None or not self._may_begin() or not self._line:
                return None
            place = self._line.popleft()
            if self._more and self._wants_more():
                self._changed.notify_all()
            return place

    def _tell_the_foreman(self) -> None:
        """Something has ended; he is woken only when there is something for him to do."""
        self._freed = True
        if self._needs_the_foreman():
            self._changed.notify_all()

    def _attend_to(self, delivery: Delivery, history: History, ready: Prepared | None) -> None:
        written = self._attend(delivery, history, ready)
        with self._changed:
            self.attended += 1
            self._unwritten += 1
        self._progress()
        if written is None:
            self._put_down(delivery.id, None)
        else:
            written.then(lambda problem: self._put_down(delivery.id, problem))

    def _put_down(self, delivery_id: int, problem: BaseException | None) -> None:
        """Where the delivery stands is committed, or could not be: then nothing may go on."""
        with self._changed:
            self._open.discard(delivery_id)
            self._unwritten -= 1
            self._broken = self._broken or problem
            self._tell_the_foreman()
