"""What ``when_empty: clear`` does to an order or stock row that is there: blanks, and zeros for amounts."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.model import Record
from pipeline.targets.orderdesk.payload import SHOWN, Json
from pipeline.targets.orderdesk.settings import NUMBERS, OrderOptions

_ADDRESS = ("address1", "address2", "city", "state", "postal_code", "country")
_PLACES: Mapping[str, tuple[str, ...]] = {
    "email": ("email",),
    "shipping_method": ("shipping_method",),
    "payment_method": ("payment_type",),
    "payment_reference": ("processor_response",),
    "customer_id": ("customer_id",),
    "ip_address": ("ip_address",),
    "shipping_total": ("shipping_total",),
    "tax_total": ("tax_total",),
    **{part: ("customer", part) for part in ("first_name", "last_name", "company", "phone")},
    **{f"shipping_{part}": ("shipping", part) for part in ("first_name", "last_name", "company", "phone")},
    **{f"billing_{part}": ("customer", part) for part in _ADDRESS},
    **{f"shipping_{part}": ("shipping", part) for part in _ADDRESS},
    **{name: ("checkout_data", name) for name in SHOWN},
}
"""Record field → where alone it stands in an order."""

_BY_THEMSELVES = ("discount_total", "amount_paid", "paid_at", "middle_name", "note")
"""Fields that a payload without them clears: it always tells what is made of them."""

STOCK_FIELDS = ("price", "cost", "weight", "stock", "location", "manufacturer_sku")


def clears_order(name: str, options: OrderOptions) -> bool:
    """Whether an update of an order can empty the field."""
    return name in _BY_THEMSELVES or bool(_place(name, options))


def clears_stock(name: str) -> bool:
    """Whether a stock row can do without the field."""
    return name in STOCK_FIELDS or name.startswith("extra.")


def add_cleared(payload: Json, record: Record, options: OrderOptions) -> Json:
    """The payload with a blank, or a zero, wherever the record clears a field that nothing else fills."""
    for name in record.cleared:
        if not (place := _place(name, options)):
            continue
        *parents, last = place
        holder = payload.setdefault(parents[0], {}) if parents else payload
        holder.setdefault(last, 0 if name.endswith("_total") or last in NUMBERS else "")
    return payload


def empty_copies(before: Json, after: Json) -> None:
    """Blank in both addresses what was sent before and no longer is: one address lends its parts to the other."""
    for side in ("customer", "shipping"):
        for part in before.get(side, {}):
            after.setdefault(side, {}).setdefault(part, "")


def cleared_stock(record: Record) -> Json:
    """What a stock row shall hold where the record clears a field; no part of a new row."""
    blanks: Json = {
        name: "" if name in {"location", "manufacturer_sku"} else 0 for name in record.cleared if name in STOCK_FIELDS
    }
    extra = [name.removeprefix("extra.") for name in record.cleared if name.startswith("extra.")]
    return blanks | ({"metadata": dict.fromkeys(extra, "")} if extra else {})


def _place(name: str, options: OrderOptions) -> tuple[str, ...]:
    """Where in an order a field stands alone, empty when nowhere."""
    if name in options.also_send:
        return tuple(options.also_send[name].split(".", 1))
    if name.startswith("extra."):
        return ("checkout_data", name.removeprefix("extra."))
    return _PLACES.get(name, ())
