"""What the ledger knows of files: batches, their rejections, and which rows still wait for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from pipeline.ledger import plain, tallies
from pipeline.ledger.tables import batches, deliveries, rejections, stands, taken_in
from pipeline.model import DeliverTo, DeliveryState, Encoded, Record, Rejection, encoded_records

_CHUNK = 5_000
_OF_A_RECORD = ("record_key", "fingerprint", "record")
_OF_A_REJECTION = tuple(f'"{name}"' for name in Rejection._fields)
_TOGETHER = 500  # values in one IN list: every database takes so many


class Batch(Struct, frozen=True):
    """One file's life. ``path`` is where the original lies, relative to the project folder."""

    id: int
    link: str
    file_name: str
    state: str
    path: str
    sha256: str
    received_at: float
    feed: str | None = None
    subfolder: str | None = None
    size: int = 0
    closed_at: float | None = None
    found: Mapping[str, Any] | None = None
    header: Sequence[str] | None = None
    deliver: Sequence[Mapping[str, Any]] | None = None
    on_change: str | None = None
    notes: Sequence[str] | None = None
    mapping_fingerprint: str | None = None
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_skipped: int = 0
    reason_code: str | None = None
    reason: str | None = None
    advice: str | None = None
    same_as: int | None = None
    workbook: str | None = None
    workbook_sha256: str | None = None
    problems_digest: str | None = None
    corrects: int | None = None
    purged_at: float | None = None


class Accepted(Struct, frozen=True):
    """What reading, mapping and checking made of a file: everything that one transaction writes."""

    feed: str
    mapping_fingerprint: str
    found: Mapping[str, Any]
    header: Sequence[str]
    deliver: Sequence[DeliverTo]
    on_change: str
    records: Sequence[Record]
    rejections: Sequence[Rejection]
    read: int
    accepted: int
    rejected: int
    skipped: int
    notes: Sequence[str] = ()
    corrects: int | None = None
    corrected_rows: Mapping[int, Sequence[int]] | None = None
    """Rows taken over from earlier batches, by batch id."""


