"""Record → payload. Pure: no network, no clock; what the file does not say is not sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipeline.model import Record, Value
from pipeline.targets.orderdesk.amounts import (
    Amounts,
    Line,
    amounts,
    decimal_of,
    line_type,
    number,
    product_lines,
)
from pipeline.targets.orderdesk.more_fields import add_more, consumed, order_metadata, source_text
from pipeline.targets.orderdesk.people import addresses
from pipeline.targets.orderdesk.settings import OrderOptions

Json = dict[str, Any]

CHECKOUT_LIMIT = 3500
"""Characters of the visible map as JSON (a reading of the documents, 2025-26)."""

SHOWN = (
    "currency", "status", "coupon_code", "affiliate", "sales_manager", "tag", "confirmed", "birth_date",
    "carrier", "tracking_number", "shipped_at", "expected_delivery_on", "utm_source", "utm_medium",
    "utm_campaign", "utm_content", "utm_term",
)  # fmt: skip
"""What Order Desk has no field for stands in its visible checkout data, so that nothing is lost."""


def order_payload(record: Record, options: OrderOptions) -> Json:
    """An order as Order Desk takes it; the record has no ``problems``."""
    sums = amounts(record)
    texts = {
        "source_id": record.text("order_id"),
        "source_name": options.source_name,
        "email": record.text("email"),
        "shipping_method": record.text("shipping_method"),
        "payment_type": record.text("payment_method"),
        "processor_response": _processor_response(record),
        "customer_id": record.text("customer_id"),
        "ip_address": record.text("ip_address"),
        "date_added": stamp(record.time("ordered_at")),
    }
    payload = {
        **{name: text for name, text in texts.items() if text},
        "payment_status": options.payment_status or payment_status(record, sums),
        **_sums(sums),
        **addresses(record),
        "order_items": [_order_item(line, options) for line in product_lines(record)],
        "discount_list": _discounts(record, sums),
        "checkout_data": checkout_data(record, options),
        "order_metadata": order_metadata(record, options),
        "order_notes": _notes(record),
    }
    return add_more(payload, record, options)


def payment_status(record: Record, sums: Amounts) -> str:
    """``Captured`` for a paid order, else ``Pending``; never left out: Order Desk's default means paid.

    The amount paid decides where the file has one: it must reach the total (the file's own, else the sum).
    Without an amount, a time of payment is enough.
    """
    paid = record.money("amount_paid")
    if paid is None:
        return "Captured" if record.time("paid_at") else "Pending"
    total = record.money("order_total")
    return "Captured" if paid >= (sums.total if total is None else total) else "Pending"


def checkout_data(record: Record, options: OrderOptions) -> dict[str, str]:
    """What Order Desk has no field for, and the custom fields that are not sent otherwise, by name."""
    fields = record.fields
    shown = {name: _shown(fields[name]) for name in SHOWN if name in fields}
    elsewhere = consumed(options)
    extra = {name: text for name, text in record.extra().items() if name not in elsewhere}
    named = {
        target.removeprefix("checkout_data."): source_text(record, source)
        for source, target in options.also_send.items()
        if target.startswith("checkout_data.")
    }
    return {name: text for name, text in {**shown, **extra, **named}.items() if text}


def shipment_payload(record: Record) -> Json:
    """A shipment as Order Desk takes it."""
    texts = {
        "tracking_number": record.text("tracking_number"),
        "carrier_code": record.text("carrier"),
        "shipment_method": record.text("shipping_method"),
        "tracking_url": record.text("tracking_url"),
        # Sent by clients in use; what Order Desk does with it is not documented (read 2026-11).
        "shipment_date": stamp(record.time("shipped_at")),
    }
    numbers = {name: record.money(name) for name in ("weight", "cost")}
    return {name: text for name, text in texts.items() if text} | _numbers(numbers)


def stock_payload(record: Record, update_source: str) -> Json:
    """The fields of a stock row the file speaks of; zero is a value."""
    texts = {
        "name": record.text("name"),
        "code": record.text("sku"),
        "location": record.text("location"),
        "manufacturer_sku": record.text("manufacturer_sku"),
    }
    numbers = {name: record.money(name) for name in ("price", "cost", "weight", "stock")}
    fresh: Json = {name: text for name, text in texts.items() if text} | _numbers(numbers)
    if record.extra():
        fresh["metadata"] = dict(record.extra())
    return fresh | {"update_source": update_source}


def ordered_stock(record: Record, update_source: str) -> dict[str, Json]:
    """By SKU, the stock row an order tells of: name and price only, an order knows no stock."""
    found: dict[str, Json] = {}
    for line in product_lines(record):
        sku = _text(line, "sku")
        if sku and sku not in found:
            prices = _numbers({"price": decimal_of(line, "unit_price")})
            name = _text(line, "product_name") or sku
            found[sku] = {"name": name, "code": sku, **prices, "update_source": update_source}
    return found


def stamp(moment: datetime | None) -> str:
    """``YYYY-MM-DD HH:MM:SS`` in UTC, as Order Desk's times are; empty for none."""
    return moment.astimezone(UTC).isoformat(" ", "seconds")[:19] if moment is not None else ""


def _order_item(line: Line, options: OrderOptions) -> Json:
    texts = {"name": _text(line, "product_name") or _text(line, "sku"), "code": _text(line, "sku")}
    found: Json = {name: text for name, text in texts.items() if text}
    found |= _numbers({"price": decimal_of(line, "unit_price"), "quantity": decimal_of(line, "quantity")})
    fixed = {"delivery_type": options.delivery_type, "category_code": options.category_code}
    found |= {name: text for name, text in fixed.items() if text}
    subscription = {
        name: text for name in ("subscription_status", "subscription_expires_on") if (text := _shown(line.get(name)))
    }
    if line_type(line) == "subscription" or subscription:
        found["metadata"] = {"line_type": line_type(line) or "product", **subscription}
    return found


def _sums(sums: Amounts) -> Json:
    return _numbers({"shipping_total": sums.shipping, "handling_total": sums.handling, "tax_total": sums.tax})


def _discounts(record: Record, sums: Amounts) -> list[Json]:
    code = record.text("coupon_code")
    named = {"code": code} if code else {}
    return [{"name": one.name, **named, "amount": number(one.amount)} for one in sums.discounts]


def _notes(record: Record) -> list[Json]:
    note = record.text("note")
    if not note:
        return []
    return [{"date_added": stamp(record.time("ordered_at")), "username": "orderdrop", "content": note}]


def _processor_response(record: Record) -> str:
    """``<gateway>: <transaction id>``, the form the documents give."""
    reference = record.text("payment_reference")
    return f"{record.text('payment_method') or 'Payment'}: {reference}" if reference else ""


def _numbers(values: Mapping[str, Decimal | None]) -> Json:
    return {name: number(value) for name, value in values.items() if value is not None}


def _text(line: Line, name: str) -> str:
    value = line.get(name)
    return "" if value is None else str(value)


def _shown(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat()
    return str(value)
