"""What an operator watches, read from the ledger: it counts for every process that works on it, and over restarts.

Each question is answered from an index or a tally, however many deliveries there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from pipeline.ledger.sends import last_ended
from pipeline.ledger.tables import accounts, batches, deliveries, pickups, stands, steps, tallies
from pipeline.model import DeliveryState


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """Times are seconds since 1970; ``None`` and missing keys: never so far."""

    last_file: float | None = None
    last_delivery: float | None = None
    deliveries: Mapping[tuple[str, str], int] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    workbooks: int = 0
    doubts: Mapping[str, tuple[int, float | None]] = field(default_factory=dict)
    paused: Mapping[str, str] = field(default_factory=dict)
    pickups: Mapping[str, tuple[float, str | None]] = field(default_factory=dict)


def vital_signs(connection: sa.Connection) -> VitalSigns:
    """All of them, as of one moment."""
    return VitalSigns(
        last_file=connection.execute(
            sa.select(batches.c.received_at).order_by(batches.c.id.desc()).limit(1)
        ).scalar(),
        last_delivery=last_ended(connection, "done", "already_there"),
        deliveries={(row.account, row.state): row.number for row in connection.execute(_counted())},
        files={row.state: row.number for row in connection.execute(_files())},
        workbooks=connection.execute(
            sa.select(sa.func.count()).select_from(batches).where(batches.c.workbook.is_not(None))
        ).scalar_one(),
        doubts={row.account: (row.number, row.oldest) for row in connection.execute(_doubts())},
        paused={
            row.account: row.paused_code
            for row in connection.execute(sa.select(accounts).where(accounts.c.paused_code.is_not(None)))
        },
        pickups={row.pickup: (row.done_at, row.problem) for row in connection.execute(sa.select(pickups))},
    )  # fmt: skip


def _files() -> sa.Select[tuple[str, int]]:
    return sa.select(batches.c.state, sa.func.count().label("number")).group_by(batches.c.state)


def _counted() -> sa.Select[tuple[str, str, int]]:
    columns = tallies.c
    number = sa.cast(sa.func.sum(columns.number), sa.BigInteger).label("number")
    return sa.select(columns.account, columns.state, number).group_by(columns.account, columns.state).having(number > 0)


def _doubts() -> sa.Select[tuple[str, int, float]]:
    """How many deliveries are in doubt per account, and since when the oldest."""
    return (
        sa.select(
            deliveries.c.account,
            sa.func.count(deliveries.c.id.distinct()).label("number"),
            sa.func.min(steps.c.doubt_since).label("oldest"),
        )
        .outerjoin(steps, sa.and_(steps.c.delivery_id == deliveries.c.id, steps.c.state == "intended"))
        .where(stands(deliveries, DeliveryState.IN_DOUBT))
        .group_by(deliveries.c.account)
    )


def oldest_waiting(connection: sa.Connection) -> float | None:
    """Since when the oldest delivery waits that is not done yet."""
    waiting = sa.and_(tallies.c.state == DeliveryState.WAITING, tallies.c.number > 0)
    accounts_known = connection.execute(sa.select(tallies.c.account).where(waiting).distinct()).scalars().all()
    oldest = [
        connection.execute(
            sa.select(deliveries.c.created_at)
            .where(deliveries.c.account == account, stands(deliveries, DeliveryState.WAITING))
            .order_by(deliveries.c.id)
            .limit(1)
        ).scalar()
        for account in accounts_known
    ]
    return min((at for at in oldest if at is not None), default=None)


def prove_writable(connection: sa.Connection) -> None:
    """Ask for a write that changes nothing: raises where the database takes none."""
    connection.execute(sa.update(accounts).where(sa.false()).values(paused_code=None))
