"""What ``when_empty: clear`` does at Keap: the blanks an update sends for what a file left empty on purpose.

The vendor documents no way to empty a property; a blank that ``update_mask`` names is the plain reading (2026-11).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipeline.model import Record
from pipeline.targets.keap.people import Json, address, names

NO_NAMES: frozenset[str] = frozenset()
SHIP_TO: Mapping[str, str] = {
    "shipping_address1": "line1", "shipping_address2": "line2", "shipping_city": "locality",
    "shipping_state": "region", "shipping_postal_code": "zip_code", "shipping_first_name": "first_name",
    "shipping_last_name": "last_name", "shipping_company": "company", "shipping_phone": "phone",
}  # fmt: skip
"""Record field → its place in the ship-to of an order."""
_PARTS = ("address1", "address2", "city", "state", "postal_code", "country")
_NAMES = ("given_name", "middle_name", "family_name")
PERSON = frozenset(
    ("first_name", "middle_name", "last_name", "full_name", "company", "phone",
     *(f"{side}_{part}" for side in ("billing", "shipping") for part in _PARTS))
)  # fmt: skip
"""Record fields a contact can do without."""
CLEARED_BY_ORDER = PERSON | frozenset(SHIP_TO) | {"note"}
"""Record fields that the update of an order can empty, besides its custom fields."""


def cleared_since(now: Record, before: Record) -> frozenset[str]:
    """What this record clears and the ones before did not: what people filled in since is not emptied again."""
    return frozenset(now.cleared) - frozenset(before.cleared)


def order_blanks(cleared: Collection[str]) -> Json:
    """The blanks of an order: its note, and parts of its ship-to (to be put over the parts it keeps)."""
    ship_to = {SHIP_TO[name]: "" for name in SHIP_TO if name in cleared}
    blanks: Json = {"notes": ""} if "note" in cleared else {}
    return blanks | ({"shipping_address": ship_to} if ship_to else {})


def contact_blanks(record: Record, cleared: Collection[str], lists: Mapping[str, Any]) -> Json:
    """The properties of a contact that change by what is cleared; ``lists`` are its own as they stand."""
    known = dict(zip(_NAMES, names(record), strict=True))
    named = {"full_name", "first_name", "middle_name", "last_name"} & {*cleared}
    blanks: Json = {name: "" for name, text in known.items() if named and not text}
    if "company" in cleared:
        blanks["company"] = {"company_name": ""}
    if "phone" in cleared:
        blanks["phone_numbers"] = [entry for entry in lists.get("phone_numbers", ()) if entry["field"] != "PHONE1"]
    sides = [side for side in ("billing", "shipping") if any(f"{side}_{part}" in cleared for part in _PARTS)]
    if sides:
        blanks["addresses"] = _addresses(record, sides, lists)
    return blanks


def _addresses(record: Record, sides: Collection[str], lists: Mapping[str, Any]) -> list[Json]:
    """The contact's addresses, those of the sides as the record still has them; an empty one is left out."""
    left = [address(record, side) | {"field": side.upper()} for side in sides if address(record, side)]
    others = [entry for entry in lists.get("addresses", ()) if str(entry["field"]).lower() not in sides]
    return [*left, *others]
