"""What the ledger knows of deliveries and accounts. Plain functions over one connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, reduce
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from pipeline.ledger import plain
from pipeline.ledger.sends import StepRow, step_row
from pipeline.ledger.tables import accounts, batches, deliveries, stands, steps, taken_in
from pipeline.model import DeliveryState, Record, decode_record

OPEN = (DeliveryState.WAITING, DeliveryState.IN_DOUBT)
TOLD = (DeliveryState.DELIVERED, DeliveryState.ALREADY_THERE)
"""Deliveries whose content the target has; of ``UNCHANGED`` ones it has only what one of these told it."""
LET_BE = "dropped"
"""Code of the problem of a delivery that a person decided to let be."""

RESEND = "a person: resend"
"""What was last seen of a step that a person decided to send again."""


class Delivery(Struct, frozen=True):
    """One record on its way to one operation of one account."""

    id: int
    batch_id: int
    account: str
    operation: str
    record_key: str
    fingerprint: str
    record: Record
    state: str
    due_at: float | None
    tries: int
    result: Mapping[str, Any] | None
    remote_id: str | None
    problems: Sequence[Mapping[str, Any]]
    created_at: float
    updated_at: float
    options: Mapping[str, Any]
    on_change: str
    feed: str
    purged: bool = False
    """Whether its content was blanked: then its fingerprint and ids are known, and nothing can be sent from it."""


def _delivery(row: sa.Row[Any]) -> Delivery:
    # As ``_select`` asks for them; each by its name takes longer than all the rest.
    (
        id_, batch, account, operation, key, fingerprint, record, state, due_at, tries, result, remote_id, problems,
        _resolved_by, created_at, updated_at, deliver, on_change, feed,
    ) = tuple(row)  # fmt: skip
    options: Mapping[str, Any] = {}
    for to in deliver or ():
        if to["account"] == account and to["operation"] == operation:
            options = to["options"]
            break
    return Delivery(
        id_, batch, account, operation, key, fingerprint, decode_record(record), state, due_at, tries, result,
        remote_id, problems or (), created_at, updated_at, options, on_change or "update", feed or "",
        bool(record.get("purged")),
    )  # fmt: skip


def _select() -> sa.Select[Any]:
    """Deliveries of files that are in the ledger as a whole (as ``tables.taken_in``)."""
    told = sa.select(deliveries, batches.c.deliver, batches.c.on_change, batches.c.feed).join(batches)
    return told.where(batches.c.state != "claimed")


def _behind() -> sa.ColumnElement[bool]:
    """Whether the record key of a delivery has an earlier one that is still open.

    It waits behind that one, which decides whether it is unchanged, an update or a creation.
    """
    earlier = deliveries.alias("earlier")
    return sa.exists().where(
        earlier.c.record_key == deliveries.c.record_key,
        earlier.c.account == deliveries.c.account,
        earlier.c.operation == deliveries.c.operation,
        earlier.c.id < deliveries.c.id,
        earlier.c.state.in_(OPEN),
        taken_in(earlier),
    )


@cache
def _due(state: str) -> sa.Select[Any]:
    """Made once: to build it takes longer than to ask it."""
    return (
        _select()
        .where(
            deliveries.c.account == sa.bindparam("account"),
            stands(deliveries, state),
            deliveries.c.due_at <= sa.bindparam("now"),
            deliveries.c.id.not_in(sa.bindparam("skip", expanding=True)),
            ~_behind(),
        )
        .order_by(deliveries.c.id)
        .limit(sa.bindparam("most"))
    )


def due(connection: sa.Connection, account: str, now: float, limit: int, skip: Sequence[int] = ()) -> list[Delivery]:
    """Deliveries of an account that may be attended now, oldest first, without those in ``skip``.

    One query per state, so that each walks its index in order and stops at ``limit``: however many wait, none is
    sorted.
    """
    asked = {"account": account, "now": now, "skip": list(skip), "most": limit}
    found = [_delivery(row) for state in OPEN for row in connection.execute(_due(state), asked)]
    return sorted(found, key=lambda delivery: delivery.id)[:limit]


def next_due(connection: sa.Connection, account: str) -> tuple[float, str] | None:
    """When the next delivery of an account is due, and its state; ``None`` when only people can move it on.

    What was never put off is due since it came, the oldest first; what was has an index by time.
    """
    first = [
        (row.due_at, row.state)
        for state in OPEN
        for put_off in (False, True)
        for row in connection.execute(_first_due(state, put_off=put_off), {"account": account})
    ]
    return min(first, default=None)


@cache
def _first_due(state: str, *, put_off: bool) -> sa.Select[Any]:
    """Made once, as ``_due``: a watch asks for each account at every look."""
    columns = deliveries.c
    which = columns.due_at > columns.created_at if put_off else columns.due_at <= columns.created_at
    asked = sa.select(columns.due_at, columns.state).where(
        columns.account == sa.bindparam("account"), stands(deliveries, state), which, taken_in(deliveries), ~_behind()
    )
    return asked.order_by(columns.due_at if put_off else columns.id).limit(1)


class History(Struct, frozen=True):
    """What came before an attempt at a delivery.

    ``steps`` are its own by name; ``prior`` is the newest earlier delivery of its key that the target was told;
    ``half_done`` are steps that a refused delivery before it had done, where it has neither; ``let_be`` is the one just
    before it where that was in doubt, and a person decided to let it be.
    """

    steps: dict[str, StepRow]
    prior: Delivery | None
    half_done: Sequence[StepRow] = ()
    let_be: Delivery | None = None


NOTHING_BEFORE = History({}, None)


def histories(connection: sa.Connection, found: Sequence[Delivery]) -> dict[int, History]:
    """The histories of several deliveries at once, by delivery id."""
    ids = [delivery.id for delivery in found]
    own = _steps_of_all(connection, ids)
    before = _before(connection, ids)
    newest = {id_: next((e for e, state in reversed(earlier) if state in TOLD), 0) for id_, earlier in before.items()}
    wanted = [there for there in newest.values() if there]
    there = _by_id(connection, wanted) if wanted else {}
    refused = {
        id_: earlier[-1][0]
        for id_, earlier in before.items()
        if earlier[-1][1] == DeliveryState.REFUSED and not newest[id_] and id_ not in own
    }
    theirs = _steps_of_all(connection, list(refused.values())) if refused else {}
    let_be = _let_be(connection, {id_: e[-1][0] for id_, e in before.items() if e[-1][1] == DeliveryState.REFUSED})
    return {
        id_: History(
            own.get(id_, {}),
            there.get(newest.get(id_, 0)),
            [step for step in theirs.get(refused.get(id_, 0), {}).values() if step.state == "done"],
            let_be.get(id_),
        )
        if id_ in own or id_ in before
        else NOTHING_BEFORE
        for id_ in ids
    }


def _let_be(connection: sa.Connection, refused: Mapping[int, int]) -> dict[int, Delivery]:
    """Those of the refused deliveries that a person let be, by the delivery they came before."""
    if not refused:
        return {}
    found = _by_id(connection, list(refused.values()))
    dropped = {one for one, d in found.items() if any(problem["code"] == LET_BE for problem in d.problems)}
    return {id_: found[earlier] for id_, earlier in refused.items() if earlier in dropped}


def _by_id(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Delivery]:
    return {row.id: _delivery(row) for row in connection.execute(_select().where(deliveries.c.id.in_(ids)))}


def _before(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """Id and state of the earlier deliveries of the same key, oldest first, by delivery id."""
    found: dict[int, list[tuple[int, str]]] = {}
    for id_, earlier_id, state in connection.execute(_earlier_ones(), {"ids": list(ids)}):
        found.setdefault(id_, []).append((earlier_id, state))
    return found


@cache
def _earlier_ones() -> sa.Select[Any]:
    earlier = deliveries.alias("earlier")
    same = sa.and_(
        earlier.c.record_key == deliveries.c.record_key,
        earlier.c.account == deliveries.c.account,
        earlier.c.operation == deliveries.c.operation,
        earlier.c.id < deliveries.c.id,
    )
    asked = sa.select(deliveries.c.id, earlier.c.id, earlier.c.state).join(earlier, same).where(taken_in(earlier))
    return asked.where(deliveries.c.id.in_(sa.bindparam("ids", expanding=True))).order_by(earlier.c.id)


def _steps_of_all(connection: sa.Connection, ids: Sequence[int]) -> dict[int, dict[str, StepRow]]:
    found: dict[int, dict[str, StepRow]] = {}
    for row in connection.execute(_steps_of_these(), {"ids": list(ids)}):
        found.setdefault(row.delivery_id, {})[row.name] = step_row(row)
    return found


@cache
def _steps_of_these() -> sa.Select[Any]:
    return sa.select(steps).where(steps.c.delivery_id.in_(sa.bindparam("ids", expanding=True))).order_by(steps.c.id)


def get(connection: sa.Connection, delivery_id: int) -> Delivery | None:
    """The delivery with that id, if there is one."""
    row = connection.execute(_select().where(deliveries.c.id == delivery_id)).first()
    return _delivery(row) if row else None


def link_of(connection: sa.Connection, delivery: Delivery) -> str:
    """The short random name of the batch a delivery belongs to."""
    return str(connection.execute(sa.select(batches.c.link).where(batches.c.id == delivery.batch_id)).scalar_one())


def prior(connection: sa.Connection, delivery: Delivery) -> Delivery | None:
    """The newest earlier delivery of the same key that the target was told."""
    row = connection.execute(_select().where(*_told_before(delivery)).order_by(deliveries.c.id.desc()).limit(1)).first()
    return _delivery(row) if row else None


def told(connection: sa.Connection, delivery: Delivery) -> Record | None:
    """What the target was told of a record key before this delivery: each record over those before it."""
    rows = connection.execute(
        sa.select(deliveries.c.record).where(*_told_before(delivery)).order_by(deliveries.c.id)
    ).scalars()
    records = [decode_record(row) for row in rows]
    return reduce(lambda earlier, later: later.over(earlier), records) if records else None


def told_is_purged(connection: sa.Connection, delivery: Delivery) -> bool:
    """Whether some of what the target was told has been blanked here."""
    records = connection.execute(sa.select(deliveries.c.record).where(*_told_before(delivery))).scalars()
    return any(record.get("purged") for record in records)


def _told_before(delivery: Delivery) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        deliveries.c.record_key == delivery.record_key,
        deliveries.c.account == delivery.account,
        deliveries.c.operation == delivery.operation,
        deliveries.c.id < delivery.id,
        deliveries.c.state.in_(TOLD),
    )


def by_key(connection: sa.Connection, key: str) -> list[Delivery]:
    """All deliveries of a record key, oldest first."""
    rows = connection.execute(_select().where(deliveries.c.record_key == key).order_by(deliveries.c.id))
    return [_delivery(row) for row in rows]


def in_states(connection: sa.Connection, *states: str, batch_id: int | None = None) -> list[Delivery]:
    """Deliveries in those states, oldest first; of one batch when it is named."""
    query = _select().where(stands(deliveries, *states))
    if batch_id is not None:
        query = query.where(deliveries.c.batch_id == batch_id)
    found = [_delivery(row) for row in connection.execute(query)]  # ordered by the database, the whole table is walked
    return sorted(found, key=lambda delivery: delivery.id)


def move(connection: sa.Connection, delivery_id: int, state: str, now: float, **values: Any) -> None:  # noqa: ANN401
    """Put a delivery into a state (see ``DeliveryState`` for the allowed moves)."""
    plain.update(connection, deliveries, "id = ?", (delivery_id,), state=str(state), updated_at=now, **values)


def with_work(connection: sa.Connection, names: Sequence[str]) -> list[str]:
    """Those accounts that have open deliveries; asks its index per account, whatever is done."""

    def has_work(name: str) -> bool:
        some = sa.select(deliveries.c.id).where(
            deliveries.c.account == name, stands(deliveries, *OPEN), taken_in(deliveries)
        )
        return connection.execute(some.limit(1)).first() is not None

    return [name for name in names if has_work(name)]


def counts(connection: sa.Connection, batch_id: int | None = None) -> list[tuple[int, str, str, int]]:
    """(batch id, account, state, number) of all deliveries, or of one batch."""
    grouped = sa.select(deliveries.c.batch_id, deliveries.c.account, deliveries.c.state, sa.func.count())
    grouped = grouped.where(taken_in(deliveries)).group_by(
        deliveries.c.batch_id, deliveries.c.account, deliveries.c.state
    )
    if batch_id is not None:
        grouped = grouped.where(deliveries.c.batch_id == batch_id)
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(grouped)]


def recover(connection: sa.Connection, now: float) -> int:
    """After a start: steps with an intent and no outcome are in doubt as of now, and so are their deliveries.

    The process that sent them is gone; its last byte may have left the moment before.
    """
    interrupted = connection.execute(
        sa.select(steps.c.id, steps.c.delivery_id)
        .join(deliveries)
        .where(stands(steps, "intended"), steps.c.doubt_since.is_(None), deliveries.c.state.in_(OPEN))
    ).all()
    for step_id, delivery_id in interrupted:
        connection.execute(sa.update(steps).where(steps.c.id == step_id).values(doubt_since=now))
        move(connection, delivery_id, DeliveryState.IN_DOUBT, now, due_at=now)
    return len(interrupted)


def not_from_the_future(connection: sa.Connection, account: str, now: float) -> int:
    """What was put off while the clock stood ahead is due now: nobody waits for a time that was never right."""
    ahead = sa.and_(
        deliveries.c.account == account,
        stands(deliveries, *OPEN),
        deliveries.c.due_at.is_not(None),
        deliveries.c.updated_at > now + 60,
    )
    return connection.execute(sa.update(deliveries).where(ahead).values(due_at=now, updated_at=now)).rowcount


def doubt_anew(connection: sa.Connection, now: float) -> int:
    """After the clock was set: every doubt counts from now, since nobody knows how long ago its bytes left."""
    doubted = sa.and_(stands(steps, "intended"), steps.c.doubt_since.is_not(None))
    return connection.execute(sa.update(steps).where(doubted).values(doubt_since=now)).rowcount


# --- accounts ----------------------------------------------------------------------------------------------------


def pause(connection: sa.Connection, account: str, code: str, message: str, now: float) -> None:
    """An account cannot work until a person acts."""
    resume(connection, account)
    connection.execute(
        sa.insert(accounts).values(account=account, paused_code=code, paused_message=message, paused_at=now)
    )


def resume(connection: sa.Connection, account: str) -> None:
    """An account answered well again."""
    connection.execute(sa.delete(accounts).where(accounts.c.account == account))


def paused(connection: sa.Connection) -> dict[str, str]:
    """Why, by account that is paused."""
    return {row.account: row.paused_message for row in connection.execute(sa.select(accounts))}
