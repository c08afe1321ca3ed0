"""The record kinds and their fields: the closed list that mappings map to and targets read from.

Types: ``text``, ``decimal`` (exact, also used for money and quantities), ``time`` (with a zone), ``date``, ``boolean``,
``country`` (ISO 3166 alpha-2), ``email``, ``phone``, ``map`` (texts by name). ``level`` is ``record`` or, for an order,
``line``: line fields may differ between the rows of one order, record fields may not.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class FieldSpec(Struct, frozen=True):
    """One field of a record kind."""

    name: str
    type: str = "text"
    required: bool = False
    level: str = "record"


LINE_TYPES = ("product", "subscription", "shipping", "tax", "discount", "fee")

_TIMES = ("ordered_at", "paid_at", "shipped_at")
_DATES = ("birth_date", "subscription_expires_on", "expected_delivery_on", "cheque_on")
_DECIMALS = (
    "quantity", "unit_price", "line_discount", "line_tax", "shipping_total", "tax_total", "discount_total",
    "order_total", "amount_paid", "amount", "price", "cost", "weight", "stock",
)  # fmt: skip
_LINE_LEVEL = (
    "sku", "product_name", "quantity", "unit_price", "line_discount", "line_tax", "line_type",
    "subscription_status", "subscription_expires_on",
)  # fmt: skip

_PERSON = "email first_name middle_name last_name full_name company phone"
_ADDRESSES = (
    "billing_address1 billing_address2 billing_city billing_state billing_postal_code billing_country "
    "shipping_first_name shipping_last_name shipping_company shipping_phone shipping_address1 shipping_address2 "
    "shipping_city shipping_state shipping_postal_code shipping_country"
)

_ORDER = (
    f"order_id* ordered_at* status customer_id {_PERSON} ip_address birth_date {_ADDRESSES} shipping_method "
    "sku product_name quantity* unit_price* line_discount line_tax line_type subscription_status "
    "subscription_expires_on shipping_total tax_total discount_total order_total amount_paid currency paid_at "
    "payment_method payment_reference coupon_code affiliate sales_manager confirmed tag note carrier tracking_number "
    "shipped_at expected_delivery_on utm_source utm_medium utm_campaign utm_content utm_term extra"
)
_INVENTORY = "sku* name* price cost weight stock location manufacturer_sku extra"
_SHIPMENT = "order_id* tracking_number* carrier shipping_method shipped_at weight cost tracking_url"
_PAYMENT = "order_id* amount* paid_at payment_method payment_reference bank_name cheque_number cheque_on note"
_CUSTOMER = f"email* customer_id {_PERSON.removeprefix('email ')} {_ADDRESSES} extra"


def _type_of(name: str) -> str:
    if name in _TIMES:
        return "time"
    if name in _DATES:
        return "date"
    if name in _DECIMALS:
        return "decimal"
    if name == "extra":
        return "map"
    if name == "confirmed":
        return "boolean"
    if name.endswith("_country"):
        return "country"
    if name == "email":
        return "email"
    return "phone" if name.endswith("phone") else "text"


def _fields(words: str, *, lines: bool = False) -> Mapping[str, FieldSpec]:
    specs = {}
    for word in words.split():
        name = word.rstrip("*")
        level = "line" if lines and name in _LINE_LEVEL else "record"
        specs[name] = FieldSpec(name, _type_of(name), required=word.endswith("*"), level=level)
    return specs


RECORD_KINDS: Mapping[str, Mapping[str, FieldSpec]] = {
    "order": _fields(_ORDER, lines=True),
    "inventory_item": _fields(_INVENTORY),
    "shipment": _fields(_SHIPMENT),
    "payment": _fields(_PAYMENT),
    "customer": _fields(_CUSTOMER),
}
"""Field specifications by record kind and field name."""

DEFAULT_KEYS: Mapping[str, tuple[str, ...]] = {
    "order": ("order_id",),
    "inventory_item": ("sku",),
    "shipment": ("order_id", "tracking_number"),
    "payment": ("order_id", "payment_reference"),
    "customer": ("email",),
}
"""The record key where a mapping names none."""
