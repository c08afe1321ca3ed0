"""A record in plain words: what a person who has to settle a doubt must recognise at the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pipeline.model import Record, Value

_LINES_TOLD = 6


def record_in_words(record: Record) -> str:
    """One sentence: whose it is, what is in it, how much. ``order 1001; for Anna Berg; 2 × Mug (WB-100) at 12.5``."""
    parts = [*_kind_of(record), *_whose(record.fields), *_amounts(record)]
    return "; ".join(parts)


def age_in_words(seconds: float) -> str:
    """``3 days``, ``5 hours`` …: the largest unit of which there are at least two."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} seconds"


def _kind_of(record: Record) -> Iterator[str]:
    yield f"{record.kind.replace('_', ' ')} {record.key}"
    ordered = record.text("ordered_at")[:10]
    if ordered:
        yield f"of {ordered}"


def _whose(fields: Mapping[str, Value]) -> Iterator[str]:
    names = (fields.get(f"{kind}{part}") for kind in ("", "shipping_") for part in ("first_name", "last_name"))
    first, last, ship_first, ship_last = (str(name or "") for name in names)
    name = f"{first} {last}".strip() or str(fields.get("full_name") or "") or f"{ship_first} {ship_last}".strip()
    told = " ".join(part for part in (name, f"<{fields['email']}>" if fields.get("email") else "") if part)
    if told:
        yield f"for {told}"


def _amounts(record: Record) -> Iterator[str]:
    for line in record.lines[:_LINES_TOLD]:
        yield _line(line)
    if len(record.lines) > _LINES_TOLD:
        yield f"and {len(record.lines) - _LINES_TOLD} more lines"
    for label, field in (
        ("total", "order_total"), ("paid", "amount_paid"), ("amount", "amount"), ("reference", "payment_reference"),
        ("tracking number", "tracking_number"), ("carrier", "carrier"), ("name", "name"), ("stock", "stock"),
        ("price", "price"), ("status", "status"),
    ):  # fmt: skip
        if told := record.text(field):
            yield f"{label} {told}"


def _line(line: Mapping[str, Value]) -> str:
    name, sku = str(line.get("product_name") or ""), str(line.get("sku") or "")
    what = f"{name} ({sku})" if name and sku else name or sku or str(line.get("line_type") or "line")
    quantity = f"{_number(line['quantity'])} × " if line.get("quantity") is not None else ""
    price = f" at {_number(line['unit_price'])}" if line.get("unit_price") is not None else ""
    return f"{quantity}{what}{price}"


def _number(value: Value) -> str:
    """A number without the zeros that say nothing."""
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
