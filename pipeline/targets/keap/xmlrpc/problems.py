"""What XML-RPC cannot carry, named before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.model import Record
from pipeline.targets.contract import Refused
from pipeline.targets.keap.lines import clean, items_of, shown, skus
from pipeline.targets.keap.options import XmlOrderOptions
from pipeline.targets.keap.problems import contact_problems, order_problems
from pipeline.targets.keap.xmlrpc.lookups import may_query

USE_ITEMIZED = "Set style: itemized in the mapping, or take the row out."


def place_problems(record: Record, options: XmlOrderOptions) -> list[Refused]:
    """Everything that stands against an order over XML-RPC."""
    found = [*person_problems(record), *order_problems(record, options)]
    found += [_unsearchable("SKU", sku, "sku") for sku in skus(record) if not may_query(sku)]
    if not found and options.style == "place_order":
        found += _catalogue_problems(record, options)
    return found


def person_problems(record: Record) -> list[Refused]:
    """What makes the record's person impossible as a contact."""
    found, email = list(contact_problems(record)), clean(record.text("email"))
    if not found and not may_query(email):
        found.append(_unsearchable("e-mail address", email, "email"))
    return found


def _unsearchable(what: str, text: str, field: str) -> Refused:
    return Refused(
        f"keap_{field}",
        f"The {what} '{text}' cannot be looked up over XML-RPC, where % and a leading ~ mean something else.",
        f"Correct the {what}.",
        field,
    )


def _catalogue_problems(record: Record, options: XmlOrderOptions) -> Iterator[Refused]:
    """``placeOrder`` knows product ids and nothing else: no price, no quantity, no shipping, tax or discount."""
    for item in items_of(record):
        if item.item_type != "PRODUCT":
            yield Refused(
                "keap_catalogue_only",
                f"placeOrder takes products only; this order has {shown(item)}.",
                USE_ITEMIZED,
                "line_type",
            )
        elif item.quantity != 1 and not options.repeat_for_quantity:
            yield Refused(
                "keap_catalogue_only",
                f"placeOrder has no quantity; this order has {shown(item)}.",
                f"{USE_ITEMIZED} Or set repeat_for_quantity: true when you have seen that it works.",
                "quantity",
            )
