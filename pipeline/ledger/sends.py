"""What the ledger knows of the steps of deliveries, and of each time one was sent, over one connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, takewhile
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from pipeline.ledger import plain
from pipeline.ledger.tables import attempts, deliveries, stands, steps
from pipeline.model import DeliveryState


class StepRow(Struct, frozen=True):
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
    told = ("sent_at", "ended_at", "outcome", "code", "message")
    first = sa.select(*(steps.c[name] for name in told)).where(steps.c.id == step_id, steps.c.sent_at.is_not(None))
    later = sa.select(*(attempts.c[name] for name in told)).where(attempts.c.step_id == step_id).order_by(attempts.c.id)
    rows = chain(connection.execute(first), connection.execute(later))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented way to a mapping


def unanswered_lately(connection: sa.Connection, account: str) -> int:
    """How many of an account's latest sends, one after another, are doubts that are still open."""
    later, first = (
        connection.execute(
            sa.select(table.c.sent_at, table.c.outcome, steps.c.state)
            .select_from(sends)
            .join(deliveries, deliveries.c.id == steps.c.delivery_id)
            .where(
                table.c.id > _newest(connection, table) - _LATELY,
                table.c.outcome.is_not(None),
                deliveries.c.account == account,
            )
            .order_by(table.c.id.desc())
        ).all()
        for table, sends in ((attempts, attempts.join(steps)), (steps, steps))
    )
    latest = sorted([*later, *first], key=lambda row: -row.sent_at)
    return sum(1 for _ in takewhile(lambda row: (row.outcome, row.state) == ("in_doubt", "intended"), latest))


_LATELY = 100
"""First sends looked through, and as many later ones, of all accounts."""


def last_ended(connection: sa.Connection, *outcomes: str) -> float | None:
    """When a send last ended in one of these ways, as far as the newest first sends and the newest later ones tell."""
    found = [
        connection.execute(
            sa.select(table.c.ended_at)
            .where(table.c.id > _newest(connection, table) - _LOOKED_BACK, table.c.outcome.in_(outcomes))
            .order_by(table.c.id.desc())
            .limit(1)
        ).scalar()
        for table in (steps, attempts)
    ]
    return max((at for at in found if at is not None), default=None)


def _newest(connection: sa.Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0


_LOOKED_BACK = 100_000
"""Sends looked through: in a long outage there are only others."""


class Intent(Struct, frozen=True):
    """A step about to be sent: its request without secrets, what to search for, and what it shares with others."""

    delivery_id: int
    name: str
    request: Mapping[str, Any]
    search_hint: str = ""
    shares: str = ""


class Attempt(Struct, frozen=True):
    """One send of a step: its first, which stands in the row of the step, or a later one with a row of its own."""

    step_id: int
    later: int | None = None


def intend(connection: sa.Connection, intent: Intent, account: str, now: float) -> Attempt | None:
    """Write down that a step is about to be sent.

    ``None``, and nothing is written, while another delivery's step of the same ``shares`` has no outcome.
    """
    if intent.shares and _is_under_way(connection, intent, account):
        return None
    told = (plain.as_json(intent.request), intent.search_hint, intent.shares or None)
    step_id = plain.insert(connection, _INTEND, intent.delivery_id, intent.name, now, *told)
    return Attempt(step_id) if step_id is not None else _intend_again(connection, intent, now, told)


_INTEND = (
    "INSERT INTO steps (delivery_id, name, sent_at, state, sends, request, search_hint, shares) "
    "VALUES (?, ?, ?, 'intended', 1, ?, ?, ?) ON CONFLICT (delivery_id, name) DO NOTHING"
)


def _intend_again(connection: sa.Connection, intent: Intent, now: float, told: tuple[Any, ...]) -> Attempt:
    """The same of a step that is in the ledger already."""
    found_by = (intent.delivery_id, intent.name)
    plain.do(connection, _SEND_AGAIN, (*told, *found_by))
    step = plain.run(connection, _SENDS, *found_by).one()
    if step.sends > 1:
        return Attempt(step.id, plain.insert(connection, _LATER, step.id, now))
    plain.update(connection, steps, "id = ?", (step.id,), sent_at=now)
    return Attempt(step.id)


_SEND_AGAIN = (
    "UPDATE steps SET state = 'intended', sends = sends + 1, doubt_since = NULL, request = ?, search_hint = ?, "
    "shares = ? WHERE delivery_id = ? AND name = ?"
)
_SENDS = "SELECT id, sends FROM steps WHERE delivery_id = ? AND name = ?"
_LATER = "INSERT INTO attempts (step_id, sent_at) VALUES (?, ?)"


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


def conclude(connection: sa.Connection, attempt: Attempt, ended: Mapping[str, Any], **values: Any) -> None:  # noqa: ANN401
    """Write down how a send ended (``ended_at``, ``outcome``, ``code``, ``message``), and set columns of its step."""
    if attempt.later is None:
        values |= ended
    else:
        plain.update(connection, attempts, "id = ?", (attempt.later,), **ended)
    plain.update(connection, steps, "id = ?", (attempt.step_id,), **values)


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
