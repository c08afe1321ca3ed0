"""The line to one account: paced calls out, and how the account fares."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pipeline.delivery.allowance import Allowance
from pipeline.delivery.clock import Clock
from pipeline.delivery.pacing import Bucket, back_off
from pipeline.events import Event
from pipeline.progress import Progress, Quiet
from pipeline.targets.contract import Account, Answer, Done, InDoubt, Later, Outcome, Paused, Refused, Request, Signed
from pipeline.targets.http import Transport
from pipeline.targets.sending import Meanwhile, nothing

_LONGEST_TURN = 5.0
"""Seconds; what a vendor asks to wait beyond that is no turn in a queue: the drain decides whether to wait so long."""

_UNANSWERED = 10
"""Calls in a row that may end in doubt as if by chance. From there on ever fewer are made: each may need a person."""


class Halt(Exception):
    """No further call may begin now: a stop was asked for, or the account is paused or held."""


class Line:
    """Shared by all calls to one account: its pace, its pauses, its run of failures.

    ``before_waiting`` is called where a call has to wait for its turn, ``meanwhile`` where one waits for its answer.
    ``unanswered`` calls in a row ended in doubt before this line was opened.
    """

    def __init__(
        self,
        account: Account,
        transport: Transport,
        clock: Clock,
        stop: threading.Event,
        progress: Progress | None = None,
        allowance: Allowance | None = None,
        before_waiting: Callable[[], None] = lambda: None,
        meanwhile: Meanwhile = nothing,
        unanswered: int = 0,
    ) -> None:
        self._account = account
        self._transport = transport
        self._clock = clock
        self._stop = stop
        self._progress = progress or Quiet()
        self._lock = threading.Lock()
        self._before_waiting = before_waiting
        self._meanwhile = meanwhile
        self._allowance = allowance or Allowance(Bucket.full(account.rate, clock.now()))
        self._failures = 0
        self._unanswered = unanswered
        self.begun_at = clock.now()
        self.held_until = 0.0
        self.paused: Paused | None = None
        self.trouble: Later | None = None
        self.answered_well = False

    def wait_turn(self) -> None:
        """Wait until the account's rate allows one more call; raises :class:`Halt` when none may begin."""
        self._may_begin()
        closed = self._allowance.closed_for(self._clock.now())
        if closed > _LONGEST_TURN:
            asked = f"{self._account.target} asks to wait {closed:.0f} seconds before the next call."
            self.heed(Later("asked_to_wait", asked, closed))
            raise Halt
        seconds = self._allowance.draw(self._clock.now())
        if seconds > 0:
            self._progress.note(Event.RATE_WAITED, seconds=round(seconds, 3))
            self._before_waiting()
            self._clock.wait(seconds, self._stop)
            self._may_begin()

    def _may_begin(self) -> None:
        if self._stop.is_set() or self.paused is not None or self._clock.now() < self.held_until:
            raise Halt

    def sign(self, request: Request) -> Signed:
        """The call with address and secrets; done before an intent is written, because it may fail for lack of them."""
        return self._account.sign(request)

    def exchange(self, signed: Signed) -> Answer:
        """One call, its turn already taken; raises ``NotSent`` or ``Unanswered``."""
        begun, status = time.monotonic(), 0
        try:
            answer = self._transport.send(signed, self._meanwhile)
            status = answer.status
        finally:
            self._progress.note(Event.CALL_ENDED, status=status, seconds=round(time.monotonic() - begun, 3))
        self._allowance.heed(self._account.pace(answer), self._clock.now(), time.monotonic() - begun)
        return answer

    def exchange_paced(self, request: Request) -> Answer:
        """Wait for a turn, then call."""
        self.wait_turn()
        return self.exchange(self.sign(request))

    def heed(self, outcome: Outcome) -> None:
        """Remember what an outcome says of the account as a whole."""
        with self._lock:
            match outcome:
                case Done() | Refused():
                    self._failures, self._unanswered, self.held_until, self.trouble = 0, 0, 0.0, None
                    self.answered_well = True
                case Paused():
                    self.paused = outcome
                case Later():
                    self._hold(outcome)
                case InDoubt():
                    self._doubted(outcome)

    def understood(self) -> None:
        """A look-up was answered: the account is there, whatever became of the calls before."""
        with self._lock:
            self._unanswered = 0

    def _doubted(self, outcome: InDoubt) -> None:
        self._unanswered += 1
        if self._unanswered > _UNANSWERED:
            told = f"{outcome.message} So ended the last {self._unanswered} calls."
            self._hold(Later(outcome.code, told, back_off(self._unanswered - _UNANSWERED)))

    def _hold(self, outcome: Later) -> None:
        now = self._clock.now()
        self.trouble = outcome
        if outcome.seconds is not None:
            self.held_until = max(self.held_until, now + outcome.seconds)
        elif now >= self.held_until:  # several calls under way fail together: one failure, one wait
            self._failures += 1
            self.held_until = now + back_off(self._failures)
        self._progress.note(Event.ACCOUNT_HELD, code=outcome.code, seconds=round(self.held_until - now, 3))
