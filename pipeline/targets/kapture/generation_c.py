"""Generation c, the micro-services: an order becomes one object with parts for customer, contact, order and products.

Its pages (GitBook ``add-order-api``) show the parts for customer and contact; how an order is written inside its
part could not be seen. So the name of that part is a setting, and so are names in it that differ from generation b.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.model import Record
from pipeline.targets.kapture.settings import ORDER_FIELDS, AccountTable

Body = dict[str, Any]

_PLACE: Mapping[str, str] = {"address": "address1", "city": "city", "state": "state", "country": "country"}


def nested(flat: Body, record: Record, account: AccountTable) -> Body:
    """An order's flat fields of generation b, in the parts of generation c.

    ``update: false`` leaves a customer who is there as he is. Fields the tenant was set up with stand in the
    order's part too.
    """
    order = {
        account.order_fields.get(name, name): value
        for name, value in flat.items()
        if name in ORDER_FIELDS or name not in _CUSTOMER_FIELDS
    }
    body: Body = {
        "customer_info": {**_customer(flat, record), "update": False},
        "contact_info": [{**_contact(flat, record), "matchEmailPhone": True}],
        account.order_block: {name: value for name, value in order.items() if name},
    }
    return {**body, "product_details": flat["product_details"]} if "product_details" in flat else body


def by_order_id(cm_id: int, order_id: str) -> Body:
    """The filters of a pull that shows the order with our id; numbers are numbers here."""
    return {"cmId": cm_id, "erpOrderId": order_id}


_CUSTOMER_FIELDS = frozenset(
    ("customer_id", "customer_name", "phone", "email_id", "address", "date_of_birth", "product_details")
)


def _customer(flat: Body, record: Record) -> Body:
    known = {name: flat[name] for name in ("customer_id", "customer_name", "phone", "email_id") if name in flat}
    side = "billing" if record.text("billing_address1") or record.text("billing_city") else "shipping"
    place = {name: record.text(f"{side}_{part}") for name, part in _PLACE.items()}
    place["pincode"] = record.text(f"{side}_postal_code")
    return known | {name: text for name, text in place.items() if text}


def _contact(flat: Body, record: Record) -> Body:
    first, last = record.text("first_name"), record.text("last_name")
    if not (first or last):
        first, _, last = str(flat.get("customer_name", "")).partition(" ")
    found = {
        "first_name": first,
        "last_name": last,
        "contact_person_phone": str(flat.get("phone", "")),
        "contact_person_email": str(flat.get("email_id", "")),
    }
    return {name: text for name, text in found.items() if text}
