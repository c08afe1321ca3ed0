"""The nouns: frozen values that travel between the rooms. No input or output happens here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import chain, islice
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NamedTuple, Protocol, runtime_checkable

Value = str | int | Decimal | datetime | date | bool | Mapping[str, str] | None
"""A typed cell. Money and quantities are ``Decimal``, times carry a zone, ``extra`` is a map of texts."""

_TOGETHER = 10_000


class Rejection(NamedTuple):
    """Why one row of a file could not go further, in words for the person who sent it. (A tuple, because it is made
    in a quarter of the time of a frozen dataclass, and there may be one for every row.)

    ``row`` is the row number a spreadsheet shows (the first line of the file is 1); ``column`` the file's own
    header text, ``None`` when the whole row is meant. ``code`` is stable and listed in ``docs/operating.md``.
    ``record_key`` is the key of the record the row belongs to, where the row tells it.
    """

    row: int
    column: str | None
    value: str | None
    code: str
    message: str
    advice: str
    field: str | None = None
    record_key: str | None = None

    def of_record(self, key: str | None) -> Rejection:
        """The same with the key of its record."""
        return self if key == self.record_key else Rejection(*self[:-1], key)


class Unfolded(Protocol):
    """How the parts that one row of a file was unfolded into lead back to its cells.

    A part stands in a block under the index ``row * parts + part``; a row that was not unfolded is its own part 0,
    and ``parts`` is 1 where no row was.
    """

    @property
    def parts(self) -> int:
        """How many parts one row may have."""
        ...

    def place(self, position: int, part: int) -> tuple[str | None, str]:
        """The file's own header text of an unfolded column in that part, and how a sentence names the place."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """One thing to deliver: an order with its lines, a stock item, a shipment, a payment, a customer.

    ``fields`` holds the record-level fields by the names of ``pipeline.fields`` (absent or ``None`` when the file
    had no value); ``lines`` the line-level fields of an order, one map per row, in the order of the file; it is
    empty for the other kinds. ``rows`` are the row numbers the record was made of, for an order that of each
    line. ``cleared`` names the absent fields whose cells the file left empty on purpose (``when_empty: clear``): an
    update takes them away at the target.
    """

    kind: str
    key: str
    fields: Mapping[str, Value]
    lines: tuple[Mapping[str, Value], ...] = ()
    rows: tuple[int, ...] = ()
    cleared: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """The field as text, empty when absent."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    def money(self, name: str) -> Decimal | None:
        """The field as an exact decimal, ``None`` when absent."""
        value = self.fields.get(name)
        return value if isinstance(value, Decimal) else None

    def time(self, name: str) -> datetime | None:
        """The field as a time with a zone, ``None`` when absent."""
        value = self.fields.get(name)
        return value if isinstance(value, datetime) else None

    def day(self, name: str) -> date | None:
        """The field as a calendar day, ``None`` when absent (a time gives its own day)."""
        value = self.fields.get(name)
        if isinstance(value, datetime):
            return value.date()
        return value if isinstance(value, date) else None

    def extra(self) -> Mapping[str, str]:
        """The custom fields, empty when there are none."""
        value = self.fields.get("extra")
        return value if isinstance(value, Mapping) else {}

    def over(self, earlier: Record) -> Record:
        """This record, with what it leaves unsaid as an earlier one of its key told it; what it clears stays cleared.

        Lines are its own: an order always tells all of them.
        """
        kept = {name: value for name, value in earlier.fields.items() if name not in self.cleared}
        fields = kept | {name: value for name, value in self.fields.items() if value is not None}
        fields.pop("extra", None)
        unsaid = {name: text for name, text in earlier.extra().items() if f"extra.{name}" not in self.cleared}
        if extra := {**unsaid, **self.extra()}:
            fields["extra"] = extra
        told = {*fields, *(f"extra.{name}" for name in extra)}
        return replace(self, fields=fields, cleared=tuple(sorted({*self.cleared, *earlier.cleared} - told)))

    def fingerprint(self) -> str:
        """SHA-256 of the content. Where the rows stood, and in which order the lines came, does not count."""
        encoded = encode_record(self)
        del encoded["rows"]
        encoded["lines"] = sorted(json.dumps(line, sort_keys=True) for line in encoded["lines"])
        return hashlib.sha256(json.dumps(encoded, sort_keys=True).encode()).hexdigest()


