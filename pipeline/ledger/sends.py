"""What the ledger knows of the steps of deliveries, and of each time one was sent, over one connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import sqlalchemy as sa

from pipeline.ledger import plain
from pipeline.ledger.tables import attempts, deliveries, stands, steps
from pipeline.model import DeliveryState


@dataclass(frozen=True, slots=True)
class StepRow:
    """What the journal knows of one step; ``state`` is explained in ``tables``."""

    id: int
    delivery_id: int
    name: str
    state: str
    request: Mapping[str, Any]
    result: Mapping[str, Any] | None
    sends: int
    doubt_since: float | None
    last_look: str | None
    search_hint: str | None


def step_row(row: sa.Row[Any]) -> StepRow:
    """A row of the table as the journal has it."""
    return StepRow(
        row.id, row.delivery_id, row.name, row.state, row.request, row.result, row.sends, row.doubt_since,
        row.last_look, row.search_hint,
    )  # fmt: skip


def steps_of(connection: sa.Connection, delivery_id: int) -> dict[str, StepRow]:
    """The journal of a delivery by step name, in the order of the first intents."""
    rows = connection.execute(sa.select(steps).where(steps.c.delivery_id == delivery_id).order_by(steps.c.id))
    return {row.name: step_row(row) for row in rows}


def attempts_of(connection: sa.Connection, step_id: int) -> list[Mapping[str, Any]]:
    """All sends of a step, oldest first."""
    rows = connection.execute(sa.select(attempts).where(attempts.c.step_id == step_id).order_by(attempts.c.id))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented way to a mapping


def unanswered_lately(connection: sa.Connection, account: str) -> int:
    """How many of an account's latest sends, one after another, are doubts that are still open."""
    newest = connection.execute(sa.select(sa.func.max(attempts.c.id))).scalar() or 0
    rows = connection.execute(
        sa.select(attempts.c.outcome, steps.c.state)
        .join(steps, steps.c.id == attempts.c.step_id)
        .join(deliveries, deliveries.c.id == steps.c.delivery_id)
        .where(attempts.c.id > newest - _LATELY, attempts.c.outcome.is_not(None), deliveries.c.account == account)
        .order_by(attempts.c.id.desc())
    )
    return sum(1 for _ in takewhile(lambda row: (row.outcome, row.state) == ("in_doubt", "intended"), rows))


_LATELY = 100
"""Sends looked through, of all accounts."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A step about to be sent: its request without secrets, what to search for, and what it shares with others."""

    delivery_id: int
    name: str
    request: Mapping[str, Any]
    search_hint: str = ""
    shares: str = ""


def intend(connection: sa.Connection, intent: Intent, account: str, now: float) -> int | None:
    """Write down that a step is about to be sent; returns the id of this attempt.

    ``None``, and nothing is written, while another delivery's step of the same ``shares`` has no outcome.
    """
    if intent.shares and _is_under_way(connection, intent, account):
        return None
    request = plain.as_json(intent.request)
    plain.do(connection, _INTEND, (intent.delivery_id, intent.name, request, intent.search_hint, intent.shares or None))
    return plain.insert(connection, _ATTEMPT, now, intent.delivery_id, intent.name)


_INTEND = (
    "INSERT INTO steps (delivery_id, name, state, request, sends, doubt_since, search_hint, shares) "
    "VALUES (?, ?, 'intended', ?, 1, NULL, ?, ?) ON CONFLICT (delivery_id, name) DO UPDATE SET state = 'intended', "
    "request = excluded.request, sends = steps.sends + 1, doubt_since = NULL, search_hint = excluded.search_hint, "
    "shares = excluded.shares"
)
_ATTEMPT = "INSERT INTO attempts (step_id, sent_at) SELECT id, ? FROM steps WHERE delivery_id = ? AND name = ?"


def _is_under_way(connection: sa.Connection, intent: Intent, account: str) -> bool:
    found = connection.execute(
        sa.select(steps.c.id)
        .join(deliveries)
        .where(
            stands(steps, "intended"),
            steps.c.shares == intent.shares,
            steps.c.delivery_id != intent.delivery_id,
            deliveries.c.account == account,
            deliveries.c.state.in_((DeliveryState.WAITING, DeliveryState.IN_DOUBT)),
        )
        .limit(1)
    ).first()
    return found is not None


def take_over(connection: sa.Connection, delivery_id: int, done: Sequence[StepRow]) -> dict[str, StepRow]:
    """Make steps that a refused delivery had done the delivery's own; returns its journal.

    A corrected row goes on where the refused one stopped: an order that was made before its payment was refused
    is not made again.
    """
    for step in done:
        connection.execute(
            sa.insert(steps).values(
                delivery_id=delivery_id, name=step.name, state="done", request=dict(step.request),
                result=dict(step.result or {}), sends=0, last_look=f"done by delivery {step.delivery_id}",
            )
        )  # fmt: skip
    return steps_of(connection, delivery_id)


def finish_attempt(
    connection: sa.Connection, attempt_id: int, outcome: str, now: float, code: str, message: str
) -> None:
    """Write down how one send ended."""
    told = {"ended_at": now, "outcome": outcome, "code": code, "message": message}
    plain.update(connection, attempts, "id = ?", (attempt_id,), **told)


def note_step(connection: sa.Connection, delivery_id: int, name: str, **values: Any) -> None:  # noqa: ANN401
    """Set columns of one step."""
    plain.update(connection, steps, "delivery_id = ? AND name = ?", (delivery_id, name), **values)


def suspect(connection: sa.Connection, delivery_id: int, name: str, hint: str, now: float, message: str) -> None:
    """A step that may have been sent without this ledger knowing: in doubt, without a send of its own."""
    values = {"state": "intended", "doubt_since": now, "search_hint": hint, "last_look": message}
    if name in steps_of(connection, delivery_id):
        note_step(connection, delivery_id, name, **values)
    else:
        new = {"delivery_id": delivery_id, "name": name, "request": {}, "sends": 0, **values}
        connection.execute(sa.insert(steps).values(**new))


def record_found(connection: sa.Connection, delivery_id: int, name: str, result: Mapping[str, Any]) -> None:
    """A look-up before the first send saw the thing there: the step is done without ever being sent."""
    connection.execute(
        sa.insert(steps).values(
            delivery_id=delivery_id, name=name, state="done", request={}, result=dict(result), sends=0
        )
    )
