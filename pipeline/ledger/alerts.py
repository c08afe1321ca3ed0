"""What people have been told, per channel, and the facts only alerts ask for. Plain functions over a connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipeline.ledger.sends import last_ended
from pipeline.ledger.tables import (
    alerts,
    batches,
    channels,
    comparisons,
    deliveries,
    fetched,
    moments,
    rejections,
    stands,
    steps,
    taken_in,
)
from pipeline.model import DeliveryState


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing one channel has to be told, or was; see ``tables.alerts``."""

    id: int
    channel: str
    event: str
    subject: str
    version: str
    headline: str
    first_at: float
    told_at: float | None
    told_version: str | None
    times: int
    sending_at: float | None
    settled_at: float | None

    @property
    def key(self) -> tuple[str, str]:
        """What it is about."""
        return self.event, self.subject


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How the sendings of a channel went."""

    channel: str
    failures: int = 0
    next_try_at: float | None = None
    told_at: float | None = None
    problem: str | None = None


def listed(connection: sa.Connection) -> list[Alert]:
    """Every alert that is open, or settled and not told so yet."""
    rows = connection.execute(sa.select(alerts).order_by(alerts.c.id))
    return [Alert(**dict(row._mapping)) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented way to a mapping


def add(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New alerts: channel, event, subject, version, headline, first_at."""
    if rows:
        connection.execute(sa.insert(alerts), [{**row, "times": 0} for row in rows])


def change(connection: sa.Connection, ids: Iterable[int], **values: Any) -> None:  # noqa: ANN401 - column values
    """Set columns of some alerts."""
    for chunk in _chunks(ids):
        connection.execute(sa.update(alerts).where(alerts.c.id.in_(chunk)).values(**values))


def told(connection: sa.Connection, ids: Iterable[int], at: float) -> None:
    """These were told at that time, as they were then."""
    for chunk in _chunks(ids):
        connection.execute(
            sa.update(alerts)
            .where(alerts.c.id.in_(chunk))
            .values(told_at=at, told_version=alerts.c.version, times=alerts.c.times + 1, sending_at=None)
        )


def forget(connection: sa.Connection, ids: Iterable[int]) -> None:
    """These need nobody any more."""
    for chunk in _chunks(ids):
        connection.execute(sa.delete(alerts).where(alerts.c.id.in_(chunk)))


def _chunks(ids: Iterable[int]) -> list[list[int]]:
    wanted = list(ids)
    return [wanted[start : start + 500] for start in range(0, len(wanted), 500)]


def states(connection: sa.Connection) -> dict[str, ChannelState]:
    """How each channel that was ever used stands."""
    rows = connection.execute(sa.select(channels))
    return {row.channel: ChannelState(**dict(row._mapping)) for row in rows}  # noqa: SLF001 - as above


def note_channel(connection: sa.Connection, state: ChannelState) -> None:
    """Write down how a sending went."""
    values = {
        "failures": state.failures, "next_try_at": state.next_try_at, "told_at": state.told_at,
        "problem": state.problem,
    }  # fmt: skip
    if not connection.execute(sa.update(channels).where(channels.c.channel == state.channel).values(**values)).rowcount:
        connection.execute(sa.insert(channels).values(channel=state.channel, **values))


# --- moments -----------------------------------------------------------------------------------------------------


def first_seen(connection: sa.Connection, names: Sequence[str], now: float) -> dict[str, float]:
    """When each name was first asked for; those asked for the first time begin ``now`` (needs a write)."""
    known: dict[str, float] = {row.name: row.at for row in connection.execute(sa.select(moments))}
    for name in names:
        if name not in known:
            known[name] = now
            connection.execute(sa.insert(moments).values(name=name, at=now))
    return known


def moment(connection: sa.Connection, name: str) -> float | None:
    """When that was last done, or first seen."""
    return connection.execute(sa.select(moments.c.at).where(moments.c.name == name)).scalar()


def note_moment(connection: sa.Connection, name: str, at: float) -> None:
    """That was done now."""
    if not connection.execute(sa.update(moments).where(moments.c.name == name).values(at=at)).rowcount:
        connection.execute(sa.insert(moments).values(name=name, at=at))


# --- facts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToCorrect:
    """A file whose workbook waits in ``errors/``: rows, refused deliveries and doubts that wait for a person."""

    link: str
    file_name: str
    state: str
    workbook: str
    digest: str
    reason: str | None
    advice: str | None
    received_at: float
    rows: int
    refused: int
    doubts: int


