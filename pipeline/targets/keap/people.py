"""A record's person as a Keap contact: names, e-mail, phone, addresses; no blanks, no guessed regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.model import Record
from pipeline.targets.keap.lines import clean
from pipeline.targets.keap.places import country_code, region_code

Json = dict[str, Any]

_ADDRESS_KEYS = (
    "field", "line1", "line2", "locality", "region_code", "country_code", "postal_code", "zip_code",
    "zip_four",
)  # fmt: skip
_LONG_NAMES = (("region", "region_code"), ("country", "country_code"))
_PHONE_KEYS = ("field", "number", "type", "extension")
_EMAIL_KEYS = ("field", "email")


def names(record: Record) -> tuple[str, str, str]:
    """Given, middle and family name; a ``full_name`` alone is split at its last blank."""
    first, middle, last = (clean(record.text(part)) for part in ("first_name", "middle_name", "last_name"))
    if first or last:
        return first, middle, last
    given, _, family = clean(record.text("full_name")).rpartition(" ")
    return (given.strip(), middle, family) if given else (family, middle, "")


def address(record: Record, side: str) -> Json:
    """The ``billing`` or ``shipping`` address in a contact's words; empty when only a country is there."""
    country = clean(record.text(f"{side}_country"))
    found = {
        "line1": clean(record.text(f"{side}_address1")),
        "line2": clean(record.text(f"{side}_address2")),
        "locality": clean(record.text(f"{side}_city")),
        "region_code": region_code(country, clean(record.text(f"{side}_state"))),
        "postal_code": clean(record.text(f"{side}_postal_code")),
    }
    known = {key: value for key, value in found.items() if value}
    if known and (code := country_code(country)):
        known["country_code"] = code
    return known


def contact_payload(record: Record, stored: Mapping[str, Any]) -> Json:
    """``POST /contacts``; ``stored`` holds the contact's lists as they are: Keap replaces lists whole."""
    given, middle, family = names(record)
    payload: Json = {
        "given_name": given,
        "middle_name": middle,
        "family_name": family,
        "email_addresses": _merged(stored, "email_addresses", [_slot("EMAIL1", email=clean(record.text("email")))]),
        "phone_numbers": _merged(stored, "phone_numbers", _phones(record)),
        "addresses": _merged(stored, "addresses", list(_addresses(record))),
    }
    if company := clean(record.text("company")):
        payload["company"] = {"company_name": company}
    if day := record.day("birth_date"):
        payload["birth_date"] = day.isoformat()
    if ip := clean(record.text("ip_address")):
        payload["origin"] = {"ip_address": ip}
    return {key: value for key, value in payload.items() if value}


def stored_lists(contact: Mapping[str, Any]) -> Json:
    """The lists of a contact as Keap answers them, reduced to what a request may hold."""
    return {
        "email_addresses": [_kept(entry, _EMAIL_KEYS) for entry in _entries(contact, "email_addresses")],
        "phone_numbers": [_kept(entry, _PHONE_KEYS) for entry in _entries(contact, "phone_numbers")],
        "addresses": [_kept_address(entry) for entry in _entries(contact, "addresses")],
    }


def is_same_person(contact: Mapping[str, Any], record: Record, duplicate_option: str) -> bool:
    """Whether Keap's duplicate check, as documented, would take this contact for the record's person."""
    primary = [e.get("email") for e in _entries(contact, "email_addresses") if e.get("field") == "EMAIL1"]
    if clean(record.text("email")).casefold() not in [clean(email).casefold() for email in primary]:
        return False
    given, _, family = names(record)
    wanted = {"Email": (), "EmailAndName": (given, family)}.get(
        duplicate_option, (given, family, clean(record.text("company")))
    )
    company = contact.get("company")
    stored = (
        contact.get("given_name"),
        contact.get("family_name"),
        company.get("company_name") if isinstance(company, Mapping) else "",
    )
    return all(clean(text).casefold() == want.casefold() for text, want in zip(stored, wanted, strict=False))


def _slot(field: str, **values: str) -> Json:
    known = {key: value for key, value in values.items() if value}
    return known | {"field": field} if known else {}


def _phones(record: Record) -> list[Json]:
    return [_slot("PHONE1", number=clean(record.text("phone")))]


def _addresses(record: Record) -> Iterator[Json]:
    for side in ("billing", "shipping"):
        if found := address(record, side):
            yield found | {"field": side.upper()}


def _merged(stored: Mapping[str, Any], name: str, ours: list[Json]) -> list[Json]:
    """Ours, then the stored entries of other slots; an empty list means: do not send the list at all."""
    ours = [entry for entry in ours if entry]
    taken = {entry["field"] for entry in ours}
    kept = [entry for entry in stored.get(name, ()) if entry.get("field") not in taken]
    return [*ours, *kept] if ours else []


def _entries(contact: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    entries = contact.get(name)
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _kept(entry: Mapping[str, Any], keys: tuple[str, ...]) -> Json:
    return {key: entry[key] for key in keys if entry.get(key)}


def _kept_address(entry: Mapping[str, Any]) -> Json:
    kept = _kept(entry, _ADDRESS_KEYS)
    kept |= {long: entry[long] for long, code in _LONG_NAMES if entry.get(long) and code not in kept}
    return kept
