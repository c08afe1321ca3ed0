"""Personal data out of the ledger: what is left proves that something was sent, and cannot say to whom."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pipeline.ledger.batches import Batch, as_batch
from pipeline.ledger.deliveries import OPEN
from pipeline.ledger.tables import attempts, batches, deliveries, rejections, steps, tallies

KEPT_FIELDS = ("order_id", "sku", "tracking_number", "ordered_at", "payment_reference")
"""Fields of a record that name no person, and by which ``reconcile`` knows it again."""

_CHUNK = 5_000


def due(connection: sa.Connection, before: float) -> list[Batch]:
    """Batches that ended before that time, wait for nobody, and still hold personal data; oldest first."""
    still_open = sa.exists().where(tallies.c.batch_id == batches.c.id, tallies.c.state.in_(OPEN), tallies.c.number > 0)
    rows = connection.execute(
        sa.select(batches)
        .where(
            batches.c.closed_at < before,
            batches.c.purged_at.is_(None),
            batches.c.workbook.is_(None),
            batches.c.state.in_(("closed", "refused", "duplicate")),
            ~still_open,
        )
        .order_by(batches.c.id)
    )
    return [as_batch(row) for row in rows]


def blank(connection: sa.Connection, batch_id: int, now: float) -> int:
    """Blank the records, calls and answers of one batch; gives the number of deliveries."""
    asked = sa.select(deliveries.c.id, deliveries.c.record, deliveries.c.problems)
    rows = [
        {"the_id": row.id, "record": _blanked(row.record), "problems": [_code_of(one) for one in row.problems or ()]}
        for row in connection.execute(asked.where(deliveries.c.batch_id == batch_id))
    ]
    statement = sa.update(deliveries).where(deliveries.c.id == sa.bindparam("the_id"))
    for start in range(0, len(rows), _CHUNK):
        connection.execute(statement, rows[start : start + _CHUNK])
    of_batch = sa.select(deliveries.c.id).where(deliveries.c.batch_id == batch_id)
    of_steps = sa.select(steps.c.id).where(steps.c.delivery_id.in_(of_batch))
    connection.execute(sa.update(attempts).where(attempts.c.step_id.in_(of_steps)).values(message=""))
    connection.execute(
        sa.update(steps)
        .where(steps.c.delivery_id.in_(of_batch))
        .values(request={}, search_hint=None, shares=None, last_look=None, message="")
    )
    connection.execute(
        sa.update(rejections).where(rejections.c.batch_id == batch_id).values(value=None, message="", advice="")
    )
    connection.execute(sa.update(batches).where(batches.c.id == batch_id).values(purged_at=now))
    return len(rows)


def _code_of(problem: Mapping[str, Any]) -> dict[str, Any]:
    return {"code": problem["code"], "message": "", "advice": "", "field": problem.get("field")}


def _blanked(record: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: record["fields"][name] for name in KEPT_FIELDS if name in record["fields"]}
    return {
        "kind": record["kind"], "key": record["key"], "fields": fields, "lines": [], "rows": record["rows"],
        "purged": True,
    }  # fmt: skip


def wipe(engine: sa.Engine) -> bool:
    """Make the bytes go: SQLite rewrites its file without what was blanked; PostgreSQL does so by itself in time.

    ``False`` while somebody else reads the file.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        connection.rollback()
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        ((busy, _, _),) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.close()
        return not busy
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
