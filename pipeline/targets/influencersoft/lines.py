"""The lines of an order as InfluencerSoft takes them: products by position; amounts that have no place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pipeline.model import Record, Value
from pipeline.targets.influencersoft.settings import CreateOrderOptions

Line = Mapping[str, Value]

PRODUCT_TYPES = frozenset({"", "product", "subscription"})
MAX_REPEATS = 100
"""A larger quantity is not written out as so many products: a slip of the keyboard would fill an invoice."""

_OTHER_TOTALS = ("shipping_total", "tax_total", "discount_total")


def product_lines(record: Record) -> list[Line]:
    """The lines that are products, subscriptions among them."""
    return [line for line in record.lines if kind_of(line) in PRODUCT_TYPES]


def product_keys(record: Record, options: CreateOrderOptions) -> list[str]:
    """The product keys in the order of the lines, repeated where the quantity is written out."""
    return [key_of(line, options) for line in product_lines(record) for _ in range(times_of(line))]


def other_amounts(record: Record) -> Iterator[tuple[str, str, Decimal]]:
    """Amounts that are no product's price: record field, label and amount; zeros are nothing."""
    for name in _OTHER_TOTALS:
        total = record.money(name)
        if total and not _has_rows(record, name.removesuffix("_total")):
            yield name, name.removesuffix("_total"), total
    for line in record.lines:
        kind = kind_of(line)
        amount = (amount_of(line, "unit_price") or Decimal(0)) * quantity_of(line)
        if kind not in PRODUCT_TYPES and amount:
            yield "line_type", kind, amount
        for name in ("line_discount", "line_tax"):
            extra = amount_of(line, name)
            if extra:
                yield name, name.replace("_", " "), extra


def _has_rows(record: Record, kind: str) -> bool:
    """Amounts of the rows win over the total of the same amounts, so that nothing is said twice."""
    return any(kind_of(line) == kind or amount_of(line, f"line_{kind}") for line in record.lines)


def money(value: Decimal) -> str:
    """A decimal point, at least two places: 49 and 49.0 are both ``49.00``."""
    exponent = value.normalize().as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{value:.{places}f}"


def kind_of(line: Line) -> str:
    """The line type, empty for a product that does not name it."""
    return str(line.get("line_type") or "")


def key_of(line: Line, options: CreateOrderOptions) -> str:
    """The product key the mapping asks for, empty when the line has none."""
    return str(line.get(options.product_key) or "").strip()


def amount_of(line: Line, name: str) -> Decimal | None:
    """A decimal of the line, ``None`` when absent."""
    value = line.get(name)
    return value if isinstance(value, Decimal) else None


def quantity_of(line: Line) -> Decimal:
    """The quantity, one where none is given."""
    quantity = amount_of(line, "quantity")
    return Decimal(1) if quantity is None else quantity


def times_of(line: Line) -> int:
    """How often the product is listed."""
    return int(min(quantity_of(line), Decimal(MAX_REPEATS)))
