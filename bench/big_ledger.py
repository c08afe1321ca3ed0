"""Big ledgers, made by the database itself: files of 10,000 deliveries that have ended, with their steps and sends."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "proof"))

PER_FILE = 10_000
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT {begin} UNION ALL SELECT i + 1 FROM n WHERE i < {end})"
_BATCHES = """
INSERT INTO batches (id, link, file_name, feed, state, sha256, size, received_at, closed_at, path, on_change, deliver,
                     rows_read, rows_accepted, rows_rejected, rows_skipped)
SELECT i, 'big' || i, 'orders_' || i || '.csv', 'orders', 'closed', printf('%064d', i), 1, i, i, 'var/archive/' || i,
       'update', '[{{"account": "orderdesk", "operation": "order", "options": {{}}}}]', {per}, {per}, 0, 0 FROM n
"""
_DELIVERIES = """
INSERT INTO deliveries (id, batch_id, account, operation, record_key, fingerprint, record, state, tries, result,
                        remote_id, problems, created_at, updated_at)
SELECT i, 1 + (i - 1) / {per}, 'orderdesk', 'order', 'big' || i, printf('%064x', i * 2654435761), :record,
       CASE WHEN i % 1000 = 0 THEN 'refused' ELSE 'delivered' END, 0, '{{"id":"' || i || '"}}', i, '[]', i, i FROM n
"""
_STEPS = """
INSERT INTO steps (id, delivery_id, name, state, request, result, sends, search_hint, sent_at, ended_at, outcome, code,
                   message)
SELECT i, i, 'order', 'done', :request, '{{"id":"' || i || '"}}', 1, 'big' || i, i, i, 'done', '', '' FROM n
"""
_TALLIES = "INSERT INTO tallies SELECT batch_id, account, state, count(*) FROM deliveries GROUP BY 1, 2, 3"


def fill(path: Path, number: int) -> None:
    """Fill the empty ledger at ``path``; what is in it cannot be told from what runs would have left."""
    from desk import order

    from pipeline.model import encode_record
    from pipeline.targets.orderdesk.payload import order_payload
    from pipeline.targets.orderdesk.settings import OrderOptions

    sample = order("big1234567")
    values = {
        "record": json.dumps(encode_record(sample)),
        "request": json.dumps({"method": "POST", "path": "/orders", "json": order_payload(sample, OrderOptions())}),
    }
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        _carry_out(connection, _BATCHES, 1, -(-number // PER_FILE), values)
        for statement in (_DELIVERIES, _STEPS):
            _carry_out(connection, statement, 1, number, values)
        connection.execute(_TALLIES)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _carry_out(connection: sqlite3.Connection, statement: str, begin: int, end: int, values: dict[str, str]) -> None:
    """In portions, so that the write-ahead log stays small."""
    for start in range(begin, end + 1, 500_000):
        text = (_NUMBERS + statement).format(per=PER_FILE, begin=start, end=min(end, start + 499_999))
        connection.execute(text, {name: value for name, value in values.items() if f":{name}" in text})
