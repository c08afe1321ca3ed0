"""What is in doubt, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from pipeline.delivery.plain_words import record_in_words
from pipeline.errors import OrderdropError
from pipeline.ledger import deliveries as book
from pipeline.ledger import sends
from pipeline.ledger.deliveries import Delivery
from pipeline.ledger.sends import StepRow
from pipeline.model import DeliveryState

DECISIONS = ("delivered", "resend", "drop")
NOT_UNDERSTOOD = "decision_unclear"
"""Code of the problem that says why a decision in a workbook was not carried out."""


class Doubt(Struct, frozen=True):
    """A delivery in doubt: the step that was not answered, its age in seconds, and what the look-up last saw."""

    delivery: Delivery
    step: StepRow
    age: float

    @property
    def waits_for_person(self) -> bool:
        """Whether no look-up will tell: a person has to."""
        return self.delivery.due_at is None

    @property
    def in_words(self) -> str:
        """What was sent, for people."""
        times = "once" if self.step.sends == 1 else f"{self.step.sends} times"
        return f"{self.step.name}, sent {times}: {record_in_words(self.delivery.record)}"

    @property
    def search_for(self) -> str:
        """What to type into the target's own search."""
        return self.step.search_hint or self.delivery.record_key

    def told(self) -> Mapping[str, Any]:
        """The doubt as plain values for JSON; the id is what ``doubt settle`` takes."""
        return {
            "id": self.delivery.id,
            "account": self.delivery.account,
            "operation": self.delivery.operation,
            "key": self.delivery.record_key,
            "step": self.step.name,
            "age_seconds": round(self.age, 1),
            "sends": self.step.sends,
            "in_words": self.in_words,
            "sent": self.step.request,
            "last_look": self.step.last_look,
            "search_for": self.search_for,
            "waits_for_person": self.waits_for_person,
            "problems": [p["message"] for p in self.delivery.problems if p["code"] == NOT_UNDERSTOOD],
        }


def listed(connection: sa.Connection, now: float, batch_id: int | None = None) -> list[Doubt]:
    """All doubts, oldest first; of one batch when it is named."""
    doubts = []
    for delivery in book.in_states(connection, DeliveryState.IN_DOUBT, batch_id=batch_id):
        step = _doubtful_step(connection, delivery)
        doubts.append(Doubt(delivery, step, max(0.0, now - (step.doubt_since or now))))
    return sorted(doubts, key=lambda doubt: -doubt.age)


def settle(connection: sa.Connection, delivery_id: int, decision: str, remote_id: str | None, now: float) -> Delivery:
    """Carry out what a person decided; raises ``OrderdropError`` when that delivery is not in doubt.

    *delivered*: it is there (with ``remote_id`` the steps after it still run). *resend*: it is not there, send it
    again. *drop*: let it be; the delivery counts as refused.
    """
    delivery = book.get(connection, delivery_id)
    if delivery is None or delivery.state != DeliveryState.IN_DOUBT:
        state = f"it is {delivery.state}" if delivery else "there is no such delivery"
        raise OrderdropError(f"Delivery {delivery_id} is not in doubt: {state}. `orderdrop doubt` lists the doubts.")
    step = _doubtful_step(connection, delivery)
    match decision:
        case "delivered":
            _there(connection, delivery, step, remote_id, now)
        case "resend":
            sends.note_step(connection, delivery.id, step.name, state="open", doubt_since=None, last_look=book.RESEND)
            book.move(connection, delivery.id, DeliveryState.WAITING, now, due_at=now, tries=0, problems=[])
        case _:
            sends.note_step(connection, delivery.id, step.name, state="refused", last_look="a person: drop")
            told = {"due_at": None, "problems": [_DROPPED], "resolved_by": delivery.batch_id}  # waits for nobody
            book.move(connection, delivery.id, DeliveryState.REFUSED, now, **told)
    return delivery


class Decided(Struct, frozen=True):
    """A person's decision as it came back in a workbook, about one send of one step."""

    delivery_id: int
    step_id: int
    sends: int
    decision: str
    remote_id: str | None


def carry_out(connection: sa.Connection, decided: Decided, link: str, now: float) -> Delivery | None:
    """``settle`` for a decision that comes late, or twice: ``None`` when that very doubt is no longer open.

    ``link`` is that of the batch whose workbook carried it: a workbook of another project settles nothing here.
    """
    delivery = book.get(connection, decided.delivery_id)
    if delivery is None or delivery.state != DeliveryState.IN_DOUBT or book.link_of(connection, delivery) != link:
        return None
    step = _doubtful_step(connection, delivery)
    if (step.id, step.sends) != (decided.step_id, decided.sends):
        return None
    return settle(connection, delivery.id, decided.decision, decided.remote_id, now)


def not_understood(connection: sa.Connection, decided: Decided, link: str, message: str, now: float) -> bool:
    """Write down why a decision could not be carried out, for the next workbook; ``False`` when the doubt is gone."""
    delivery = book.get(connection, decided.delivery_id)
    if delivery is None or delivery.state != DeliveryState.IN_DOUBT or book.link_of(connection, delivery) != link:
        return False
    others = [dict(problem) for problem in delivery.problems if problem["code"] != NOT_UNDERSTOOD]
    told = {"code": NOT_UNDERSTOOD, "message": message, "advice": "", "field": None}
    book.move(connection, delivery.id, delivery.state, now, problems=[*others, told])
    return True


def _there(connection: sa.Connection, delivery: Delivery, step: StepRow, remote_id: str | None, now: float) -> None:
    result = {} if remote_id is None else {"id": remote_id}
    sends.note_step(
        connection,
        delivery.id,
        step.name,
        state="done",
        result=result,
        doubt_since=None,
        last_look="a person: delivered",
    )
    if remote_id is None:
        book.move(connection, delivery.id, DeliveryState.DELIVERED, now, due_at=None, problems=[], result=result)
    else:
        book.move(connection, delivery.id, DeliveryState.WAITING, now, due_at=now, tries=0, problems=[])


def _doubtful_step(connection: sa.Connection, delivery: Delivery) -> StepRow:
    """The step without an outcome; the newest one where it was just seen to be absent and is not sent again yet."""
    steps = list(sends.steps_of(connection, delivery.id).values())
    return next((step for step in steps if step.state == "intended"), steps[-1])


_DROPPED = {
    "code": book.LET_BE,
    "message": "It was not answered, and a person decided to let it be.",
    "advice": "Nothing to do. `orderdrop replay` would send it again.",
    "field": None,
}
