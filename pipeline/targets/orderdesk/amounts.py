"""The sums of an order: what the rows of a file add up to, never counted twice.

Order Desk computes ``order_total`` itself: items + shipping + handling + tax − discounts. A file may tell
each of these in up to three ways. The first one there is wins, and the others are not added to it:

=============  ==========================  =======================  ============================
Order Desk     rows of their own           a column of the order    a column of each line
=============  ==========================  =======================  ============================
shipping       line_type ``shipping``      ``shipping_total``
tax            line_type ``tax``           ``tax_total``            ``line_tax``, summed
discount       line_type ``discount``      ``discount_total``       ``line_discount``, summed
handling       line_type ``fee``
=============  ==========================  =======================  ============================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from pipeline.model import Record, Value

Line = Mapping[str, Value]
PRODUCT_TYPES = ("", "product", "subscription")
_DIGITS = 15
_NOTHING, _ONE = Decimal(0), Decimal(1)


class Discount(Struct, frozen=True):
    """One entry of the discount list; ``amount`` is positive."""

    name: str
    amount: Decimal


class Amounts(Struct, frozen=True):
    """An order's sums in its own currency; ``None`` where the file says nothing."""

    products: Decimal
    shipping: Decimal | None
    handling: Decimal | None
    tax: Decimal | None
    discounts: tuple[Discount, ...]

    @property
    def total(self) -> Decimal:
        """The total Order Desk will compute."""
        added = sum((part for part in (self.shipping, self.handling, self.tax) if part is not None), Decimal(0))
        return self.products + added - sum((one.amount for one in self.discounts), Decimal(0))


def product_lines(record: Record) -> list[Line]:
    """The lines that become order items."""
    return [line for line in record.lines if line_type(line) in PRODUCT_TYPES]


def line_type(line: Line) -> str:
    """What a line is; a blank means a product."""
    told = line.get("line_type")
    return str(told).strip().lower() if told else ""


def decimal_of(line: Line, name: str) -> Decimal | None:
    """The exact amount in a line, ``None`` when absent."""
    value = line.get(name)
    return value if isinstance(value, Decimal) else None


def amounts(record: Record) -> Amounts:
    """The sums of an order by the rule of this module."""
    products, others = _apart(record)
    return Amounts(
        products=sum(map(_extended, products), _NOTHING),
        shipping=_first(_rows(others.get("shipping")), record.money("shipping_total")),
        handling=_rows(others.get("fee")),
        tax=_first(_rows(others.get("tax")), record.money("tax_total"), _summed(products, "line_tax")),
        discounts=_discounts(record, products, others.get("discount")),
    )


def _apart(record: Record) -> tuple[list[Line], dict[str, list[Line]]]:
    """The lines that become order items, and the other ones by type."""
    products: list[Line] = []
    others: dict[str, list[Line]] = {}
    for line in record.lines:
        kind = line_type(line)
        (products if kind in PRODUCT_TYPES else others.setdefault(kind, [])).append(line)
    return products, others


def _discounts(record: Record, products: Iterable[Line], own: Sequence[Line] | None) -> tuple[Discount, ...]:
    """Exports write a discount as 5.00 or as -5.00; Order Desk wants it positive."""
    if own:
        found = [Discount(str(line.get("product_name") or "Discount"), abs(_extended(line))) for line in own]
    else:
        summed = _summed(products, "line_discount")
        total = _first(record.money("discount_total"), summed)
        if not total:
            return ()
        found = [Discount(record.text("coupon_code") or "Discount", abs(total))]
    return tuple(one for one in found if one.amount)


def _rows(own: Sequence[Line] | None) -> Decimal | None:
    return sum(map(_extended, own), _NOTHING) if own else None


def _extended(line: Line) -> Decimal:
    quantity = decimal_of(line, "quantity")
    return (decimal_of(line, "unit_price") or _NOTHING) * (_ONE if quantity is None else quantity)


def _summed(lines: Iterable[Line], name: str) -> Decimal | None:
    found = [value for line in lines if (value := decimal_of(line, name)) is not None]
    return sum(found, _NOTHING) if found else None


def _first(*candidates: Decimal | None) -> Decimal | None:
    return next((one for one in candidates if one is not None), None)


def number(value: Decimal) -> int | float:
    """The amount as a JSON number; exact for every amount that ``is_exact``."""
    return int(value) if value == value.to_integral_value() else float(value)


def is_exact(value: Decimal) -> bool:
    """Whether a JSON number carries the amount to the last digit, as it does every plain one of so few digits."""
    _, digits, exponent = value.as_tuple()
    if isinstance(exponent, int) and -_DIGITS <= exponent <= 0 and len(digits) <= _DIGITS:
        return True
    return value.is_finite() and abs(value) < 10**15 and Decimal(repr(float(value))) == value
