"""What is in doubt, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipeline.errors import OrderdropError
from pipeline.ledger import deliveries as book
from pipeline.ledger.deliveries import Delivery, StepRow
from pipeline.model import DeliveryState

DECISIONS = ("delivered", "resend", "drop")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A delivery in doubt: the step that was not answered, its age in seconds, and what the look-up last saw."""

    delivery: Delivery
    step: StepRow
    age: float

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
            "sent": self.step.request,
            "last_look": self.step.last_look,
            "search_for": self.step.search_hint or self.delivery.record_key,
            "waits_for_person": self.delivery.due_at is None,
        }


def listed(connection: sa.Connection, now: float) -> list[Doubt]:
    """All doubts, oldest first."""
    doubts = []
    for delivery in book.in_states(connection, DeliveryState.IN_DOUBT):
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
            book.note_step(
                connection, delivery.id, step.name, state="open", doubt_since=None, last_look="a person: resend"
            )
            book.move(connection, delivery.id, DeliveryState.WAITING, now, due_at=now, tries=0, problems=[])
        case _:
            book.note_step(connection, delivery.id, step.name, state="refused", last_look="a person: drop")
            book.move(connection, delivery.id, DeliveryState.REFUSED, now, due_at=None, problems=[_DROPPED])
    return delivery


def _there(connection: sa.Connection, delivery: Delivery, step: StepRow, remote_id: str | None, now: float) -> None:
    result = {} if remote_id is None else {"id": remote_id}
    book.note_step(
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
    steps = book.steps_of(connection, delivery.id)
    return next(step for step in steps.values() if step.state == "intended")


_DROPPED = {
    "code": "dropped",
    "message": "It was not answered, and a person decided to let it be.",
    "advice": "Nothing to do. `orderdrop replay` would send it again.",
    "field": None,
}
