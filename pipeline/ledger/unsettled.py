"""What of a file still waits for a person, read in slices.

Neither memory nor a transaction grows with it: a file of a million rows may be wrong in every one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipeline.ledger.deliveries import OPEN
from pipeline.ledger.tables import deliveries, rejections, stands, tallies
from pipeline.model import DeliveryState, Rejection

_SLICE = 5_000


@dataclass(frozen=True, slots=True)
class Refused:
    """A delivery an account would not take: of which record, made of which rows, and why."""

    id: int
    account: str
    record_key: str
    rows: Sequence[int]
    problems: Sequence[Mapping[str, Any]]


def open_rejections(engine: sa.Engine, batch_id: int) -> Iterator[Rejection]:
    """The rejections of a batch whose rows have not come back corrected, by row."""
    t = rejections.c
    told = (t.row, t.column, t.value, t.code, t.message, t.advice, t.field, t.record_key)
    for found in _rejections(engine, batch_id, told):
        yield from (Rejection(*row) for row in found)


def open_reasons(engine: sa.Engine, batch_id: int) -> Iterator[list[tuple[int, str | None, str, str]]]:
    """Row, column, code and message of the same rejections, many at a time."""
    t = rejections.c
    return _rejections(engine, batch_id, (t.row, t.column, t.code, t.message))


def open_refusals(engine: sa.Engine, batch_id: int) -> Iterator[tuple[int, Sequence[Mapping[str, Any]]]]:
    """The refused deliveries of a batch whose rows have not come back corrected: id and problems, oldest first."""
    for id_, problems in _refusals(engine, batch_id, deliveries.c.problems):
        yield id_, problems or ()


def rows_of_refusals(engine: sa.Engine, batch_id: int) -> Iterator[tuple[int, Sequence[int]]]:
    """The same deliveries: id, and the rows their records were made of."""
    for id_, rows in _refusals(engine, batch_id, deliveries.c.record["rows"]):
        yield id_, rows or ()


def refusals(engine: sa.Engine, ids: Sequence[int]) -> dict[int, Refused]:
    """Some of them, by id."""
    table = deliveries.c
    asked = sa.select(table.id, table.account, table.record_key, table.record["rows"], table.problems)
    with engine.connect() as connection:
        found = connection.execute(asked.where(table.id.in_(ids))).all()
    return {id_: Refused(id_, account, key, rows or (), problems or ()) for id_, account, key, rows, problems in found}


def where_under_way(connection: sa.Connection, batch_id: int) -> set[str]:
    """The accounts at which a delivery of the batch waits or is in doubt."""
    some = sa.select(tallies.c.account).where(
        tallies.c.batch_id == batch_id, tallies.c.state.in_(OPEN), tallies.c.number > 0
    )
    return set(connection.execute(some).scalars())


def _refusals(engine: sa.Engine, batch_id: int, told: sa.ColumnElement[Any]) -> Iterator[tuple[int, Any]]:
    table, after = deliveries.c, 0
    asked = (
        sa.select(table.id, told)
        .where(
            table.batch_id == batch_id,
            stands(deliveries, DeliveryState.REFUSED),
            table.resolved_by.is_(None),
            table.id > sa.bindparam("after"),
        )
        .order_by(table.id)
        .limit(_SLICE)
    )
    while True:
        with engine.connect() as connection:
            found = connection.execute(asked, {"after": after}).all()
        yield from ((id_, value) for id_, value in found)
        if len(found) < _SLICE:
            return
        after = found[-1].id


def _rejections(
    engine: sa.Engine, batch_id: int, told: Sequence[sa.ColumnElement[Any]]
) -> Iterator[list[tuple[Any, ...]]]:
    """``told`` begins with the row."""
    table, row, id_ = rejections.c, -1, 0
    asked = (
        sa.select(*told, table.id)
        .where(table.batch_id == batch_id, table.resolved_by.is_(None))
        # the first of the two conditions lets the index be entered where the last slice ended
        .where(table.row >= sa.bindparam("row"), sa.or_(table.row > sa.bindparam("row"), table.id > sa.bindparam("id")))
        .order_by(table.row, table.id)
        .limit(_SLICE)
    )
    while True:
        with engine.connect() as connection:
            found = connection.execute(asked, {"row": row, "id": id_}).all()
        if found:
            yield [tuple(one[:-1]) for one in found]
        if len(found) < _SLICE:
            return
        row, id_ = found[-1][0], found[-1][-1]
