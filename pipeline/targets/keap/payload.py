"""Record → JSON bodies of Keap's REST v2: pure, exact, without blanks (official spec of 2026-08-20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipeline.model import Record, Value
from pipeline.targets.keap.lines import Item, clean, items_of, line_type
from pipeline.targets.keap.options import PaymentOptions, PlaceOrderOptions
from pipeline.targets.keap.people import Json, address
from pipeline.targets.keap.settings import EXTRA

_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

DOCUMENTED_METHODS = ("Credit Card (Manual)", "Check", "Cash", "Money Order", "Adjustment")
_CARDS = ("credit card", "card", "visa", "mastercard", "american express", "amex", "discover")
_NOTED = (
    ("payment_reference", "reference"),
    ("payment_method", "by"),
    ("bank_name", "bank"),
    ("cheque_number", "cheque"),
    ("cheque_on", "cheque of"),
)
_USUAL_METHODS: Mapping[str, str] = (
    {name.casefold(): name for name in DOCUMENTED_METHODS}
    | dict.fromkeys(_CARDS, "Credit Card (Manual)")
    | {"cheque": "Check"}
)


def minor_digits(currency: str) -> int:
    """How many decimals a currency's smallest unit has (ISO 4217); 2 when the record names none."""
    code = currency.upper()
    if code in _NO_DECIMALS.split():
        return 0
    return 3 if code in _THREE_DECIMALS.split() else 2


def major(amount: Decimal) -> float:
    """A JSON number in major units; exact to 15 digits, so 19.95 is written 19.95."""
    return float(amount)


def minor(amount: Decimal, currency: str) -> int:
    """The amount in the smallest unit: 19.95 USD is 1995."""
    return int(amount.scaleb(minor_digits(currency)))


def utc(moment: datetime) -> str:
    """``2026-01-01T17:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def product_payload(record: Record, sku: str) -> Json:
    """``POST /products`` from the first row with this SKU; the price is in minor units."""
    line = next(line for line in record.lines if clean(line.get("sku")) == sku)
    name = clean(line.get("product_name")) or sku
    price = line.get("unit_price")
    amount = price if isinstance(price, Decimal) else Decimal(0)
    return {
        "name": name,
        "short_description": name,
        "sku": sku,
        "price": minor(amount, record.text("currency")),
        "active": True,
    }


def order_payload(
    record: Record,
    contact_id: str,
    products: Mapping[str, str],
    fields: Mapping[str, Any],
    options: PlaceOrderOptions,
) -> Json:
    """``POST /orders``: lines at our own prices (major units), ship-to and custom fields in one call."""
    payload: Json = {
        "contact_id": contact_id,
        "order_title": clean(record.text("order_id")),
        "order_type": options.order_type,
        "order_items": [item_payload(item, products, options.discount_sign) for item in items_of(record)],
    } | order_details(record)
    if custom := custom_values(record, fields):
        payload["custom_fields"] = custom
    return payload


def order_details(record: Record) -> Json:
    """What an order carries besides contact, lines and custom fields; only what the record has."""
    details: Json = {}
    if moment := record.time("ordered_at"):
        details["order_time"] = utc(moment)
    if ship_to := shipping_payload(record):
        details["shipping_address"] = ship_to
    if note := clean(record.text("note")):
        details["notes"] = note
    return details


def item_payload(item: Item, products: Mapping[str, str], discount_sign: str) -> Json:
    """One entry of ``order_items``; the price is always sent, or Keap would take the catalogue's."""
    taken_off = item.item_type == "DISCOUNT" and discount_sign == "negative" and item.price
    payload: Json = {
        "item_type": item.item_type,
        "quantity": item.quantity,
        "price_per_unit": major(-item.price if taken_off else item.price),
    }
    if item.sku:
        payload["product_id"] = products[item.sku]
    if item.name:
        payload["name"] = item.name
    return payload


def shipping_payload(record: Record) -> Json:
    """The order's ship-to in the order's own words (``region``, ``zip_code``); empty without an address."""
    place = address(record, "shipping")
    if not place:
        return {}
    renamed = {"region_code": "region", "postal_code": "zip_code"}
    ship_to: Json = {renamed.get(key, key): value for key, value in place.items()}
    for key, name in (
        ("first_name", "shipping_first_name"),
        ("last_name", "shipping_last_name"),
        ("company", "shipping_company"),
        ("phone", "shipping_phone"),
    ):
        if text := clean(record.text(name)):
            ship_to[key] = text
    return ship_to


def custom_values(record: Record, fields: Mapping[str, Any]) -> list[Json]:
    """``[{id, content}]`` for every configured custom field the record has a value for."""
    values = ((field["id"], custom_text(record, name)) for name, field in fields.items())
    return [{"id": field_id, "content": text} for field_id, text in values if text]


def custom_text(record: Record, name: str) -> str:
    """The text of a record field, of ``extra.<name>``, or of a line field (distinct values joined)."""
    if name.startswith(EXTRA):
        return clean(record.extra().get(name.removeprefix(EXTRA)))
    if (value := record.fields.get(name)) is not None:
        return _as_text(value)
    return "; ".join(dict.fromkeys(_line_texts(record.lines, name)))


def _line_texts(lines: Iterable[Mapping[str, Value]], name: str) -> Iterable[str]:
    if name == "line_type":
        return [line_type(line) for line in lines]
    return [text for text in (_as_text(line.get(name)) for line in lines) if text]


def _as_text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case datetime():
            return utc(value)
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
    return clean(value)


def payment_method(words: str, options: PaymentOptions) -> str:
    """The tenant's manual payment type for the file's words: the mapping, a usual name, else the default."""
    wanted = clean(words).casefold()
    mapped = {text.casefold(): name for text, name in options.payment_methods.items()}
    return mapped.get(wanted) or _USUAL_METHODS.get(wanted) or options.payment_method


NOTE_BEGINS = "orderdrop: order "


def payment_note(record: Record) -> str:
    """The note that marks a payment as ours: of what is sent, Keap's list of payments shows the note alone.

    It names the sum paid in all, so that a second payment of the same amount has a note of its own.
    """
    parts = [f"{NOTE_BEGINS}{clean(record.text('order_id'))}"]
    if (paid := record.money("amount_paid") or record.money("amount")) is not None:
        parts.append(f"{format(paid, 'f')} paid")
    for name, words in _NOTED:
        if text := custom_text(record, name):
            parts.append(f"{words} {text}")
    return ", ".join(parts)


def payment_payload(record: Record, amount: Decimal, options: PaymentOptions) -> Json:
    """``POST /orders/{id}/payments``: a record of money received elsewhere; no card is ever charged."""
    payload: Json = {
        "payment_amount": major(amount),
        "payment_method_type": payment_method(record.text("payment_method"), options),
        "apply_to_commissions": options.apply_to_commissions,
        "notes": payment_note(record),
        "external_source_value": clean(record.text("payment_reference")) or clean(record.text("order_id")),
    }
    if moment := record.time("paid_at") or record.time("ordered_at"):
        payload["payment_time"] = utc(moment)
    return payload
