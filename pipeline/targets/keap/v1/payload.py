"""Record → JSON bodies of Keap's REST v1: ids are integers, a price is a text (official spec, build 1.70)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from pipeline.model import Record
from pipeline.targets.keap.lines import Item, clean, items_of
from pipeline.targets.keap.options import ContactOptions, PaymentOptions, V1OrderOptions
from pipeline.targets.keap.payload import major, payment_method, payment_note
from pipeline.targets.keap.people import Json, contact_payload

ITEM_TYPES: Mapping[str, str] = {"PRODUCT": "PRODUCT", "SHIPPING": "SHIPPING", "TAX": "TAX", "FEE": "SERVICE"}
"""Our items → v1's; there is none for a discount, whose price would be below 0."""
METHODS: Mapping[str, str] = {
    "Credit Card (Manual)": "CREDIT_CARD",
    "Check": "CHECK",
    "Cash": "CASH",
    "CREDIT_CARD": "CREDIT_CARD",
    "CHECK": "CHECK",
    "CASH": "CASH",
}


def whole(text: str) -> int | str:
    """An id as v1 wants it; a dry run's stand-in stays a text."""
    return int(text) if text.isdecimal() else text


def utc(moment: datetime) -> str:
    """``2026-01-01T17:00:00.000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def person_payload(record: Record, options: ContactOptions) -> Json:
    """``PUT /contacts``: only what is sent changes. A company cannot be set by its name."""
    payload = contact_payload(record, {})
    payload.pop("company", None)
    if day := payload.pop("birth_date", None):
        payload["birthday"] = f"{day}T00:00:00.000Z"
    if addresses := payload.get("addresses"):
        payload["addresses"] = [_address(entry) for entry in addresses]
    return {"duplicate_option": options.duplicate_option} | payload


def _address(entry: Json) -> Json:
    """v1 knows ``region`` only, and ``zip_code`` for the United States."""
    place = {("region" if key == "region_code" else key): value for key, value in entry.items()}
    if place.get("country_code") == "USA" and "postal_code" in place:
        place["zip_code"] = place.pop("postal_code")
    return place


def product_payload(record: Record, sku: str) -> Json:
    """``POST /products`` from the first row with this SKU; the price is decimal here."""
    line = next(line for line in record.lines if clean(line.get("sku")) == sku)
    name, price = clean(line.get("product_name")) or sku, line.get("unit_price")
    return {
        "product_name": name,
        "product_short_desc": name,
        "sku": sku,
        "product_price": major(price) if isinstance(price, Decimal) else 0.0,
        "active": True,
    }


def order_payload(
    record: Record, contact_id: str, products: Mapping[str, str], ship_to: Json, options: V1OrderOptions
) -> Json:
    """``POST /orders``: lines at our own prices, each with a product."""
    moment = record.time("ordered_at")
    payload: Json = {
        "contact_id": whole(contact_id),
        "order_title": clean(record.text("order_id")),
        "order_date": utc(moment) if moment else "",
        "order_type": options.order_type.capitalize(),
        "order_items": [item_payload(item, products, options) for item in items_of(record)],
    }
    if ship_to:
        payload["shipping_address"] = ship_to
    return payload


def item_payload(item: Item, products: Mapping[str, str], options: V1OrderOptions) -> Json:
    """One entry of ``order_items``."""
    payload: Json = {
        "product_id": whole(products[stands_for(item, options)]),
        "quantity": item.quantity,
        "price": format(item.price, "f"),
        "item_type": ITEM_TYPES[item.item_type],
    }
    if item.name:
        payload["description"] = item.name
    return payload


def stands_for(item: Item, options: V1OrderOptions) -> str:
    """The SKU of the product a line is sent with; empty when none is named."""
    return item.sku or options.line_products.get(item.item_type.lower(), "")


def method_of(record: Record, options: PaymentOptions) -> str:
    """One of v1's payment types, empty when none fits."""
    return METHODS.get(payment_method(record.text("payment_method"), options), "")


def payment_payload(record: Record, amount: Decimal, options: PaymentOptions) -> Json:
    """``POST /orders/{id}/payments``; ``charge_now`` is always said: no card is ever charged."""
    payload: Json = {
        "payment_amount": format(amount, "f"),
        "payment_method_type": method_of(record, options),
        "charge_now": False,
        "apply_to_commissions": options.apply_to_commissions,
        "notes": payment_note(record),
    }
    if moment := record.time("paid_at") or record.time("ordered_at"):
        payload["date"] = utc(moment)
    return payload
