"""The life of one record: file, row, state per target, remote ids, every send and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger import sends
from pipeline.ledger.deliveries import Delivery


def life(connection: sa.Connection, key: str) -> dict[str, Any]:
    """Everything the ledger knows of a record key, as plain values, oldest first."""
    return {
        "key": key,
        "deliveries": [_delivery(connection, delivery) for delivery in book.by_key(connection, key)],
        "rejections": [
            {
                "file": batch.file_name, "row": r.row, "column": r.column,
                "code": r.code, "message": r.message, "advice": r.advice,
            }
            for batch, r in files.rejections_of_key(connection, key)
        ],
    }  # fmt: skip


def _delivery(connection: sa.Connection, delivery: Delivery) -> dict[str, Any]:
    batch = files.get(connection, delivery.batch_id)
    return {
        "id": delivery.id,
        "file": batch.file_name,
        "received_at": batch.received_at,
        "feed": batch.feed,
        "rows": list(dict.fromkeys(delivery.record.rows)),
        "account": delivery.account,
        "operation": delivery.operation,
        "state": delivery.state,
        "remote_id": delivery.remote_id,
        "problems": [dict(problem) for problem in delivery.problems],
        "steps": [
            {
                "step": step.name,
                "state": "in_doubt" if step.state == "intended" else step.state,
                "sends": step.sends,
                "remote_id": (step.result or {}).get("id"),
                "last_look": step.last_look,
                "attempts": [_attempt(attempt) for attempt in sends.attempts_of(connection, step.id)],
            }
            for step in sends.steps_of(connection, delivery.id).values()
        ],
    }


def _attempt(attempt: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sent_at": attempt["sent_at"],
        "ended_at": attempt["ended_at"],
        "outcome": attempt["outcome"] or "no answer",
        "message": attempt["message"] or "",
    }
