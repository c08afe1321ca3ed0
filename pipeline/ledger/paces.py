"""How far each account's allowance of calls is used up: it outlives the process, so that a restart does not burst.

One moment per account is enough: when its bucket is full again. While somebody calls it is ``IN_USE``; whoever finds
that after a crash takes the bucket for empty.
"""

from __future__ import annotations

import sqlalchemy as sa

from pipeline.ledger import plain

IN_USE = 4e12
"""A time that never comes, in seconds since 1970."""

_SET = "INSERT INTO moments (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at"


def fills_at(connection: sa.Connection, account: str) -> float | None:
    """When the bucket is full again; ``None`` for one that nobody has drawn from yet."""
    found = plain.run(connection, "SELECT at FROM moments WHERE name = ?", _name(account)).scalar()
    return None if found is None else float(found)


def take_up(connection: sa.Connection, account: str) -> float | None:
    """The same, and from now on it is in use."""
    when = fills_at(connection, account)
    note(connection, account, IN_USE)
    return when


def note(connection: sa.Connection, account: str, when: float) -> None:
    """Write down when the bucket is full again."""
    plain.run(connection, _SET, _name(account), when)


def _name(account: str) -> str:
    return f"pace {account}"