def to_correct(connection: sa.Connection) -> list[ToCorrect]:
    """The files that wait for a person, oldest first."""
    found = connection.execute(sa.select(batches).where(batches.c.workbook.is_not(None)).order_by(batches.c.id)).all()
    return [
        ToCorrect(
            row.link, row.file_name, row.state, row.workbook, row.problems_digest or "", row.reason, row.advice,
            row.received_at, _open_rows(connection, row.id), _open_refusals(connection, row.id),
            _open_doubts(connection, row.id),
        )
        for row in found
        if row.problems_digest is not None  # else it is just being written
    ]  # fmt: skip


def _open_rows(connection: sa.Connection, batch: int) -> int:
    asked = sa.select(sa.func.count(sa.distinct(rejections.c.row))).where(
        rejections.c.batch_id == batch, rejections.c.resolved_by.is_(None)
    )
    return int(connection.execute(asked).scalar_one())


def _open_refusals(connection: sa.Connection, batch: int) -> int:
    asked = sa.select(sa.func.count()).where(
        deliveries.c.batch_id == batch,
        stands(deliveries, DeliveryState.REFUSED),
        deliveries.c.resolved_by.is_(None),
    )
    return int(connection.execute(asked).scalar_one())


def _open_doubts(connection: sa.Connection, batch: int) -> int:
    asked = sa.select(sa.func.count()).where(
        deliveries.c.batch_id == batch, stands(deliveries, DeliveryState.IN_DOUBT), deliveries.c.due_at.is_(None)
    )
    return int(connection.execute(asked).scalar_one())


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest deliveries of an account in one state: since when, how many, the keys of the first few."""

    since: float
    number: int
    keys: tuple[str, ...]


def oldest_doubts(connection: sa.Connection, account: str, before: float) -> Oldest | None:
    """Doubts of an account that began before a moment; a doubt begins when bytes may last have left."""
    where = sa.and_(
        deliveries.c.account == account,
        stands(deliveries, DeliveryState.IN_DOUBT),
        steps.c.state == "intended",
        steps.c.doubt_since <= before,
    )
    both = sa.select(deliveries.c.record_key, steps.c.doubt_since).join(steps).where(where)
    rows = connection.execute(both.order_by(steps.c.doubt_since).limit(5)).all()
    if not rows:
        return None
    number = connection.execute(sa.select(sa.func.count()).select_from(both.subquery())).scalar_one()
    return Oldest(rows[0].doubt_since, int(number), tuple(row.record_key for row in rows))


def oldest_waiting(connection: sa.Connection, account: str, before: float) -> Oldest | None:
    """Deliveries of an account that have been waiting since before a moment."""
    where = sa.and_(
        deliveries.c.account == account,
        stands(deliveries, DeliveryState.WAITING),
        deliveries.c.created_at <= before,
        taken_in(deliveries),
    )
    rows = connection.execute(
        sa.select(deliveries.c.record_key, deliveries.c.created_at).where(where).order_by(deliveries.c.id).limit(5)
    ).all()
    if not rows:
        return None
    number = connection.execute(sa.select(sa.func.count()).select_from(deliveries).where(where)).scalar_one()
    return Oldest(rows[0].created_at, int(number), tuple(row.record_key for row in rows))


def last_delivered(connection: sa.Connection) -> float | None:
    """When a call last did something at a target."""
    return last_ended(connection, "done")


def last_fetched(connection: sa.Connection, pickup: str) -> float | None:
    """When a pickup last brought something new."""
    asked = sa.select(sa.func.max(fetched.c.fetched_at)).where(
        fetched.c.pickup == pickup, fetched.c.file_name.is_not(None)
    )
    return connection.execute(asked).scalar()


# --- comparisons -------------------------------------------------------------------------------------------------


def compared(connection: sa.Connection) -> list[sa.Row[Any]]:
    """What the last comparison of each account found: rows of ``tables.comparisons``."""
    return list(connection.execute(sa.select(comparisons).order_by(comparisons.c.account)))


def note_comparison(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """What a comparison found, in place of the last one of that account."""
    connection.execute(sa.delete(comparisons).where(comparisons.c.account == values["account"]))
    connection.execute(sa.insert(comparisons).values(**values))