def encode_record(record: Record) -> dict[str, Any]:
    """The record as plain JSON values; ``decode_record`` gives the same record back."""
    cleared = {"cleared": sorted(record.cleared)} if record.cleared else {}
    return {
        **cleared,
        "kind": record.kind,
        "key": record.key,
        "fields": {name: _encode(value) for name, value in record.fields.items() if value is not None},
        "lines": [{name: _encode(v) for name, v in line.items() if v is not None} for line in record.lines],
        "rows": list(record.rows),
    }


def decode_record(encoded: Mapping[str, Any]) -> Record:
    """The record that ``encode_record`` was given."""
    return Record(
        kind=encoded["kind"],
        key=encoded["key"],
        fields=_decoded(encoded["fields"]),
        lines=tuple(map(_decoded, encoded["lines"])),
        rows=tuple(encoded["rows"]),
        cleared=tuple(encoded.get("cleared", ())),
    )


def _decoded(encoded: Mapping[str, Any]) -> dict[str, Value]:
    """Most values stand for themselves: to ask each in place is quicker than a call for each."""
    return {name: _decode(value) if type(value) is dict else value for name, value in encoded.items()}


def _encode(value: Value) -> Any:  # noqa: ANN401 - JSON has no narrower type
    match value:
        case bool() | int() | str():
            return value
        case Decimal():
            return {"$decimal": _plain(value)}
        case datetime():
            return {"$time": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case Mapping():
            return {"$map": dict(value)}
    raise TypeError(f"a record cannot carry a {type(value).__name__}")


class Encoded(NamedTuple):
    """A record as the ledger keeps it; ``text`` is the JSON of ``encode_record``."""

    key: str
    fingerprint: str
    text: str


@runtime_checkable
class InBulk(Protocol):
    """Records that know a quicker way to be encoded than one after another."""

    def encoded_slices(self, together: int) -> Iterator[Iterable[Encoded]]:
        """All of them, in their order, so many at a time; going through a slice finishes what is left to do of it."""
        ...


def encoded_slices(records: Iterable[Record], together: int) -> Iterator[Iterable[Encoded]]:
    """Each record as the ledger keeps it, so many at a time; a slice can be gone through once, by any thread."""
    if isinstance(records, InBulk):
        yield from records.encoded_slices(together)
        return
    one_by_one = (Encoded(r.key, r.fingerprint(), json.dumps(encode_record(r))) for r in records)
    while some := list(islice(one_by_one, together)):
        yield some


def encoded_records(records: Iterable[Record]) -> Iterator[Encoded]:
    """Each record as the ledger keeps it."""
    return chain.from_iterable(encoded_slices(records, _TOGETHER))


def encoded_value(value: Value) -> str:
    """One value of a record as JSON text."""
    match value:
        case str():
            return _quoted(value)
        case Decimal():
            return f'{{"$decimal": "{_plain(value)}"}}'
        case datetime():
            return f'{{"$time": "{value.isoformat()}"}}'
    return json.dumps(_encode(value))


def _plain(value: Decimal) -> str:
    """2, 2.0 and 2.00 are the same amount, so they have one spelling (and one fingerprint)."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decode(value: Mapping[str, Any]) -> Value:
    (tag, inner), *_ = value.items()
    match tag:
        case "$decimal":
            return Decimal(inner)
        case "$time":
            return datetime.fromisoformat(inner)
        case "$date":
            return date.fromisoformat(inner)
        case "$map":
            return dict(inner)
    raise ValueError(f"unknown tag {tag} in a stored record")


class DeliveryState(StrEnum):
    """Where one record stands at one operation of one account.

    ::

        waiting ──▶ delivered | already_there | unchanged | refused
        waiting ──▶ in_doubt ──▶ delivered | already_there        (a look-up, or a person, saw it there)
                    in_doubt ──▶ waiting                 (proved absent after the settle time, or a person: resend)
                    in_doubt ──▶ refused                 (a person: drop)
        refused ──▶ waiting                                       (replay)
    """

    WAITING = "waiting"
    IN_DOUBT = "in_doubt"
    DELIVERED = "delivered"
    ALREADY_THERE = "already_there"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class DeliverTo:
    """One ``deliver`` entry of a mapping."""

    account: str
    operation: str
    options: Mapping[str, Any] = field(default_factory=dict)
