"""Record → arguments of XML-RPC calls: pure, exact, without blanks. Table fields by the public table schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipeline.model import Record, Value
from pipeline.targets.keap.lines import Item, clean, items_of
from pipeline.targets.keap.payload import custom_text
from pipeline.targets.keap.people import names
from pipeline.targets.keap.xmlrpc.wire import eastern, midnight

Struct = dict[str, Any]

ITEM_TYPES: Mapping[str, int] = {"PRODUCT": 4, "SHIPPING": 1, "TAX": 2, "FEE": 3, "DISCOUNT": 7}
"""Type codes of ``addOrderItem``: product, shipping, tax, service & misc, special (a discount: seen in a thread)."""
LONGEST_NAME = 60
"""Characters of a name in the mark of a line, so that no column cuts the mark."""
ORDER_FORM = -9
"""``DataFormField.FormId`` of order custom fields."""
WHOLE_NUMBER, DECIMALS, DATES = 12, (3, 4, 11), (13, 14)
"""``DataFormField.DataType``: whole number; currency, percent, decimal; date, date-time."""
_SHIP_TO = (
    ("ShipFirstName", "shipping_first_name"),
    ("ShipLastName", "shipping_last_name"),
    ("ShipCompany", "shipping_company"),
    ("ShipPhone", "shipping_phone"),
    ("ShipStreet1", "shipping_address1"),
    ("ShipStreet2", "shipping_address2"),
    ("ShipCity", "shipping_city"),
    ("ShipState", "shipping_state"),
    ("ShipZip", "shipping_postal_code"),
)
_ADDRESSES = (
    ("billing", ("StreetAddress1", "StreetAddress2", "City", "State", "PostalCode", "Country")),
    ("shipping", ("Address2Street1", "Address2Street2", "City2", "State2", "PostalCode2", "Country2")),
)
_PLACE = ("address1", "address2", "city", "state", "postal_code", "country")


def known_values(values: Struct) -> Struct:
    """The members that hold something: a blank never overwrites."""
    return {name: value for name, value in values.items() if value not in ("", None)}


def contact_values(record: Record) -> Struct:
    """The contact's members; the shipping address is Keap's second one."""
    given, middle, family = names(record)
    values: Struct = {
        "FirstName": given,
        "MiddleName": middle,
        "LastName": family,
        "Email": clean(record.text("email")),
        "Phone1": clean(record.text("phone")),
        "Company": clean(record.text("company")),
    }
    for side, members in _ADDRESSES:
        texts = [clean(record.text(f"{side}_{part}")) for part in _PLACE]
        if any(texts[:-1]):
            values |= dict(zip(members, [*texts[:-1], country_name(texts[-1])], strict=True))
    if day := record.day("birth_date"):
        values["Birthday"] = midnight(day)
    return known_values(values)


def contact_blanks(record: Record, cleared: Collection[str]) -> Struct:
    """Empty texts for the members whose fields are cleared and that nothing else fills."""
    places = {
        f"{side}_{part}": member
        for side, members in _ADDRESSES
        for part, member in zip(_PLACE, members, strict=True)
    }  # fmt: skip
    people = {"first_name": "FirstName", "middle_name": "MiddleName", "last_name": "LastName", "company": "Company",
              "phone": "Phone1"}  # fmt: skip
    members = {**people, **places}
    filled = contact_values(record)
    return {members[name]: "" for name in sorted(cleared) if name in members and members[name] not in filled}


def job_blanks(cleared: Collection[str], fields: Mapping[str, Any]) -> Struct:
    """Empty texts for what an order clears: note, ship-to, custom fields."""
    members = {name: member for member, name in _SHIP_TO} | {"note": "JobNotes", "shipping_country": "ShipCountry"}
    members |= {name: field["field_name"] for name, field in fields.items()}
    return {members[name]: "" for name in sorted(cleared) if name in members}


def country_name(alpha2: str) -> str:
    """The English name of a country (``US`` → ``United States``); which names Keap knows is not documented."""
    import pycountry

    found = pycountry.countries.get(alpha_2=alpha2.upper()) if len(alpha2) == 2 else None
    return str(getattr(found, "common_name", found.name)) if found else ""


def job_values(record: Record, fields: Mapping[str, Any]) -> Struct:
    """What an order carries besides its lines: title, date, ship-to, note, custom fields."""
    values: Struct = {"JobTitle": clean(record.text("order_id")), "JobNotes": clean(record.text("note"))}
    if moment := record.time("ordered_at"):
        values["StartDate"] = eastern(moment)
    ship_to = {member: clean(record.text(name)) for member, name in _SHIP_TO}
    values |= ship_to
    if any(ship_to.values()):
        values["ShipCountry"] = country_name(clean(record.text("shipping_country")))
    for name, field in fields.items():
        values[field["field_name"]] = custom_value(record, name, int(field.get("type", 15)))
    return known_values(values)


def custom_value(record: Record, name: str, data_type: int) -> Any:  # noqa: ANN401 - as the field's type wants it
    """A custom field's value in the type of the field; a text where the record has no such type."""
    value: Value = record.fields.get(name)
    match value:
        case Decimal() if data_type == WHOLE_NUMBER and value == int(value) and abs(value) < 2**31:
            return int(value)
        case Decimal() if data_type in DECIMALS:
            return value
        case datetime() if data_type in DATES:
            return eastern(value)
        case date() if data_type in DATES:
            return midnight(value)
    return custom_text(record, name)


def marked_items(record: Record) -> Iterator[tuple[str, Item]]:
    """Every item with the mark that tells it from all others of this order, equal ones by their number.

    The mark goes into the item's notes: it is what a look-up finds the item by.
    """
    order_id = clean(record.text("order_id"))
    seen: Counter[str] = Counter()
    for item in items_of(record):
        name = (item.sku or item.name)[:LONGEST_NAME]
        what = f"{item.item_type.lower()} {item.quantity} x {name} at {format(item.price, 'f')}"
        seen[what] += 1
        yield f"{order_id}: {what} ({seen[what]})", item


def item_arguments(invoice: Any, product: Any, item: Item, mark: str, discount_sign: str) -> tuple[Any, ...]:  # noqa: ANN401 - ids
    """The arguments of ``addOrderItem``: invoice, product (0 for none), type, price, quantity, description, notes."""
    taken_off = item.item_type == "DISCOUNT" and discount_sign == "negative"
    price = -item.price if taken_off else item.price
    return invoice, product, ITEM_TYPES[item.item_type], price, item.quantity, item.name or item.sku, mark
