"""A step is done once: intent before the first byte, outcome after the answer, a look-up where neither is known.

The safety of the whole product lives in this file. The promise:

- the intent of a step is committed before its first byte leaves;
- a step that has an outcome is never run again;
- a step with an intent and no outcome is *in doubt*: it is looked up at the target, and sent again only when the
  look-up saw its absence at least ``settle_seconds`` after the last byte may have left, by a clock that nobody can set
  meanwhile, or when a person says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pipeline.delivery.caution import CERTAIN, UNSURE, Caution
from pipeline.delivery.clock import Clock
from pipeline.delivery.line import Halt, Line
from pipeline.delivery.pacing import back_off
from pipeline.delivery.seen import Seen
from pipeline.errors import SetupError
from pipeline.ledger import sends
from pipeline.ledger.deliveries import Delivery
from pipeline.ledger.sends import Attempt, Intent, StepRow
from pipeline.ledger.writer import GroupWriter
from pipeline.targets.contract import (
    Absent,
    Account,
    Done,
    Finding,
    Found,
    InDoubt,
    Later,
    Outcome,
    Paused,
    Refused,
    Request,
    Result,
    Signed,
    Step,
    Unclear,
)
from pipeline.targets.http import NotSent, Unanswered

ALREADY_THERE = "already_there"
"""Key set in a step's result when the target had the thing before our first call."""

MAX_SENDS = 4
"""After so many unanswered sends of one step a person decides; a target that never answers is not hammered."""

MAX_UNCLEAR_LOOKS = 5
"""After so many look-ups that could not tell, a person decides."""


Journaled = Mapping[str, StepRow]
"""What the ledger knows of a delivery's steps, by name."""


class Stopped(Exception):
    """A plan cannot go on: the outcome says what becomes of its delivery."""

    def __init__(self, outcome: Refused | Later | Paused) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class Doubtful(Exception):
    """A step is in doubt; ``due_at`` is when to look again, ``None`` when only a person can tell."""

    def __init__(self, message: str, due_at: float | None) -> None:
        super().__init__(message)
        self.message = message
        self.due_at = due_at


