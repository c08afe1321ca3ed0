"""How much of each account's rate is left: shared by all of this process who call it, and known after a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline.delivery.clock import Clock
from pipeline.delivery.pacing import Bucket
from pipeline.ledger import paces
from pipeline.ledger.writer import GroupWriter
from pipeline.targets.contract import Account, PaceHint


@dataclass(slots=True)
class Allowance:
    """One account's bucket, drawn from by several threads; times in seconds since 1970."""

    bucket: Bucket
    notes: bool = True
    users: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, now: float) -> float:
        """Take one call out and return how many seconds to wait before sending it."""
        with self._lock:
            return self.bucket.draw(now)

    def closed_for(self, now: float) -> float:
        """Seconds that the vendor asked to wait, counted from now."""
        with self._lock:
            return self.bucket.closed_for(now)

    def heed(self, hint: PaceHint, now: float, age: float) -> None:
        """Believe the vendor's own word about a call that began ``age`` seconds ago."""
        with self._lock:
            self.bucket.heed(hint, now, age)

    def fills_at(self, now: float) -> float:
        """When the account may be called in a burst again."""
        with self._lock:
            return self.bucket.fills_at(now)


class Allowances:
    """The allowances in use, by account; what is left of one that nobody uses stands in the ledger."""

    def __init__(self, writer: GroupWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._in_use: dict[str, Allowance] = {}

    @contextmanager
    def hold(self, account: Account, clock: Clock, *, alone: bool) -> Iterator[Allowance]:
        """The account's allowance for as long as it is called.

        ``alone``: no other process calls it (the caller holds the run lock). Else one that is in use already may be
        another process's, whose word in the ledger is left as it is.
        """
        allowance = self._taken_up(account, clock, alone=alone)
        try:
            yield allowance
        finally:
            self._let_go(account.name, allowance, clock)

    def _taken_up(self, account: Account, clock: Clock, *, alone: bool) -> Allowance:
        with self._lock:
            allowance = self._in_use.get(account.name)
            if allowance is not None:
                allowance.users += 1
                allowance.notes = allowance.notes or alone
                return allowance
            rate, now = account.rate, clock.now()
            when = self._writer.write(lambda c: paces.take_up(c, account.name))
            bucket = Bucket.full(rate, now) if when is None else Bucket.full_at(rate, when, now)
            allowance = Allowance(bucket, notes=alone or when != paces.IN_USE)
            self._in_use[account.name] = allowance
            return allowance

    def _let_go(self, name: str, allowance: Allowance, clock: Clock) -> None:
        with self._lock:
            allowance.users -= 1
            if allowance.users:
                return
            del self._in_use[name]
            fills_at = allowance.fills_at(clock.now())
            if allowance.notes:
                self._writer.post(lambda c: paces.note(c, name, fills_at))
