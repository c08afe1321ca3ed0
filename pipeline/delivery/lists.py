"""Reading a target's own list: paced like any call, tried again after a fault, and whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pipeline.delivery.allowance import Allowance
from pipeline.delivery.clock import Clock
from pipeline.delivery.line import Halt, Line
from pipeline.delivery.pacing import back_off
from pipeline.errors import SetupError
from pipeline.targets.contract import Account, Later, Listed, ListRead, Paused, Unclear
from pipeline.targets.http import NotSent, Transport, Unanswered

MAX_READS = 4
"""How often a list is begun before it counts as unreadable."""

MAX_CALLS = 20_000
"""A list that has not ended after so many calls goes in circles."""

LONGEST_WAIT = 60.0
"""Seconds; a target that asks to wait longer is left for another time."""


class ListReader:
    """Reads lists of one account. Nothing is journaled: a read may be repeated at will."""

    def __init__(
        self,
        account: Account,
        transport: Transport,
        clock: Clock,
        stop: threading.Event,
        allowance: Allowance | None = None,
    ) -> None:
        self._account = account
        self._clock = clock
        self._stop = stop
        self._line = Line(account, transport, clock, stop, allowance=allowance)

    def read(self, begin: Callable[[], ListRead]) -> tuple[Listed, ...] | Unclear:
        """The whole list, or why it could not be read; begun anew after a throttle or a lost answer."""
        for tries in range(1, MAX_READS + 1):
            seen = self._once(begin)
            if not isinstance(seen, Unclear) or not isinstance(seen.trouble, Later) or tries == MAX_READS:
                return seen
            seconds = back_off(tries) if seen.trouble.seconds is None else seen.trouble.seconds
            if seconds > LONGEST_WAIT:
                return seen
            self._clock.wait(seconds, self._stop)
        raise AssertionError("the last try returns")

    def _once(self, begin: Callable[[], ListRead]) -> tuple[Listed, ...] | Unclear:
        try:
            return self._walk(begin())
        except (NotSent, Unanswered) as problem:
            message = f"{self._account.name} cannot be asked: {problem}."
            return Unclear(message, Later("unreachable", message))
        except Halt:
            trouble = self._line.trouble
            return Unclear("The reading was stopped.") if trouble is None else Unclear(trouble.message, trouble)
        except SetupError as problem:
            return Unclear(str(problem), Paused("set_up", str(problem), ""))
        except Exception as problem:  # noqa: BLE001 - an answer nobody foresaw must not hide what other accounts tell
            return Unclear(f"The list of {self._account.name} could not be understood ({type(problem).__name__}).")

    def _walk(self, reading: ListRead) -> tuple[Listed, ...] | Unclear:
        try:
            request = next(reading)
            for _ in range(MAX_CALLS):
                request = reading.send(self._line.exchange_paced(request))
        except StopIteration as end:
            listed: tuple[Listed, ...] | Unclear = end.value
            return listed
        reading.close()
        return Unclear(f"The list of {self._account.name} did not end after {MAX_CALLS} calls.")