class Journal:
    """Performs the steps of one delivery, each at most once."""

    def __init__(
        self,
        delivery: Delivery,
        account: Account,
        line: Line,
        writer: GroupWriter,
        clock: Clock,
        known: Journaled,
        caution: Caution = CERTAIN,
        seen: Seen | None = None,
    ) -> None:
        self._delivery = delivery
        self._account = account
        self._line = line
        self._writer = writer
        self._clock = clock
        self._known = dict(known)
        self._caution = caution
        self._seen = seen or Seen()
        self._owed: list[Callable[[Any], None]] = []

    def perform(self, step: Step) -> Result:
        """The result of a step: remembered, looked up, or sent now. Raises :class:`Stopped` or :class:`Doubtful`."""
        for outcome in self.owed():
            self._writer.post(outcome)
        if step.reads_only:
            return self._read(step)
        known = self._known.get(step.name)
        if known is not None and known.state == "done":
            return known.result or {}
        if known is not None and known.state == "intended":
            seen = self._settle_doubt(step, known)
            if seen is not None:
                return seen
        elif step.look_first or (self._caution.looks_first and step.find is not None):
            seen = self._look_before_sending(step, known)
            if seen is not None:
                return seen
        elif not step.repeatable and self._caution.forbids(self._delivery, known):
            self._suspect(step)
        return self._send(step)

    def know(self, known: Journaled) -> None:
        """Steps that were done by another delivery are this one's, too."""
        self._known = dict(known)

    def owed(self) -> list[Callable[[Any], None]]:
        """The outcome that is not written yet: it goes along with what is written next, without anybody waiting for it.

        A crash before that leaves a doubt, as a crash before the answer does.
        """
        owed, self._owed = self._owed, []
        return owed

    # --- sending ---

    def _send(self, step: Step) -> Result:
        now = self._clock.now
        signed = self._line.sign(step.request)
        self._line.wait_turn()
        intent = Intent(self._delivery.id, step.name, stored(step.request), step.search_hint, step.shares)
        attempt = self._write(lambda c: sends.intend(c, intent, self._account.name, now()))
        if attempt is None:
            raise Stopped(Later("waits_for_another", f"Another record waits for an answer about {step.shares}."))
        outcome = self._outcome_of(step, signed)
        self._line.heed(outcome)
        ended_at = now()
        self._owed.append(lambda c: self._note_outcome(c, attempt, outcome, ended_at))
        return self._conclude(step, outcome)

    def _outcome_of(self, step: Step, signed: Signed) -> Outcome:
        try:
            answer = self._line.exchange(signed)
        except NotSent as problem:
            return Later("unreachable", f"{self._account.name} cannot be reached: {problem}")
        except Unanswered as problem:
            return InDoubt("no_answer", f"The call '{step.name}' was not answered: {problem}.")
        except Exception as problem:  # noqa: BLE001 - whatever broke, bytes may have left
            return InDoubt("no_answer", f"The call '{step.name}' broke off ({type(problem).__name__}).")
        try:
            return step.read(answer)
        except Exception as problem:  # noqa: BLE001 - an answer nobody foresaw must not lose what was sent
            return InDoubt(
                "unreadable_answer", f"The answer to '{step.name}' could not be read ({type(problem).__name__})."
            )

    def _note_outcome(self, connection: Any, attempt: Attempt, outcome: Outcome, now: float) -> None:  # noqa: ANN401
        match outcome:
            case Done():
                values: dict[str, Any] = {"state": "done", "result": dict(_result(outcome)), "doubt_since": None}
            case Refused():
                values = {"state": "refused"}
            case Later() | Paused():
                values = {"state": "open"}
            case InDoubt():
                values = {"doubt_since": now, "last_look": outcome.message}
        sends.conclude(connection, attempt, ended(outcome, now), **values)

    def _conclude(self, step: Step, outcome: Outcome) -> Result:
        match outcome:
            case Done():
                return _result(outcome)
            case InDoubt() if step.repeatable:
                raise Stopped(Later(outcome.code, f"{outcome.message} It changes nothing to send it again."))
            case InDoubt():
                raise Doubtful(outcome.message, self._clock.now() + 1.0 if step.find else None)
            case _:
                raise Stopped(outcome)

    # --- doubts ---

    def _settle_doubt(self, step: Step, known: StepRow) -> Result | None:
        """What the target shows of an unanswered step; ``None`` when it is proved absent and may be sent again."""
        if step.repeatable:
            return None
        if step.find is None:
            raise Doubtful(f"'{step.name}' was not answered, and this target has no look-up for it.", None)
        try:
            finding = self._look(step)
        except Stopped as stopped:
            # The look-up itself failed: the doubt stays a doubt, whatever else is done about the account.
            raise Doubtful(stopped.outcome.message, self._clock.now() + back_off(self._delivery.tries + 1)) from None
        now = self._clock.now()
        match finding:
            case Found(result):
                self._write(lambda c: sends.note_step(
                    c, self._delivery.id, step.name, state="done", result=dict(result), doubt_since=None,
                    last_look="found at the target"))  # fmt: skip
                self._seen.settled((self._delivery.id, step.name, known.sends))
                return result
            case Absent():
                self._absent(step, known, now)
            case Unclear(message):
                self._unclear(step, message, now, counts=finding.trouble is None)
        return None

    def _suspect(self, step: Step) -> None:
        """After a restore: it may have been sent, and the target cannot be asked. A person decides."""
        now = self._clock.now()
        self._write(lambda c: sends.suspect(c, self._delivery.id, step.name, step.search_hint, now, UNSURE))
        raise Doubtful(UNSURE, None)

    def _absent(self, step: Step, known: StepRow, now: float) -> None:
        since, settle = known.doubt_since or now, self._account.settle_seconds
        # Each further unanswered send doubles the wait: a target in trouble is not hammered.
        settled_at = since + settle * 2.0 ** max(0, known.sends - 1)
        send = (self._delivery.id, step.name, known.sends)
        if since < self._line.begun_at:
            # From an earlier run. The clock may have been set ahead since: this process waits the time itself.
            settled_at = max(settled_at, self._seen.since(send, self._line.begun_at) + settle)
        if now < settled_at:
            self._note_look(step, "not seen yet; an absence is believed only after the settle time")
            raise Doubtful(f"'{step.name}' was not answered; not seen at the target so far.", settled_at)
        self._seen.settled(send)
        if known.sends >= MAX_SENDS:
            self._note_look(step, f"absent after {known.sends} unanswered sends")
            raise Doubtful(f"'{step.name}' was sent {known.sends} times and never answered.", None)
        self._write(lambda c: sends.note_step(
            c, self._delivery.id, step.name, state="open", doubt_since=None,
            last_look="absent after the settle time"))  # fmt: skip

    def _unclear(self, step: Step, message: str, now: float, *, counts: bool) -> None:
        """Look again later, and ask a person in the end; trouble of the account does not count as a look."""
        looks = self._delivery.tries + 1
        self._note_look(step, message)
        again = None if counts and looks >= MAX_UNCLEAR_LOOKS else now + back_off(looks)
        raise Doubtful(f"'{step.name}' was not answered and the look-up could not tell: {message}", again)

    def _look_before_sending(self, step: Step, known: StepRow | None) -> Result | None:
        finding = self._look(step)
        if not isinstance(finding, Found):
            if isinstance(finding, Unclear):
                raise Stopped(self._unclear_before_sending(finding))
            return None
        # Found after an earlier send of ours means that send arrived late: it is ours, not somebody else's.
        ours = known is not None and known.sends > 0
        result = finding.result if ours else {**finding.result, ALREADY_THERE: True}
        if ours:
            self._write(lambda c: sends.note_step(
                c, self._delivery.id, step.name, state="done", result=dict(result), doubt_since=None))  # fmt: skip
        else:
            self._write(lambda c: sends.record_found(c, self._delivery.id, step.name, result))
        return result

    def _unclear_before_sending(self, finding: Unclear) -> Later | Refused | Paused:
        if finding.trouble is not None:
            return finding.trouble
        if self._delivery.tries < MAX_UNCLEAR_LOOKS:
            return Later("look_up_unclear", finding.message)
        return Refused(
            "look_up_unclear", finding.message, "Look at the target which of them is meant, then send again."
        )

    def _look(self, step: Step) -> Finding:
        assert step.find is not None  # noqa: S101 - callers checked
        search = step.find()
        try:
            request = next(search)
            while True:
                request = search.send(self._line.exchange_paced(request))
        except StopIteration as end:
            finding: Finding = end.value
            if not isinstance(finding, Unclear):
                self._line.understood()
            elif finding.trouble is not None:
                self._line.heed(finding.trouble)
            return finding
        except (NotSent, Unanswered) as problem:
            trouble = Later("unreachable", f"{self._account.name} cannot be asked: {problem}")
            self._line.heed(trouble)
            raise Stopped(trouble) from None
        except (Halt, SetupError):
            raise
        except Exception as problem:  # noqa: BLE001 - an answer nobody foresaw must not pass for an absence
            return Unclear(f"the answer to the look-up could not be read ({type(problem).__name__})")

    def _note_look(self, step: Step, text: str) -> None:
        self._write(lambda c: sends.note_step(c, self._delivery.id, step.name, last_look=text))

    # --- reads ---

    def _read(self, step: Step) -> Result:
        try:
            outcome = step.read(self._line.exchange_paced(step.request))
        except (NotSent, Unanswered) as problem:
            outcome = Later("unreachable", f"{self._account.name} cannot be reached: {problem}")
        self._line.heed(outcome)
        match outcome:
            case Done():
                return _result(outcome)
            case InDoubt():
                raise Stopped(Later(outcome.code, outcome.message))
            case _:
                raise Stopped(outcome)

    def _write(self, what: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - whatever the write returns
        return self._writer.write(what)


def _result(outcome: Done) -> Result:
    return {**outcome.result, ALREADY_THERE: True} if outcome.already_there else outcome.result


def stored(request: Request) -> dict[str, Any]:
    """The call as the ledger keeps it."""
    told = msgspec.structs.asdict(request)
    return {name: value for name, value in told.items() if value not in (None, "", ())}


def ended(outcome: Outcome, now: float) -> dict[str, Any]:
    """How a send ended, as the ledger keeps it."""
    kind, code, message = _described(outcome)
    return {"ended_at": now, "outcome": kind, "code": code, "message": message}


def _described(outcome: Outcome) -> tuple[str, str, str]:
    """Kind, code and message."""
    match outcome:
        case Done(already_there=already_there):
            return (ALREADY_THERE if already_there else "done"), "", ""
        case Refused(code, message):
            return "refused", code, message
        case Later(code, message):
            return "later", code, message
        case InDoubt(code, message):
            return "in_doubt", code, message
        case Paused(code, message):
            return "paused", code, message
