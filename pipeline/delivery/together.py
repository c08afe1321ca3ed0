"""Several deliveries in one call: intents before it, and what became of each by looking, whatever the call answered.

The promise is that of the journal. The intent of every delivery is committed before the first byte leaves. An answer
tells nothing of the single record, so none is believed: a delivery is done when the target shows it as the record has
it. What is not there after an answer was not taken, and is sent alone, where the target says why; what is not there
without an answer waits its settle time first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from pipeline.delivery.clock import Clock
from pipeline.delivery.journal import MAX_SENDS, ended, stored
from pipeline.delivery.line import Halt, Line
from pipeline.errors import SetupError
from pipeline.ledger import sends
from pipeline.ledger.deliveries import Delivery
from pipeline.ledger.sends import Attempt, Intent, StepRow
from pipeline.ledger.writer import GroupWriter
from pipeline.targets.contract import Account, Done, InDoubt, Later, Outcome, Paused, Result, Together, Unclear
from pipeline.targets.http import NotSent, Unanswered

STEP = "together"
"""Name of the step in the journal of each delivery."""

Seen = Mapping[str, Mapping[str, Any]]


def may_join(steps: Mapping[str, StepRow]) -> bool:
    """Whether a delivery with this journal may go with others: it was never on its way, but for calls not taken."""
    return all(step.name == STEP and step.state == "open" and step.sends < MAX_SENDS for step in steps.values())


@dataclass(slots=True)
class Settled:
    """What became of the deliveries, by id; the others are to be sent alone.

    ``same`` were there as they should be before the call, ``done`` are after it; ``doubtful`` were sent, not answered
    and not seen. ``again``: the account could not take the call now, so that it may be tried once more.
    """

    same: dict[int, Result] = field(default_factory=dict)
    done: dict[int, Result] = field(default_factory=dict)
    doubtful: dict[int, str] = field(default_factory=dict)
    again: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Deliveries of one operation on their way in one call."""

    together: Together
    account: Account
    line: Line
    writer: GroupWriter
    clock: Clock

    def send(self, deliveries: Sequence[Delivery]) -> Settled:
        """Look, send what differs in one call, look again; raises :class:`Halt` when no call may begin."""
        settled, parts = Settled(), dict[int, Mapping[str, Any]]()
        there = self._look(deliveries)
        settled.again = there is None and self._is_held()
        ids: set[object] = set()
        for delivery in deliveries if there is not None else ():
            entry = (there or {}).get(delivery.record_key)
            if entry is None or (result := self.together.result(entry))["id"] in ids:
                continue  # new, not clearly one, or a second record of the same thing
            ids.add(result["id"])
            part = self.together.change(delivery.record, entry)
            if part is None:
                settled.same[delivery.id] = result
            else:
                parts[delivery.id] = part
        if len(parts) > 1:
            self._send([one for one in deliveries if one.id in parts], parts, settled)
        return settled

    def _send(self, deliveries: Sequence[Delivery], parts: Mapping[int, Mapping[str, Any]], settled: Settled) -> None:
        request = self.together.request([parts[one.id] for one in deliveries])
        signed = self.line.sign(request)
        self.line.wait_turn()
        now = self.clock.now()
        intents = [
            Intent(one.id, STEP, stored(replace(request, json=parts[one.id])), one.record_key) for one in deliveries
        ]
        attempts = self.writer.write(lambda c: [sends.intend(c, one, self.account.name, now) for one in intents])
        outcome = self._outcome(signed)
        self.line.heed(outcome)
        settled.again = isinstance(outcome, Later | Paused) and self._is_held()
        if isinstance(outcome, Done | InDoubt):
            self._read_back(deliveries, outcome, settled)
        noted = dict(zip((one.id for one in deliveries), attempts, strict=True))
        self.writer.write(lambda c: self._note(c, noted, outcome, settled))

    def _is_held(self) -> bool:
        return self.line.paused is not None or self.clock.now() < self.line.held_until

    def _outcome(self, signed: Any) -> Outcome:  # noqa: ANN401 - contract.Signed
        name = self.account.name
        try:
            return self.together.read(self.line.exchange(signed))
        except NotSent as problem:
            return Later("unreachable", f"{name} cannot be reached: {problem}")
        except Unanswered as problem:
            return InDoubt("no_answer", f"A call for several records was not answered: {problem}.")
        except Exception as problem:  # noqa: BLE001 - whatever broke, bytes may have left
            return InDoubt("no_answer", f"A call for several records broke off ({type(problem).__name__}).")

    def _read_back(self, deliveries: Sequence[Delivery], outcome: Done | InDoubt, settled: Settled) -> None:
        try:
            there = self._look(deliveries)
        except Halt:
            there = None
        for one in deliveries:
            entry = (there or {}).get(one.record_key)
            if entry is not None and self.together.change(one.record, entry) is None:
                settled.done[one.id] = self.together.result(entry)
            elif there is None or isinstance(outcome, InDoubt):
                said = outcome.message if isinstance(outcome, InDoubt) else "Sent with others, and not seen since."
                settled.doubtful[one.id] = said

    def _note(
        self, connection: sa.Connection, attempts: Mapping[int, Attempt | None], outcome: Outcome, settled: Settled
    ) -> None:
        now = self.clock.now()
        for delivery_id, attempt in attempts.items():
            if delivery_id in settled.done:
                values: dict[str, Any] = {"state": "done", "result": dict(settled.done[delivery_id])}
            elif delivery_id in settled.doubtful:
                values = {"doubt_since": now, "last_look": settled.doubtful[delivery_id]}
            else:
                values = {"state": "open", "last_look": "not taken with the others; to be sent alone"}
            assert attempt is not None  # noqa: S101 - a step that shares nothing is never held up
            end = ended(Done({}) if delivery_id in settled.done else outcome, now)
            sends.conclude(connection, attempt, end, **values)

    def _look(self, deliveries: Sequence[Delivery]) -> Seen | None:
        """What the target has of these; ``None`` when it could not be told."""
        search = self.together.look([one.record for one in deliveries])
        try:
            request = next(search)
            while True:
                request = search.send(self.line.exchange_paced(request))
        except StopIteration as end:
            seen: Seen | Unclear = end.value
        except (NotSent, Unanswered) as problem:
            seen = Unclear("", Later("unreachable", f"{self.account.name} cannot be asked: {problem}"))
        except (Halt, SetupError):
            raise
        except Exception:  # noqa: BLE001 - an answer nobody foresaw tells nothing
            return None
        if isinstance(seen, Unclear):
            if isinstance(seen.trouble, Later | Paused):
                self.line.heed(seen.trouble)
            return None
        return seen
