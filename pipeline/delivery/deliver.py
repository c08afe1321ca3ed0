"""Drain one account: take what is due, attend to it, until nothing more can be done now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any

import sqlalchemy as sa

from pipeline.delivery.allowance import Allowances
from pipeline.delivery.caution import in_force
from pipeline.delivery.clock import Clock
from pipeline.delivery.crew import Crew
from pipeline.delivery.journal import ALREADY_THERE, Doubtful, Journal, Stopped
from pipeline.delivery.line import Halt, Line
from pipeline.delivery.pacing import back_off
from pipeline.delivery.prepared import Begun, Prepared, begin, is_fresh
from pipeline.delivery.seen import Seen
from pipeline.delivery.together import STEP as TOGETHER
from pipeline.delivery.together import Group, Settled, may_join
from pipeline.delivery.verdicts import Verdict, changed, kept_of, still_let_be, unforeseen, without_sending
from pipeline.errors import LedgerError, SetupError
from pipeline.events import Event
from pipeline.ledger import deliveries as book
from pipeline.ledger import sends
from pipeline.ledger.deliveries import Delivery, History
from pipeline.ledger.writer import GroupWriter, Posted
from pipeline.model import DeliveryState
from pipeline.progress import Progress, Quiet
from pipeline.targets.contract import Account, Later, Operation, Paused, PlanRefused, Prior, Refused, Result
from pipeline.targets.http import Transport

_PATIENCES = 4
"""A drain that settles nothing waits so many times as long as one wait may be; then the rest is for the next run."""


@dataclass(frozen=True, slots=True)
class Drained:
    """How a drain ended: ``paused`` and ``trouble`` say what a person, or time, has to mend.

    ``left_off``: there is more to do at once; its time was up.
    """

    account: str
    attended: int
    paused: Paused | None = None
    trouble: Later | None = None
    left_off: bool = False


class Drain:
    """One drain of one account; only one may run at a time (the caller holds the run lock).

    ``spell``: after so many seconds no further delivery is begun.
    """

    def __init__(
        self,
        account: Account,
        transport: Transport,
        engine: sa.Engine,
        writer: GroupWriter,
        clock: Clock,
        *,
        patience: float,
        spell: float = inf,
        stop: threading.Event,
        progress: Progress | None = None,
        allowances: Allowances | None = None,
        seen: Seen | None = None,
    ) -> None:
        self._account = account
        self._transport = transport
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._patience = patience
        self._spell = spell
        self._until = inf
        self._stop = stop
        self._progress = progress or Quiet()
        self._allowances = allowances or Allowances(writer)
        self._seen = seen or Seen()
        self._line: Line
        self._operations: dict[tuple[str, str], Operation] = {}
        self._alone: set[int] = set()
        self._sent_together = 0
        self._waited = 0.0  # seconds, since something was settled
        with engine.connect() as connection:
            self._caution = in_force(connection)
            self._unanswered = sends.unanswered_lately(connection, account.name)
        self._crew = Crew(
            account.name,
            account.concurrency,
            self._due,
            self._attend,
            self._may_begin,
            self._finished,
            self._progress.advance,
            writer.flush,
            self._prepared,
        )

    def run(self) -> Drained:
        """Attend to everything due; wait for what is due soon; return when the rest must wait longer."""
        self._until = self._clock.now() + self._spell
        with self._allowances.hold(self._account, self._clock, alone=True) as allowance:
            self._line = Line(
                self._account, self._transport, self._clock, self._stop, self._progress, allowance,
                self._writer.flush, self._crew.make_ready, self._unanswered,
            )  # fmt: skip
            self._crew.work(self._wait_for_more)
        self._note_account()
        attended = self._crew.attended + self._sent_together
        return Drained(self._account.name, attended, self._line.paused, self._line.trouble, self._leaves_off())

    def _finished(self) -> bool:
        return self._stop.is_set() or self._line.paused is not None or self._clock.now() >= self._until

    def _may_begin(self) -> bool:
        return not self._finished() and self._clock.now() >= self._line.held_until

    def _leaves_off(self) -> bool:
        now, line = self._clock.now(), self._line
        if now < self._until or now < line.held_until or line.paused is not None or self._stop.is_set():
            return False
        with self._engine.connect() as connection:
            upcoming = book.next_due(connection, self._account.name)
        return upcoming is not None and upcoming[0] <= now

    def _due(self, limit: int, skip: Sequence[int]) -> list[tuple[Delivery, History]]:
        """What is due for the crew: what may travel with others has travelled by then."""
        while True:
            found = self._look_up(limit, skip)
            several = self._joined(found, skip)
            if len(several) < 2:
                return found
            if not self._may_begin():
                joined = {delivery.id for delivery, _ in several}
                return [one for one in found if one[0].id not in joined]
            self._attend_several(several)

    def _joined(self, found: Sequence[tuple[Delivery, History]], skip: Sequence[int]) -> list[tuple[Delivery, History]]:
        """The deliveries of one operation that may go in one call, as many as it takes."""
        first = next((one for one in found if self._most_with(*one) > 1), None)
        if first is None:
            return []
        operation, most = self._operation(first[0]), self._most_with(*first)
        fuller = found if len(found) >= most else self._look_up(most, skip)
        alike = [one for one in fuller if self._most_with(*one) > 1 and self._operation(one[0]) is operation]
        return alike[:most]

    def _most_with(self, delivery: Delivery, history: History) -> int:
        """How many deliveries may go in one call with this one, itself included."""
        together = self._operation(delivery).together
        if together is None:
            return 1
        fresh = delivery.state == DeliveryState.WAITING and may_join(history.steps) and not history.half_done
        if not fresh or delivery.id in self._alone or not together.fits(delivery.record):
            return 1
        return together.most

    def _look_up(self, limit: int, skip: Sequence[int]) -> list[tuple[Delivery, History]]:
        """What is due, oldest first, with what came before it.

        Nobody else moves them meanwhile: this drain is the only one, and people's decisions need the run lock.
        """
        with self._engine.connect() as connection:
            due = book.due(connection, self._account.name, self._clock.now(), limit, skip)
            histories = book.histories(connection, due) if due else {}
        return [(delivery, histories[delivery.id]) for delivery in due]

    def _wait_for_more(self) -> bool:
        """Wait until something is due; ``False`` when that is too far off for this run."""
        with self._engine.connect() as connection:
            upcoming = book.next_due(connection, self._account.name)
        if upcoming is None:
            return False
        due_at, state = upcoming
        now = self._clock.now()
        # A doubt is worth its settle time: the run that made it should be the one that clears it.
        patience = (
            max(self._patience, self._account.settle_seconds + 5) if state == DeliveryState.IN_DOUBT else self._patience
        )
        seconds = max(due_at, self._line.held_until) - now
        if seconds > patience or self._line.held_until - now > self._patience:
            return False
        # Each wait may be short and lead to nothing but the next: a limit that is always used up, a record that waits
        # for a person's word about another one. Meanwhile no file is taken in and no workbook is written.
        seconds = max(0.05, seconds)
        if self._waited + seconds > patience * _PATIENCES or now + seconds >= self._until:
            return False
        self._waited += seconds
        self._clock.wait(seconds, self._stop)
        return True

    def _note_account(self) -> None:
        paused, now = self._line.paused, self._clock.now()
        if paused is not None:
            message = f"{paused.message} {paused.advice}"
            self._progress.note(Event.ACCOUNT_PAUSED, code=paused.code)
            self._writer.write(lambda c: book.pause(c, self._account.name, paused.code, message, now))
        elif self._line.answered_well:
            self._writer.write(lambda c: book.resume(c, self._account.name))

    # --- one delivery ---

    def _prepared(self, delivery: Delivery, history: History) -> Prepared | None:
        """What can be done of a delivery before its turn; ``None``: nothing, or it goes wrong, and will in its turn."""
        if not is_fresh(history):
            return None
        try:
            operation = self._operation(delivery)
            decided = self._decided(delivery, history, operation)
            return decided or begin(operation, delivery, None)
        except Exception:  # noqa: BLE001 - it is met again, and told, where the delivery is attended to
            return None

    def _attend(self, delivery: Delivery, history: History, ready: Prepared | None) -> Posted[None] | None:
        """Take a delivery as far as it goes; returns the write of where it stands, which nobody needs to wait for."""
        journal = Journal(
            delivery, self._account, self._line, self._writer, self._clock, history.steps, self._caution, self._seen
        )
        try:
            verdict = self._verdict(delivery, history, journal, ready)
        except Halt:
            return self._writer.post(partial(_write_all, journal.owed()))
        except BaseException:
            self._writer.post(partial(_write_all, journal.owed()))
            raise
        return self._move(delivery, verdict, journal.owed())

    def _attend_several(self, found: Sequence[tuple[Delivery, History]]) -> None:
        """In one call what may go so; what is not settled then is attended to alone, in its turn."""
        operation = self._operation(found[0][0])
        verdicts = {one.id: self._decided(one, history, operation) for one, history in found}
        ready = [one for one, _ in found if verdicts[one.id] is None]
        self._alone.update(one.id for one in ready)
        if operation.together is not None and len(ready) > 1:
            try:
                settled = Group(operation.together, self._account, self._line, self._writer, self._clock).send(ready)
            except Halt:
                settled = Settled(again=True)
            if settled.again:
                self._alone.difference_update(one.id for one in ready)
            verdicts |= {one.id: self._verdict_of(one, settled) for one in ready}
        moves = [self._move(one, told, []) for one, _ in found if (told := verdicts[one.id]) is not None]
        self._writer.flush()
        for move in moves:
            move.result()
            self._sent_together += 1
            self._progress.advance()

    def _verdict_of(self, delivery: Delivery, settled: Settled) -> Verdict | None:
        if delivery.id in settled.same:
            return Verdict(DeliveryState.ALREADY_THERE, result=settled.same[delivery.id])
        if delivery.id in settled.done:
            return Verdict(DeliveryState.DELIVERED, result=settled.done[delivery.id])
        if delivery.id not in settled.doubtful:
            return None
        told = Later("in_doubt", settled.doubtful[delivery.id])
        due_at = self._clock.now() + self._account.settle_seconds
        return Verdict(DeliveryState.IN_DOUBT, due_at, problems=(told,), tries=delivery.tries + 1)

    def _move(self, delivery: Delivery, verdict: Verdict, owed: Sequence[Callable[[Any], None]]) -> Posted[None]:
        now = self._clock.now()
        if verdict.state not in book.OPEN:
            self._waited = 0.0
        kept = kept_of(delivery, verdict)
        move = partial(book.move, delivery_id=delivery.id, state=verdict.state, now=now, **kept)
        written = self._posted(verdict, owed, move)
        self._progress.note(
            Event.DELIVERY_MOVED, delivery=delivery.id, operation=delivery.operation, key=delivery.record_key,
            state=verdict.state.value, code=verdict.problems[0].code if verdict.problems else None,
        )  # fmt: skip
        return written

    def _posted(
        self, verdict: Verdict, owed: Sequence[Callable[[Any], None]], move: Callable[[Any], None]
    ) -> Posted[None]:
        """The outcome of the last step first. That a delivery is done follows from those of all its steps.

        Were it lost on the way, the next run would find its steps done, send nothing, and come to the same.
        """
        if verdict.state not in book.TOLD:
            return self._writer.post(partial(_write_all, [*owed, move]))
        outcome = self._writer.post(partial(_write_all, owed)) if owed else None
        return self._writer.post_at_leisure(partial(_write_after, outcome, move))

    def _verdict(self, delivery: Delivery, history: History, journal: Journal, ready: Prepared | None) -> Verdict:
        if isinstance(ready, Verdict):
            return ready
        if ready is not None:
            return self._carry_out(lambda: ready, delivery, journal)
        before = history.prior
        if history.half_done and history.let_be is None:
            journal.know(self._writer.write(lambda c: sends.take_over(c, delivery.id, history.half_done)))
        known = bool(history.steps or (history.half_done and history.let_be is None))
        operation = self._operation(delivery)
        if not known and (decided := self._decided(delivery, history, operation)) is not None:
            return decided
        prior = self._prior(delivery, before) if before is not None else None
        if before is not None and prior is None:
            return self._refusal(delivery, changed(delivery, operation), journal)
        begun = partial(begin, operation, delivery, prior)
        if TOGETHER not in history.steps:
            return self._carry_out(begun, delivery, journal)
        # Its plan looks before it sends, and what it sends is the same again: the call with others is settled by that.
        self._writer.write(lambda c: sends.note_step(c, delivery.id, TOGETHER, state="open", doubt_since=None))
        verdict = self._carry_out(begun, delivery, journal)
        ours = verdict.state == DeliveryState.ALREADY_THERE
        return replace(verdict, state=DeliveryState.DELIVERED) if ours else verdict

    def _decided(self, delivery: Delivery, history: History, operation: Operation) -> Verdict | None:
        """The verdict on a delivery nothing was sent for yet, where none has to be; ``None`` when it is to be sent."""
        if history.let_be is not None:
            return still_let_be(delivery, history.let_be)
        if history.prior is not None and (decided := without_sending(delivery, history.prior, operation)) is not None:
            return decided
        problems = operation.problems(delivery.record)
        return Verdict(DeliveryState.REFUSED, problems=problems) if problems else None

    def _prior(self, delivery: Delivery, before: Delivery) -> Prior | None:
        """What the target has; ``None`` where its content was purged here, so that nothing can be compared with it."""
        with self._engine.connect() as connection:
            if book.told_is_purged(connection, delivery):
                return None
            return Prior(before.result or {}, book.told(connection, delivery) or before.record)

    def _carry_out(self, begun: Callable[[], Begun], delivery: Delivery, journal: Journal) -> Verdict:
        now = self._clock.now
        try:
            result = follow(begun(), journal)
        except Stopped as stopped:
            match stopped.outcome:
                case Refused():
                    return self._refusal(delivery, stopped.outcome, journal)
                case Later():
                    tries = delivery.tries + 1
                    seconds = stopped.outcome.seconds if stopped.outcome.seconds is not None else back_off(tries)
                    return Verdict(DeliveryState.WAITING, now() + seconds, problems=(stopped.outcome,), tries=tries)
                case Paused():
                    return Verdict(DeliveryState.WAITING, now(), problems=(stopped.outcome,), tries=delivery.tries)
        except Doubtful as doubt:
            told = Later("in_doubt", doubt.message)
            return Verdict(DeliveryState.IN_DOUBT, doubt.due_at, problems=(told,), tries=delivery.tries + 1)
        except PlanRefused as stopped:
            return self._refusal(delivery, stopped.refused, journal)
        except (Halt, LedgerError, SetupError):
            raise
        except Exception as problem:  # noqa: BLE001 - one record nobody foresaw must not stop the others
            return self._refusal(delivery, unforeseen(problem), journal)
        state = DeliveryState.ALREADY_THERE if result.get(ALREADY_THERE) else DeliveryState.DELIVERED
        return Verdict(state, result={k: v for k, v in result.items() if k != ALREADY_THERE})

    def _refusal(self, delivery: Delivery, problem: Refused, journal: Journal) -> Verdict:
        """Refused; or a person's doubt, where an earlier call of the delivery is unanswered: it may have arrived."""
        self._writer.post(partial(_write_all, journal.owed()))
        steps = self._writer.write(lambda c: sends.steps_of(c, delivery.id)).values()  # after what was owed
        unanswered = next((step.name for step in steps if step.state == "intended"), None)
        if unanswered is None:
            return Verdict(DeliveryState.REFUSED, problems=(problem,))
        told = Later("in_doubt", f"'{unanswered}' was not answered, and since then: {problem.message}")
        return Verdict(DeliveryState.IN_DOUBT, problems=(told,), tries=delivery.tries + 1)

    def _operation(self, delivery: Delivery) -> Operation:
        key = (delivery.operation, repr(sorted(delivery.options.items())))
        if key not in self._operations:
            self._operations[key] = self._account.operation(delivery.operation, delivery.options)
        return self._operations[key]


def _write_all(writes: Sequence[Callable[[Any], None]], connection: sa.Connection) -> None:
    for write in writes:
        write(connection)


def _write_after(first: Posted[None] | None, write: Callable[[Any], None], connection: sa.Connection) -> None:
    """A write that is true only where the one before it is."""
    if first is not None and first.problem is not None:
        raise first.problem
    write(connection)


def follow(begun: Begun, journal: Journal) -> Result:
    """Walk a plan to its end, each step through the journal."""
    step = begun.first
    if step is None:
        return begun.result or {}
    try:
        while True:
            step = begun.plan.send(journal.perform(step))
    except StopIteration as end:
        result: Result = end.value
        return result
