"""What was fetched from where, so that it is not fetched twice. Plain functions over one connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pipeline.ledger.tables import fetched, pickups


def known(connection: sa.Connection, pickup: str, paths: list[str]) -> dict[tuple[str, int, int], str]:
    """SHA-256 of what was fetched before, by path, size and time; only for ``paths``."""
    found: dict[tuple[str, int, int], str] = {}
    for start in range(0, len(paths), 500):  # SQLite takes a bounded number of values in one statement
        some = fetched.c.path.in_(paths[start : start + 500])
        for row in connection.execute(sa.select(fetched).where(fetched.c.pickup == pickup, some).order_by("id")):
            found[row.path, row.size, row.mtime] = row.sha256
    return found


def same_content(connection: sa.Connection, pickup: str, path: str, sha256: str) -> bool:
    """Whether these bytes came from this path before."""
    asked = sa.select(fetched.c.id).where(
        fetched.c.pickup == pickup, fetched.c.path == path, fetched.c.sha256 == sha256
    )
    return connection.execute(asked.limit(1)).first() is not None


def remember(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Write one fetched file down: a row of ``tables.fetched``."""
    connection.execute(sa.insert(fetched).values(**values))


def last_done(connection: sa.Connection) -> dict[str, float]:
    """When each pickup last ended well, or was first seen."""
    return {row.pickup: row.done_at for row in connection.execute(sa.select(pickups))}


def note_end(connection: sa.Connection, pickup: str, now: float, problem: str | None) -> None:
    """A pickup has ended: well at ``now``, or with a problem, which leaves the time of the last good end as it was."""
    values: dict[str, Any] = {"problem": problem} if problem else {"problem": None, "done_at": now}
    if not connection.execute(sa.update(pickups).where(pickups.c.pickup == pickup).values(**values)).rowcount:
        connection.execute(sa.insert(pickups).values(pickup=pickup, done_at=now, problem=problem))


def problems(connection: sa.Connection) -> dict[str, str]:
    """Why it went wrong the last time, by pickup; those that ended well are not in it."""
    failed = sa.select(pickups).where(pickups.c.problem.is_not(None)).order_by(pickups.c.pickup)
    return {row.pickup: row.problem for row in connection.execute(failed)}
