"""What Order Desk would refuse, said before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from pipeline.model import Record
from pipeline.targets.contract import Refused
from pipeline.targets.orderdesk.amounts import (
    PRODUCT_TYPES,
    Line,
    amounts,
    decimal_of,
    is_exact,
    line_type,
    product_lines,
)
from pipeline.targets.orderdesk.more_fields import is_longer, json_length, more_problems
from pipeline.targets.orderdesk.payload import CHECKOUT_LIMIT, checkout_data
from pipeline.targets.orderdesk.people import has_name
from pipeline.targets.orderdesk.settings import NOTE_LIMIT, OrderOptions

_ORDER_SUMS = ("shipping_total", "tax_total", "discount_total", "order_total", "amount_paid")
_LINE_SUMS = ("quantity", "unit_price", "line_discount", "line_tax")
KNOWN_LINE_TYPES = (*PRODUCT_TYPES, "shipping", "tax", "discount", "fee")


def order_problems(record: Record, options: OrderOptions) -> Sequence[Refused]:
    """Everything that keeps an order from Order Desk."""
    return [
        *_missing(record),
        *_inexact(record, _ORDER_SUMS),
        *(problem for line in record.lines for problem in _line_problems(line)),
        *_too_long(record, options),
        *more_problems(record, options),
        *(_sum_problems(record) if options.require_total_match else ()),
    ]


def stock_problems(record: Record) -> Sequence[Refused]:
    """Everything that keeps a stock item from Order Desk."""
    found = [
        *_inexact(record, ("price", "cost", "weight", "stock")),
        *_code_problems(record.text("sku")),
    ]
    for name, title in (("sku", "SKU"), ("name", "name")):
        if not record.text(name).strip():
            found.append(_refused(f"{name}_missing", f"The stock item has no {title}.", f"Fill in the {title}.", name))
    return found


def ordered_stock_problems(record: Record) -> Sequence[Refused]:
    """Everything that keeps the products of an order from becoming stock items."""
    skus = [str(line.get("sku") or "") for line in product_lines(record)]
    if not any(skus):
        return [
            _refused(
                "sku_missing",
                "No line of this order names a SKU.",
                "Fill in the SKU of each product line.",
                "sku",
            )
        ]
    return [problem for sku in dict.fromkeys(skus) for problem in _code_problems(sku)]


def shipment_problems(record: Record) -> Sequence[Refused]:
    """Everything that keeps a shipment from Order Desk."""
    found = list(_inexact(record, ("weight", "cost")))
    for name, title in (("order_id", "order number"), ("tracking_number", "tracking number")):
        if not record.text(name).strip():
            advice = f"Fill in the {title}" + (" (n/a if there is none)." if name == "tracking_number" else ".")
            found.append(_refused(f"{name}_missing", f"The shipment has no {title}.", advice, name))
    return found


def _missing(record: Record) -> Iterator[Refused]:
    if not record.text("order_id").strip():
        yield _refused("order_id_missing", "The order has no number.", "Fill in the order number.", "order_id")
    if not product_lines(record):
        yield _refused(
            "no_products",
            "The order has no product line, and Order Desk takes no order without one.",
            "Add the products, or take the order out of the file.",
            "sku",
        )
    if not has_name(record):
        yield _refused(
            "name_missing",
            "The order names nobody: Order Desk wants a first name, a last name or a company.",
            "Fill in the name of the buyer or of the receiver.",
            "last_name",
        )


def _line_problems(line: Line) -> Iterator[Refused]:
    for name in _LINE_SUMS:
        yield from _inexact_amount(decimal_of(line, name), name)
    kind = line_type(line)
    if kind not in KNOWN_LINE_TYPES:
        yield _refused(
            "line_type_unknown",
            f"Order Desk has no place for a line of the type '{kind}'.",
            f"Use one of: {', '.join(name for name in KNOWN_LINE_TYPES if name)}.",
            "line_type",
        )
    elif kind in PRODUCT_TYPES:
        yield from _product_problems(line)


def _product_problems(line: Line) -> Iterator[Refused]:
    quantity = decimal_of(line, "quantity")
    if quantity is not None and (quantity != quantity.to_integral_value() or quantity < 1):
        yield _refused(
            "quantity_not_whole",
            f"Order Desk takes whole quantities from 1 on, found {quantity:f}.",
            "Write a whole number; a return or a part of a unit cannot be ordered there.",
            "quantity",
        )
    if not line.get("sku") and not line.get("product_name"):
        yield _refused(
            "product_missing",
            "A line names neither SKU nor product.",
            "Fill in the SKU or the product name.",
            "sku",
        )


def _too_long(record: Record, options: OrderOptions) -> Iterator[Refused]:
    shown = checkout_data(record, options)
    if is_longer(shown, CHECKOUT_LIMIT):
        size = json_length(shown)
        yield _refused(
            "extra_too_long",
            f"The additional fields of this order take {size} characters; Order Desk keeps {CHECKOUT_LIMIT}.",
            "Map fewer columns into additional fields, or shorten them.",
            "extra",
        )
    if len(record.text("note")) > NOTE_LIMIT:
        yield _refused(
            "note_too_long",
            f"The note has {len(record.text('note'))} characters; Order Desk keeps {NOTE_LIMIT}.",
            "Shorten the note.",
            "note",
        )


def _sum_problems(record: Record) -> Iterator[Refused]:
    total, summed = record.money("order_total"), amounts(record).total
    if total is not None and total != summed:
        yield _refused(
            "total_differs",
            f"The order's total is {total:f}, but its lines, shipping, tax and discounts make {summed:f}.",
            "Correct the amounts: Order Desk computes the total itself.",
            "order_total",
        )


def _code_problems(sku: str) -> Iterator[Refused]:
    if "," in sku:
        yield _refused(
            "sku_comma",
            f"The SKU '{sku}' holds a comma, which Order Desk's own search takes for the end of a SKU.",
            "Use a SKU without a comma: otherwise nobody can see whether it is there already.",
            "sku",
        )


def _inexact(record: Record, names: Sequence[str]) -> Iterator[Refused]:
    for name in names:
        yield from _inexact_amount(record.money(name), name)


def _inexact_amount(value: Decimal | None, name: str) -> Iterator[Refused]:
    if value is not None and not is_exact(value):
        yield _refused(
            "amount_too_precise",
            f"The amount {value} has more digits than Order Desk's numbers carry (15).",
            "Round the amount.",
            name,
        )


def _refused(code: str, message: str, advice: str, name: str) -> Refused:
    return Refused(code, message, advice, name)