def as_batch(row: sa.Row[Any]) -> Batch:
    return Batch(**dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented way to a mapping


def begin(connection: sa.Connection, values: Mapping[str, Any]) -> Batch:
    """Write down that a file was claimed."""
    batch_id = connection.execute(sa.insert(batches).values(state="claimed", **values)).inserted_primary_key
    assert batch_id is not None  # noqa: S101 - an insert always has its key
    return get(connection, batch_id[0])


def get(connection: sa.Connection, batch_id: int) -> Batch:
    """The batch with that id."""
    return as_batch(connection.execute(sa.select(batches).where(batches.c.id == batch_id)).one())


def by_link(connection: sa.Connection, links: Sequence[str]) -> dict[str, Batch]:
    """Batches by the short names that row references carry."""
    found: dict[str, Batch] = {}
    for start in range(0, len(links), _TOGETHER):
        rows = connection.execute(sa.select(batches).where(batches.c.link.in_(list(links[start : start + _TOGETHER]))))
        found |= {batch.link: batch for batch in map(as_batch, rows)}
    return found


def listed(connection: sa.Connection, *states: str) -> list[Batch]:
    """All batches in those states (all, when none is named), oldest first."""
    query = sa.select(batches).order_by(batches.c.id)
    if states:
        query = query.where(batches.c.state.in_(states))
    return [as_batch(row) for row in connection.execute(query)]


def feed_of_workbook(connection: sa.Connection, workbook: str) -> str | None:
    """The feed of the file a workbook in ``errors/`` (a path relative to the project folder) was written for."""
    return connection.execute(sa.select(batches.c.feed).where(batches.c.workbook == workbook)).scalar()


def any_batch(connection: sa.Connection) -> bool:
    """Whether a file was ever taken in."""
    return connection.execute(sa.select(batches.c.id).limit(1)).first() is not None


def unfinished(connection: sa.Connection) -> list[Batch]:
    """Batches that closing has to look at: still delivering, not put away yet, or with a workbook out.

    Three questions, each with an index of its own: one question with "or" would look at every file there ever was.
    """
    found = {
        row.id: as_batch(row)
        for wanted in (batches.c.state == "delivering", batches.c.closed_at.is_(None), batches.c.workbook.is_not(None))
        for row in connection.execute(sa.select(batches).where(wanted, batches.c.state != "claimed"))
    }
    return [found[id_] for id_ in sorted(found)]


def twin(connection: sa.Connection, batch: Batch, feed: str, mapping_fingerprint: str) -> Batch | None:
    """An earlier batch of the same bytes under the same mapping, if one was taken in."""
    row = connection.execute(
        sa.select(batches)
        .where(
            batches.c.sha256 == batch.sha256,
            batches.c.id < batch.id,
            batches.c.feed == feed,
            batches.c.mapping_fingerprint == mapping_fingerprint,
            batches.c.state.in_(("delivering", "closed")),
        )
        .order_by(batches.c.id)
        .limit(1)
    ).first()
    return as_batch(row) if row else None


def accept(connection: sa.Connection, batch: Batch, accepted: Accepted, now: float) -> None:
    """Write everything a file gave in one transaction: rejections, deliveries, counts, and the rows it corrects."""
    finish(connection, batch, accepted)
    stage(connection, batch.id, accepted.deliver, encoded_records(accepted.records), accepted.rejections, now)


def stage(
    connection: sa.Connection,
    batch_id: int,
    deliver: Sequence[DeliverTo],
    records: Iterable[Encoded],
    rejected: Sequence[Rejection],
    now: float,
) -> None:
    """Write the rejections and deliveries of a portion of a file.

    While the batch is ``claimed`` nobody sees them (``taken_in``): what a crash leaves of them is taken away by
    ``unstage``, and the file is read again.
    """
    _insert_rejections(connection, batch_id, rejected)
    _insert_deliveries(connection, batch_id, deliver, records, now)


def finish(connection: sa.Connection, batch: Batch, accepted: Accepted) -> None:
    """The file is in the ledger as a whole: its counts, how it was read, and the rows it corrects."""
    connection.execute(
        sa.update(batches)
        .where(batches.c.id == batch.id)
        .values(
            state="delivering",
            feed=accepted.feed,
            mapping_fingerprint=accepted.mapping_fingerprint,
            found=dict(accepted.found),
            header=list(accepted.header),
            deliver=[
                {"account": d.account, "operation": d.operation, "options": dict(d.options)} for d in accepted.deliver
            ],
            on_change=accepted.on_change,
            notes=list(accepted.notes),
            rows_read=accepted.read,
            rows_accepted=accepted.accepted,
            rows_rejected=accepted.rejected,
            rows_skipped=accepted.skipped,
            corrects=accepted.corrects,
        )
    )
    for original, rows in (accepted.corrected_rows or {}).items():
        resolve_rows(connection, original, rows, batch.id)


def has_staged(connection: sa.Connection, batch_id: int) -> bool:
    """Whether anything of the batch was written before it was written as a whole."""
    return any(
        connection.execute(sa.select(table.c.id).where(table.c.batch_id == batch_id).limit(1)).first()
        for table in (deliveries, rejections)
    )


def unstage(connection: sa.Connection, batch_id: int) -> None:
    """Take away some of what a ``claimed`` batch has staged, no more than what keeps other writers waiting a moment."""
    for table in (deliveries, rejections):
        some = sa.select(table.c.id).where(table.c.batch_id == batch_id).limit(_CHUNK).scalar_subquery()
        connection.execute(sa.delete(table).where(table.c.id.in_(some)))


def _insert_deliveries(
    connection: sa.Connection, batch_id: int, deliver: Sequence[DeliverTo], encoded: Iterable[Encoded], now: float
) -> None:
    """One delivery per record and entry of ``deliver``, in the order of the records."""
    state = DeliveryState.WAITING.value
    alike = {
        "batch_id": batch_id, "state": state, "due_at": now, "tries": 0, "created_at": now, "updated_at": now,
    }  # fmt: skip
    names: tuple[str, ...] = _OF_A_RECORD
    if len(deliver) == 1:
        alike |= {"account": deliver[0].account, "operation": deliver[0].operation}
    else:
        names = ("account", "operation", *names)
    records = iter(encoded)
    while deliver and (chunk := list(islice(records, _CHUNK))):
        each = chunk if len(deliver) == 1 else [(to.account, to.operation, *one) for one in chunk for to in deliver]
        plain.insert_many(connection, "deliveries", names, each, alike)
        tallies.arrived(connection, batch_id, [to.account for to in deliver], len(chunk))


def _insert_rejections(connection: sa.Connection, batch_id: int, rejected: Sequence[Rejection]) -> None:
    if rejected:
        plain.insert_many(connection, "rejections", _OF_A_REJECTION, rejected, {"batch_id": batch_id})


def refuse(connection: sa.Connection, batch: Batch, values: Mapping[str, Any]) -> None:
    """Write down that the whole file was refused, and why."""
    connection.execute(sa.update(batches).where(batches.c.id == batch.id).values(state="refused", **values))


def mark_duplicate(connection: sa.Connection, batch: Batch, earlier: Batch) -> None:
    """Write down that these bytes were taken in before."""
    connection.execute(
        sa.update(batches)
        .where(batches.c.id == batch.id)
        .values(
            state="duplicate", feed=earlier.feed, same_as=earlier.id, mapping_fingerprint=earlier.mapping_fingerprint
        )
    )


def change(connection: sa.Connection, batch_id: int, **values: Any) -> None:  # noqa: ANN401 - column values
    """Set columns of one batch."""
    connection.execute(sa.update(batches).where(batches.c.id == batch_id).values(**values))


def resolve_rows(connection: sa.Connection, batch_id: int, rows: Sequence[int], by: int) -> None:
    """Rows of ``batch_id`` came back corrected in batch ``by``: they no longer wait there."""
    for start in range(0, len(rows), _TOGETHER):
        connection.execute(
            sa.update(rejections)
            .where(rejections.c.batch_id == batch_id, rejections.c.row.in_(list(rows[start : start + _TOGETHER])))
            .values(resolved_by=by)
        )
    refused = connection.execute(
        sa.select(deliveries.c.id, deliveries.c.record["rows"]).where(
            deliveries.c.batch_id == batch_id,
            stands(deliveries, DeliveryState.REFUSED),
            deliveries.c.resolved_by.is_(None),
        )
    )
    taken: set[int] = set()
    answered = []
    for delivery_id, made_of in refused:
        taken = taken or set(rows)  # seldom needed, and large where a large file comes back
        if taken.intersection(made_of):
            answered.append(delivery_id)
    for start in range(0, len(answered), _TOGETHER):
        some = deliveries.c.id.in_(answered[start : start + _TOGETHER])
        connection.execute(sa.update(deliveries).where(some).values(resolved_by=by))


def rejections_of_key(connection: sa.Connection, key: str) -> list[tuple[Batch, Rejection]]:
    """Rejections of the rows that bear a record key: how ``find`` sees a record that never became one."""
    rows = connection.execute(
        sa.select(rejections)
        .where(sa.or_(rejections.c.record_key == key, rejections.c.value == key), taken_in(rejections))
        .order_by(rejections.c.id)
    )
    return [(get(connection, row.batch_id), _rejection(row)) for row in rows.all()]


def _rejection(row: sa.Row[Any]) -> Rejection:
    return Rejection(row.row, row.column, row.value, row.code, row.message, row.advice, row.field, row.record_key)
