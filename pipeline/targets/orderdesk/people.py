"""Names and addresses: one file's columns → Order Desk's two address objects."""

from __future__ import annotations

from pipeline.model import Record

_PLACES = ("address1", "address2", "city", "state", "postal_code", "country")
_OF_SIDE = {side: tuple((part, f"{side}_{part}") for part in _PLACES) for side in ("billing", "shipping")}
_NAMES = ("first_name", "last_name", "company")
_NAMED = ("last_name", "first_name", "company")  # each is enough, without looking further
Address = dict[str, str]


def addresses(record: Record) -> dict[str, Address]:
    """``customer`` and ``shipping``; blanks are left out, and so is an address with nothing in it.

    Where the file knows a place for one of them only, both get it: Order Desk would copy a missing address
    anyway (documented), but a half-filled one it would keep half-filled.
    """
    buyer = _person(record)
    billing, delivery = _place(record, "billing"), _place(record, "shipping")
    customer = buyer | (billing or delivery)
    shipping = _receiver(record, buyer) | (delivery or billing)
    return {name: one for name, one in (("customer", customer), ("shipping", shipping)) if one}


def has_name(record: Record) -> bool:
    """Whether there is a first name, last name or company; without one Order Desk takes no order."""
    if any(record.text(name).strip() for name in _NAMED):
        return True
    buyer = _person(record)
    return any(part in one for one in (buyer, _receiver(record, buyer)) for part in _NAMES)


def split_name(full: str) -> tuple[str, str]:
    """First and last name of a name in one cell; Order Desk has no field for the whole.

    ``"Berg, Anna Marie"`` tells itself apart; otherwise the last word, or the only one, is the last name.
    """
    last, comma, first = (part.strip() for part in full.partition(","))
    if comma and last and first:
        return first, last
    words = full.replace(",", " ").split()
    return " ".join(words[:-1]), words[-1] if words else ""


def _person(record: Record) -> Address:
    first = " ".join(part for part in (record.text("first_name"), record.text("middle_name")) if part)
    last = record.text("last_name")
    if not first and not last:
        first, last = split_name(record.text("full_name"))
    return _filled(first_name=first, last_name=last, company=record.text("company"), phone=record.text("phone"))


def _receiver(record: Record, buyer: Address) -> Address:
    """Who the parcel is for, when the file names somebody; the buyer's phone helps a carrier all the same."""
    named = _filled(
        first_name=record.text("shipping_first_name"),
        last_name=record.text("shipping_last_name"),
        company=record.text("shipping_company"),
    )
    phone = _filled(phone=record.text("shipping_phone") or record.text("phone"))
    return (named or buyer) | phone


def _place(record: Record, side: str) -> Address:
    return {part: text for part, name in _OF_SIDE[side] if (text := record.text(name)).strip()}


def _filled(**parts: str) -> Address:
    return {name: text for name, text in parts.items() if text.strip()}
