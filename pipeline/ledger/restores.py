"""Which backups were put back, and whether a person has said since that all is known again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pipeline.ledger.tables import batches, deliveries, restores, steps


@dataclass(frozen=True, slots=True)
class Restore:
    """``last_delivery``: the newest delivery of the backup; ``files``: SHA-256 of the files taken in after it."""

    last_delivery: int
    files: Sequence[str]


def note(connection: sa.Connection, now: float, files: Collection[str]) -> None:
    """A backup was put back just now."""
    # What a person decided before the backup may have been carried out since.
    connection.execute(sa.update(steps).where(steps.c.state == "open").values(last_look=None))
    last = connection.execute(sa.select(sa.func.max(deliveries.c.id))).scalar() or 0
    connection.execute(sa.insert(restores).values(restored_at=now, last_delivery=last, files=sorted(files)))


def open_ones(connection: sa.Connection) -> list[Restore]:
    """Restores that still ask for caution."""
    rows = connection.execute(sa.select(restores).where(restores.c.done_at.is_(None)))
    return [Restore(row.last_delivery, row.files) for row in rows]


def end(connection: sa.Connection, now: float) -> int:
    """All is known again; the number of restores that this ends."""
    return connection.execute(sa.update(restores).where(restores.c.done_at.is_(None)).values(done_at=now)).rowcount


def batches_of(connection: sa.Connection, files: Collection[str]) -> frozenset[int]:
    """The batches of files with that content."""
    return frozenset(
        row.id for row in connection.execute(sa.select(batches.c.id, batches.c.sha256)) if row.sha256 in files
    )


def known_links(connection: sa.Connection) -> frozenset[str]:
    """The short names of all files this ledger knows."""
    return frozenset(connection.execute(sa.select(batches.c.link)).scalars())
