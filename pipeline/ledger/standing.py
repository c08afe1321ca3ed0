"""What the ledger says is at an account: one standing per record, whatever number of deliveries it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pipeline.fields import DEFAULT_KEYS
from pipeline.ledger.tables import deliveries, taken_in
from pipeline.model import DeliveryState, Record, decode_record

_NATURAL = [
    deliveries.c.record["fields"][name].as_string().label(name)
    for name in sorted({name for names in DEFAULT_KEYS.values() for name in names})
]
_DATED = deliveries.c.record["fields"]["ordered_at"]["$time"].as_string().label("ordered_at")


def natural_key(parts: Sequence[str]) -> str:
    """One text as it is; several with a slash between them, as record keys are made."""
    told = list(parts)
    while len(told) > 1 and not told[-1]:
        told.pop()
    return told[0] if len(parts) == 1 else "/".join(_escaped(part) for part in told)


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("/", "\\/")


@dataclass(slots=True)
class Standing:
    """Where one record stands at one account, all its deliveries taken together.

    ``content`` is the delivery whose content was the last to arrive there (``None``: nothing of it is there); we made
    it there between ``begun_at`` and ``made_at``, in seconds since 1970 (``None``: it was there before, or is not
    there); ``remote_ids`` every id the target gave for it; ``state`` the state of its newest delivery; ``natural_key``
    what a target can tell of it: the fields of ``DEFAULT_KEYS``, whatever columns a mapping made the record key of;
    ``dated`` the record's own ``ordered_at``, in seconds since 1970.
    """

    kind: str
    key: str
    state: str = ""
    content: int | None = None
    begun_at: float | None = None
    made_at: float | None = None
    remote_ids: set[str] = field(default_factory=set)
    natural_key: str = ""
    dated: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Everything the ledger knows at an account.

    ``standings`` by record kind and record key, of the operations a list can be compared with; ``others`` are the kinds
    and keys of further operations, whose content is not judged.
    """

    standings: Mapping[tuple[str, str], Standing]
    others: frozenset[tuple[str, str]]


def known_at(connection: sa.Connection, account: str, covered: Mapping[str, frozenset[str]]) -> Known:
    """What the ledger knows at an account; ``covered`` gives the record kinds each operation's list tells of."""
    columns = deliveries.c
    kind = columns.record["kind"].as_string().label("kind")
    query = (
        sa.select(kind, *_NATURAL, _DATED, columns.id, columns.record_key, columns.operation, columns.state,
                  columns.remote_id, columns.created_at, columns.updated_at)
        .where(columns.account == account, taken_in(deliveries))
        .order_by(columns.id)
    )  # fmt: skip
    found: dict[tuple[str, str], Standing] = {}
    others: set[tuple[str, str]] = set()
    for row in connection.execute(query):
        if row.kind not in covered.get(row.operation, ()):
            others.add((row.kind, row.record_key))
            continue
        _add(found.setdefault((row.kind, row.record_key), Standing(row.kind, row.record_key)), row)
    return Known(found, frozenset(others | _stock_in_orders(connection, account)))


def _add(standing: Standing, row: Any) -> None:  # noqa: ANN401 - a row of the query above
    first = standing.content is None
    standing.state = row.state
    standing.natural_key = natural_key([str(getattr(row, name) or "") for name in DEFAULT_KEYS[row.kind]])
    standing.dated = datetime.fromisoformat(row.ordered_at).timestamp() if row.ordered_at else None
    if row.remote_id:
        standing.remote_ids.add(row.remote_id)
    # What came back "unchanged" sent nothing: what is there is still the content of the delivery before it.
    if row.state in {DeliveryState.DELIVERED, DeliveryState.ALREADY_THERE}:
        standing.content = row.id
    if first and row.state == DeliveryState.DELIVERED:
        standing.begun_at, standing.made_at = row.created_at, row.updated_at


def _stock_in_orders(connection: sa.Connection, account: str) -> set[tuple[str, str]]:
    """Stock items that came as the lines of orders: an operation may take an order and keep its items."""
    columns = deliveries.c
    query = sa.select(columns.record).where(
        columns.account == account,
        columns.operation == "inventory_item",
        columns.record["kind"].as_string() == "order",
        taken_in(deliveries),
    )
    records = map(decode_record, connection.execute(query).scalars())
    return {("inventory_item", str(line.get("sku"))) for record in records for line in record.lines}


class Contents:
    """The records of standings, read ahead: they are asked for in the order of the ledger, so one query serves many."""

    AHEAD = 500

    def __init__(self, connection: sa.Connection, account: str) -> None:
        self._connection = connection
        self._account = account
        self._ahead: dict[int, Record] = {}

    def of(self, standing: Standing) -> Record:
        """What was the last to arrive at the target; only for a standing that has a ``content``."""
        assert standing.content is not None  # noqa: S101 - the caller looked
        if standing.content not in self._ahead:
            self._read_from(standing.content)
        return self._ahead[standing.content]

    def _read_from(self, delivery_id: int) -> None:
        query = (
            sa.select(deliveries.c.id, deliveries.c.record)
            .where(deliveries.c.id >= delivery_id, deliveries.c.account == self._account)
            .order_by(deliveries.c.id)
            .limit(self.AHEAD)
        )
        self._ahead = {row.id: decode_record(row.record) for row in self._connection.execute(query)}


def first_at(connection: sa.Connection, account: str) -> float | None:
    """When the ledger first heard of a delivery to an account, in seconds since 1970."""
    query = sa.select(sa.func.min(deliveries.c.created_at)).where(deliveries.c.account == account, taken_in(deliveries))
    return connection.execute(query).scalar()


def oldest_date(connection: sa.Connection, account: str, since: float) -> float | None:
    """The oldest ``ordered_at`` of what was given to an account since a time, in seconds since 1970.

    Good to a day: times are compared as they are written, whatever their zone.
    """
    columns = deliveries.c
    query = sa.select(sa.func.min(_DATED.element)).where(
        columns.account == account, columns.created_at >= since, taken_in(deliveries)
    )
    oldest = connection.execute(query).scalar()
    return datetime.fromisoformat(oldest).timestamp() if oldest else None


def operations_of(connection: sa.Connection, account: str) -> list[str]:
    """The operations an account was ever asked for, by name."""
    query = sa.select(deliveries.c.operation).where(deliveries.c.account == account, taken_in(deliveries)).distinct()
    return sorted(connection.execute(query).scalars())
