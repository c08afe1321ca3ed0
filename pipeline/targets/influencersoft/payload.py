"""An order record becomes the form of ``createorder``: pure, no network, no clock.

Parameter names and formats are those of the vendor's ``createorder`` page, help article 360058446591.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from pipeline.model import Record, Value
from pipeline.targets.influencersoft.lines import (
    amount_of,
    money,
    other_amounts,
    product_keys,
    product_lines,
    quantity_of,
    times_of,
)
from pipeline.targets.influencersoft.settings import CreateOrderOptions

Form = tuple[tuple[str, str], ...]

MARK = "order:"
"""Stands before our order id in the note, where orders are marked there."""

_STATUSES: Mapping[str, str] = {
    "expected": "Expected", "paid": "Paid", "cancel": "Cancel", "moneyback": "MoneyBack",
    # What these words mean must never be read as an open order: the customer would get an invoice for it.
    "cancelled": "Cancel", "canceled": "Cancel", "refunded": "MoneyBack",
}  # fmt: skip
_PAYMENT_METHODS: Mapping[str, str] = {"paypal": "PayPal", "stripe": "Stripe"}

_PLAIN_FIELDS: tuple[tuple[str, str], ...] = (
    ("customer_phone", "phone"),
    ("order_ip", "ip_address"),
    # The first shipping line has no number: there is no customer_shipping_address_1.
    ("customer_shipping", "shipping_address1"),
    ("customer_shipping_phone", "shipping_phone"),
    ("customer_shipping_address_2", "shipping_address2"),
    ("customer_shipping_city", "shipping_city"),
    ("customer_shipping_state", "shipping_state"),
    ("customer_shipping_zip", "shipping_postal_code"),
    ("customer_shipping_country_code", "shipping_country"),
    ("customer_billing_address_1", "billing_address1"),
    ("customer_billing_address_2", "billing_address2"),
    ("customer_billing_city", "billing_city"),
    ("customer_billing_state", "billing_state"),
    ("customer_billing_zip", "billing_postal_code"),
    ("customer_billing_country_code", "billing_country"),
    ("order_sales_manager", "sales_manager"),
    ("affiliates", "affiliate"),
    ("utm_medium", "utm_medium"),
    ("utm_source", "utm_source"),
    ("utm_campaign", "utm_campaign"),
    ("utm_content", "utm_content"),
    ("utm_term", "utm_term"),
)


def order_form(record: Record, options: CreateOrderOptions, zone: ZoneInfo | None, coupon: str = "") -> Form:
    """The parameters of one order without ``rpsKey``, empty ones left out; ``coupon`` is the coupon's id."""
    first, middle, last = customer_name(record)
    pairs = [
        ("customer_email", record.text("email")),
        ("customer_first_name", first),
        ("customer_last_name", last),
        ("customer_middle_name", middle),
        *((parameter, record.text(name)) for parameter, name in _PLAIN_FIELDS),
        ("order_tag", order_tag(record, options)),
        ("note", _note(record, options)),
        ("order_created_at", _time(record.time("ordered_at"), zone)),
        ("order_paid_at", _time(record.time("paid_at"), zone)),
        ("order_status", order_status(record, options)),
        ("order_confirmed", _yes_or_no(record.fields.get("confirmed"))),
        *_products(record, options),
        ("payment_method", _PAYMENT_METHODS.get(record.text("payment_method").casefold(), "")),
        ("coupon", coupon),
    ]
    return tuple((name, value) for name, value in pairs if value)


def order_tag(record: Record, options: CreateOrderOptions) -> str:
    """The one tag of the order: our order id, unless the mapping marks orders in the note."""
    return record.text("order_id" if options.mark_in == "order_tag" else "tag")


def order_mark(record: Record) -> str:
    """What the note carries when the order is marked there; a person, or a look-up, finds it again by it."""
    return f"{MARK} {record.text('order_id')}"


def order_status(record: Record, options: CreateOrderOptions) -> str:
    """One of the vendor's four states: as mapped, as said, else Paid or Expected by what was paid."""
    said = record.text("status").strip().casefold()
    named = options.statuses.get(said) or _STATUSES.get(said)
    if named:
        return named
    return "Paid" if record.time("paid_at") or _paid_in_full(record) else "Expected"


def coupon_id(record: Record, options: CreateOrderOptions) -> str:
    """The coupon's id where the mapping or the record itself names one, else empty."""
    code = record.text("coupon_code")
    return options.coupons.get(code, code if code.isascii() and code.isdigit() else "")


def customer_name(record: Record) -> tuple[str, str, str]:
    """First, middle and last name; a full name alone is split at its first space."""
    first, middle, last = (record.text(f"{part}_name") for part in ("first", "middle", "last"))
    if first or last:
        return first, middle, last
    start, _, rest = record.text("full_name").strip().partition(" ")
    return start, middle, rest.strip()


def _products(record: Record, options: CreateOrderOptions) -> Iterator[tuple[str, str]]:
    lines = product_lines(record)
    yield "product_names", ",".join(product_keys(record, options))
    prices = [price for line in lines for price in [amount_of(line, "unit_price")] * times_of(line)]
    if all(price is not None for price in prices):
        yield "product_prices", ",".join(money(price) for price in prices if price is not None)


def _note(record: Record, options: CreateOrderOptions) -> str:
    """The file's own note, then what has no parameter of its own."""
    method = record.text("payment_method")
    parts = [record.text("note")]
    if options.mark_in == "note":
        parts.append(order_mark(record))
    elif record.text("tag"):
        parts.append(f"tag: {record.text('tag')}")
    if _recipient(record):
        parts.append(f"ship to: {_recipient(record)}")
    if method and method.casefold() not in _PAYMENT_METHODS:
        parts.append(f"payment method: {method}")
    if options.other_lines == "note":
        parts += [f"{label}: {money(amount)}" for _, label, amount in other_amounts(record)]
    return " | ".join(part for part in parts if part)


def _recipient(record: Record) -> str:
    """Who gets the parcel, when that is somebody else than the customer."""
    names = [record.text("shipping_first_name"), record.text("shipping_last_name")]
    first, _, last = customer_name(record)
    person = " ".join(name for name in names if name)
    if person == " ".join(name for name in (first, last) if name):
        person = ""
    return ", ".join(part for part in (person, record.text("shipping_company")) if part)


def _paid_in_full(record: Record) -> bool:
    paid = record.money("amount_paid")
    total = record.money("order_total")
    if total is None:
        total = sum((quantity_of(line) * (amount_of(line, "unit_price") or 0) for line in record.lines), Decimal(0))
    return paid is not None and paid >= total


def _time(value: datetime | None, zone: ZoneInfo | None) -> str:
    """Year first: the vendor reads day-first in one field and month-first in the other."""
    if value is None:
        return ""
    return (value.astimezone(zone) if zone else value).strftime("%Y-%m-%d %H:%M:%S")


def _yes_or_no(value: Value) -> str:
    return {True: "Yes", False: "No"}[value] if isinstance(value, bool) else ""
