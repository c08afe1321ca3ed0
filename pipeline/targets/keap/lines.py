"""An order's rows and totals as the items of a Keap order: exact decimals, no amount twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import unescape

from pipeline.model import Record, Value

ITEM_TYPES: Mapping[str, str] = {
    "product": "PRODUCT",
    "subscription": "PRODUCT",  # a mirror: Keap must never bill it, so it is sold as a plain product
    "shipping": "SHIPPING",
    "tax": "TAX",
    "discount": "DISCOUNT",
    "fee": "FEE",
}
_BREAKS = re.compile(r"[\r\x0b\x0c]+")
_UNWANTED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
SHORTEST_CUT = 60
"""Characters; a column that cuts notes shorter than this has not been heard of."""
NEEDS_PRODUCT = ("product", "subscription")


@dataclass(frozen=True, slots=True)
class Item:
    """One order item; ``price`` is per unit in major units, for a discount the positive amount taken off."""

    item_type: str
    quantity: int
    price: Decimal
    sku: str = ""
    name: str = ""

    @property
    def amount(self) -> Decimal:
        """What the item adds to the order's total."""
        whole = self.quantity * self.price
        return -whole if self.item_type == "DISCOUNT" else whole


def clean(value: object) -> str:
    """The text without control characters and outer blanks: Keap refuses blanks and stores controls badly."""
    text = "" if value is None else str(value)
    return _UNWANTED.sub("", _BREAKS.sub(" ", text)).strip()


def as_kept(value: object) -> str:
    """A text as it compares: whether Keap escapes or trims what it stores is not documented, so neither counts."""
    return " ".join(unescape(clean(value)).split())


def is_note(kept: object, note: str) -> bool:
    """Whether a note Keap lists is ours, perhaps cut at an unknown length; what tells notes apart stands in front."""
    text, wanted = as_kept(kept), as_kept(note)
    return text == wanted or (len(text) >= SHORTEST_CUT and wanted.startswith(text))


def line_type(line: Mapping[str, Value]) -> str:
    """The kind of a row; a row that names none is a product."""
    return clean(line.get("line_type")).casefold() or "product"


def shown(item: Item) -> str:
    """An item in a few words: ``2 x WB-100 at 19.95``."""
    return f"{item.quantity} x {item.sku or item.item_type} at {format(item.price, 'f')}"


def skus(record: Record) -> tuple[str, ...]:
    """The distinct SKUs that need a product, in the order of the file."""
    wanted = (clean(line.get("sku")) for line in record.lines if line_type(line) in NEEDS_PRODUCT)
    return tuple(dict.fromkeys(sku for sku in wanted if sku))


def items_of(record: Record) -> tuple[Item, ...]:
    """Every item of the order.

    For shipping, tax and discount the first source that has an amount counts alone: rows of that line type,
    else the order's total (``shipping_total`` …), else the rows' own ``line_tax`` / ``line_discount``.
    """
    rows = [_row(record, line) for line in record.lines]
    return (*rows, *_shipping(record), *_tax(record), *_discount(record))


def total_of(record: Record) -> Decimal:
    """The order's total as Keap will compute it from the items."""
    return sum((item.amount for item in items_of(record)), Decimal(0))


def number(value: Value) -> Decimal:
    """A decimal cell, 0 when empty."""
    return value if isinstance(value, Decimal) else Decimal(0)


def _row(record: Record, line: Mapping[str, Value]) -> Item:
    kind = line_type(line)
    price = number(line.get("unit_price"))
    return Item(
        item_type=ITEM_TYPES[kind],
        quantity=int(number(line.get("quantity"))),
        price=abs(price) if kind == "discount" else price,
        sku=clean(line.get("sku")) if kind in NEEDS_PRODUCT else "",
        name=clean(line.get("product_name")) or ("" if kind in NEEDS_PRODUCT else _name(record, kind)),
    )


def _name(record: Record, kind: str) -> str:
    match kind:
        case "shipping":
            return clean(record.text("shipping_method")) or "Shipping"
        case "discount":
            coupon = clean(record.text("coupon_code"))
            return f"Discount {coupon}" if coupon else "Discount"
    return kind.capitalize()


def _has_rows(record: Record, kind: str) -> bool:
    return any(line_type(line) == kind for line in record.lines)


def _shipping(record: Record) -> Iterator[Item]:
    total = number(record.fields.get("shipping_total"))
    if total and not _has_rows(record, "shipping"):
        yield Item("SHIPPING", 1, total, name=_name(record, "shipping"))


def _tax(record: Record) -> Iterator[Item]:
    if _has_rows(record, "tax"):
        return
    if total := number(record.fields.get("tax_total")):
        yield Item("TAX", 1, total, name="Tax")
        return
    for what, amount in _line_amounts(record, "line_tax"):
        yield Item("TAX", 1, amount, name=f"Tax on {what}")


def _discount(record: Record) -> Iterator[Item]:
    if _has_rows(record, "discount"):
        return
    if total := number(record.fields.get("discount_total")):
        yield Item("DISCOUNT", 1, abs(total), name=_name(record, "discount"))
        return
    for what, amount in _line_amounts(record, "line_discount"):
        yield Item("DISCOUNT", 1, abs(amount), name=f"Discount on {what}")


def _line_amounts(record: Record, name: str) -> Iterator[tuple[str, Decimal]]:
    for line in record.lines:
        if amount := number(line.get(name)):
            yield clean(line.get("product_name")) or clean(line.get("sku")) or line_type(line), amount
