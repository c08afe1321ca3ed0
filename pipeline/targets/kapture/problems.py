"""What would make Kapture refuse a record, or keep something else than the file says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.model import Record
from pipeline.targets.contract import Refused
from pipeline.targets.kapture.payload import (
    PRODUCT_TYPES,
    amount_of,
    customer_name,
    kapture_id,
    kind_of,
    order_lines,
    quantity_of,
    text_of,
)
from pipeline.targets.kapture.settings import OrderOptions


def order_problems(record: Record, options: OrderOptions) -> Sequence[Refused]:
    """All that would make Kapture refuse the order, or keep something else than the file says."""
    return [
        *_contact_problems(record, options),
        *_line_problems(record, options),
    ]


def named_problems(record: Record) -> Sequence[Refused]:
    """Generation c takes no order without the customer's name."""
    if customer_name(record):
        return ()
    return (Refused("no_name", "Kapture wants the customer's name.", "Fill in the name or the company.", "full_name"),)


def update_problems(record: Record, options: OrderOptions) -> Sequence[Refused]:
    """As for a new order, and an update must say which order of Kapture's it means."""
    found = list(order_problems(record, options))
    if not kapture_id(record, options):
        message = "The row does not say which order at Kapture is to be changed."
        advice = f"Fill in {options.kapture_id} with Kapture's own order id."
        found.append(Refused("no_kapture_id", message, advice, options.kapture_id.partition(".")[0]))
    return found


def payment_problems(record: Record) -> Sequence[Refused]:
    """What Kapture says it wants of a payment: an id, and an amount above zero."""
    amount = record.money("amount")
    found = []
    if amount is None or amount <= 0:
        message = "Kapture takes payments above zero only."
        found.append(Refused("amount_not_positive", message, "Correct the amount.", "amount"))
    if not record.text("payment_reference"):
        message = "Kapture wants a payment id, or its own ids of customer and order."
        found.append(Refused("no_payment_id", message, "Fill in the payment reference.", "payment_reference"))
    if not record.text("order_id"):
        found.append(Refused("no_order_id", "The payment names no order.", "Fill in the order id.", "order_id"))
    return found


def _contact_problems(record: Record, options: OrderOptions) -> Iterator[Refused]:
    known = options.customer_id == "kapture" and record.text("customer_id")
    if not (known or record.text("email") or record.text("phone") or record.text("shipping_phone")):
        yield Refused(
            "no_contact",
            "Kapture takes an order with its own customer id, or with a way to reach the customer.",
            "Fill in the e-mail address or the phone number.",
            "email",
        )


def _line_problems(record: Record, options: OrderOptions) -> Iterator[Refused]:
    for line in order_lines(record, options):
        if not (text_of(line, "sku") or text_of(line, "product_name") or kind_of(line)):
            yield Refused(
                "no_product",
                "A line names neither a SKU nor a product.",
                "Fill in the SKU or the product name.",
                "sku",
            )
    if record.money("order_total") is None and options.other_lines == "total" and _has_other_amounts(record):
        yield Refused(
            "no_total",
            "The order carries shipping, tax, discount or fees; at Kapture only the grand total can hold "
            "them, and the file gives no order total.",
            "Fill in the order total, or set `other_lines: product` in the mapping to send them as products.",
            "order_total",
        )


def _has_other_amounts(record: Record) -> bool:
    return any(
        kind_of(line) not in PRODUCT_TYPES and bool(amount_of(line, "unit_price") * quantity_of(line))
        for line in record.lines
    )
