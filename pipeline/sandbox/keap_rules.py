"""What Keap's REST v2 takes and refuses, from the official spec of 2026-08-20: shapes, blanks, units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pycountry

JsonValue = Any
Json = dict[str, Any]


class BadRequest(Exception):
    """The call is refused with 400 (or ``status``) and this message."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
Check = Callable[[JsonValue, str], None]


def text(most: int = 65535) -> Check:
    """A text that is not blank, of at most ``most`` characters."""

    def check(value: JsonValue, where: str) -> None:
        if not isinstance(value, str):
            raise BadRequest(f"{where} must be a string")
        if not value.strip():
            raise BadRequest(f"{where} must not be blank")
        if len(value) > most:
            raise BadRequest(f"{where} must not be longer than {most} characters")

    return check


def text_or_blank(value: JsonValue, where: str) -> None:
    """A text; a blank empties the property (the simulation's reading: no page says how one is emptied)."""
    if not isinstance(value, str):
        raise BadRequest(f"{where} must be a string")


def one_of(*choices: str) -> Check:
    """One of these texts, exactly."""

    def check(value: JsonValue, where: str) -> None:
        if value not in choices:
            raise BadRequest(f"{where} is invalid: must be one of {', '.join(choices)}")

    return check


def whole(least: int) -> Check:
    """A JSON integer from ``least``; 19.0 is none."""

    def check(value: JsonValue, where: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise BadRequest(f"{where} must be an integer of at least {least}")

    return check


def number(value: JsonValue, where: str) -> None:
    """A JSON number; a text holding one is refused."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadRequest(f"{where} must be a number")


def boolean(value: JsonValue, where: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise BadRequest(f"{where} must be a boolean")


def moment(value: JsonValue, where: str) -> None:
    """A full ISO 8601 date-time with its zone."""
    if not isinstance(value, str) or not re.fullmatch(_MOMENT, value):
        raise BadRequest(f"{where} must be an ISO-8601 date-time")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise BadRequest(f"{where} must be an ISO-8601 date-time") from None


def anything(_value: JsonValue, _where: str) -> None:
    """No rule is documented."""


def shape(required: str = "", /, **checks: Check) -> Check:
    """An object with these properties and no others; ``required`` names those that must be there."""

    def check(value: JsonValue, where: str) -> None:
        if not isinstance(value, Mapping):
            raise BadRequest(f"{where} must be an object")
        for name in value:
            if name not in checks:
                raise BadRequest(f"Unrecognized property: {name}")
        for name in required.split():
            if name not in value:
                raise BadRequest(f"{name} is required")
        for name, inner in value.items():
            checks[name](inner, name)

    return check


def many(inner: Check) -> Check:
    """A list of these."""

    def check(value: JsonValue, where: str) -> None:
        if not isinstance(value, list):
            raise BadRequest(f"{where} must be an array")
        for entry in value:
            inner(entry, where)

    return check


def _address(value: JsonValue, where: str) -> None:
    _ADDRESS_SHAPE(value, where)
    side = value.get("field", "")
    most = 75 if side == "BILLING" else 100
    for name in ("line1", "line2"):
        if name in value:
            text(most)(value[name], f"{side} {name}")
    _check_region(value.get("region_code"), value.get("country_code"), side)


def _ship_to(value: JsonValue, where: str) -> None:
    _SHIP_TO_SHAPE(value, where)
    _check_region(value.get("region"), value.get("country_code"), "SHIPPING")


def _check_region(region: str | None, country: str | None, side: str) -> None:
    known = pycountry.countries.get(alpha_3=country) if country else None
    if country and not known:
        raise BadRequest(f"{side} country_code is invalid")
    if not region:
        return
    if known is None:
        raise BadRequest("country_code is required if region is specified")
    found = pycountry.subdivisions.get(code=region)  # type: ignore[no-untyped-call]
    if found is None or found.country_code != known.alpha_2:
        raise BadRequest(f"{side} Region is invalid")


_ADDRESS_SHAPE = shape(
    field=one_of("BILLING", "SHIPPING", "OTHER"),
    line1=text(),
    line2=text(),
    locality=text(100),
    country=text(100),
    region=text(50),
    region_code=text(),
    country_code=text(3),
    postal_code=text(20),
    zip_code=text(20),
    zip_four=text(10),
)
_SHIP_TO_SHAPE = shape(
    **dict.fromkeys(("line1", "line2", "locality", "region", "company", "phone"), text_or_blank),
    **dict.fromkeys(("zip_code", "zip_four", "first_name", "middle_name", "last_name"), text_or_blank),
    country_code=text(3),
    is_invoice_to_company=boolean,
)
_CUSTOM_VALUES = many(shape("id", id=text(), content=anything))
_PHONES = one_of(*(f"PHONE{number}" for number in range(1, 6)))
_EMAILS = one_of("EMAIL1", "EMAIL2", "EMAIL3")

CONTACT = shape(
    given_name=text(40),
    middle_name=text(100),
    family_name=text(40),
    birth_date=text(10),
    company=shape(id=text(), company_name=text()),
    origin=shape(ip_address=text()),
    email_addresses=many(shape(email=text(100), field=_EMAILS, opt_in_reason=text())),
    phone_numbers=many(shape(number=text(40), field=_PHONES, type=text(), extension=text())),
    addresses=many(_address),
    custom_fields=_CUSTOM_VALUES,
)
CONTACT_CHANGE = shape(
    **dict.fromkeys(("given_name", "middle_name", "family_name"), text_or_blank),
    company=shape(id=text(), company_name=text_or_blank),
    email_addresses=many(shape(email=text(100), field=_EMAILS, opt_in_reason=text())),
    phone_numbers=many(shape(number=text(40), field=_PHONES, type=text(), extension=text())),
    addresses=many(_address),
    custom_fields=_CUSTOM_VALUES,
)
CONTACT_MASK = (
    *("given_name", "middle_name", "family_name", "company", "email_addresses", "phone_numbers", "addresses"),
    *("custom_fields", "birth_date", "origin"),
)
PRODUCT = shape(
    "name price short_description",
    **dict.fromkeys(("name", "short_description", "sku", "description"), text()),
    **dict.fromkeys(("active", "shippable", "taxable", "subscription_only"), boolean),
    price=whole(0),
    weight=number,
)
ITEM_TYPES = [
    "PRODUCT",
    "SHIPPING",
    "TAX",
    "FINANCE_CHARGE",
    "SUBSCRIPTION",
    "DISCOUNT",
    "DISCOUNT_FREE_TRIAL",
    "DISCOUNT_ORDER_TOTAL",
    "DISCOUNT_PRODUCT",
    "DISCOUNT_PRODUCT_CATEGORY",
    "DISCOUNT_SHIPPING",
    "OTHER",
    "FEE",
]
ORDER_ITEM = shape(
    "quantity",
    **dict.fromkeys(("product_id", "subscription_plan_id", "subscription_plan_description"), text()),
    **dict.fromkeys(("name", "description", "notes"), text()),
    quantity=whole(1),
    item_type=one_of(*ITEM_TYPES),
    price_per_unit=number,
    cost_per_unit=number,
)
ITEM_CHANGE = shape(
    **dict.fromkeys(("product_id", "subscription_plan_id", "subscription_plan_description"), text()),
    **dict.fromkeys(("name", "description", "notes"), text()),
    quantity=whole(1),
    price_per_unit=number,
    cost_per_unit=number,
)
ITEM_MASK = (
    *("name", "description", "quantity", "notes", "product_id", "subscription_plan_id"),
    *("subscription_plan_description", "price_per_unit", "cost_per_unit"),
)
SUBSCRIPTION = shape(
    "contact_id subscription_plan_id",
    **dict.fromkeys(("contact_id", "subscription_plan_id", "reason_stopped", "promo_code"), text()),
    **dict.fromkeys(("active", "auto_charge", "allow_duplicate", "allow_tax"), boolean),
    quantity=whole(1),
    billing_amount=number,
    start_date=text(10),
)
SUBSCRIPTION_CHANGE = shape(
    reason_stopped=text(), active=boolean, auto_charge=boolean, billing_amount=number, end_date=text(10)
)
_ORDER_PARTS: Mapping[str, Check] = {
    **dict.fromkeys(("contact_id", "order_title", "title", "notes", "terms", "invoice_number"), text()),
    **dict.fromkeys(("lead_affiliate_id", "sales_affiliate_id", "external_create_user"), text()),
    **dict.fromkeys(("order_time", "sent_time", "due_time"), moment),
    **dict.fromkeys(("external_create_time", "external_update_time"), moment),
    "order_type": one_of("ONLINE", "OFFLINE"),
    "promo_codes": many(text()),
    "shipping_address": _ship_to,
    "custom_fields": _CUSTOM_VALUES,
}
ORDER = shape("contact_id order_title order_time order_type", order_items=many(ORDER_ITEM), **_ORDER_PARTS)
ORDER_CHANGE = shape(payment_plan=anything, **{**_ORDER_PARTS, "notes": text_or_blank})
ORDER_MASK = (*_ORDER_PARTS, "payment_plan", "order_items")
PAYMENT = shape(
    "payment_amount apply_to_commissions",
    **dict.fromkeys(("payment_method_type", "payment_method_id", "notes", "external_create_user"), text()),
    **dict.fromkeys(("external_source", "external_source_value", "external_status_value"), text()),
    **dict.fromkeys(("payment_time", "external_create_time", "external_update_time"), moment),
    payment_amount=number,
    apply_to_commissions=boolean,
)
CUSTOM_FIELD = shape(
    "label field_type",
    **dict.fromkeys(("label", "field_type", "group_id", "user_group_id"), text()),
    options=anything,
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list can be filtered by: readers by lower-case name; those in ``wild`` take a trailing ``*``."""

    known: Mapping[str, Callable[[Json], Any]]
    wild: frozenset[str] = frozenset()

    def picked(self, filter_text: str, entries: Iterable[Json]) -> list[Json]:
        """The entries that pass every ``field==value``, parts joined by ``;``, compared without case."""
        tests = [self._test(part) for part in filter_text.split(";")] if filter_text else []
        return [entry for entry in entries if all(test(entry) for test in tests)]

    def _test(self, part: str) -> Callable[[Json], bool]:
        name, operator, wanted = part.partition("==")
        read = self.known.get(name.strip().casefold())
        if not operator or read is None:
            raise BadRequest(f"Invalid filter: {part}")
        if wanted.endswith("*") and name.strip().casefold() in self.wild:
            return lambda entry: str(read(entry) or "").casefold().startswith(wanted[:-1].casefold())
        return lambda entry: str(read(entry) or "").casefold() == wanted.casefold()


class Index:
    """Things by what they are filtered by, so that a list of ten thousand is not walked for one.

    It may give too many (a changed value stays in), never too few: the filter itself decides.
    """

    def __init__(self) -> None:
        self._things: dict[tuple[str, str], dict[str, Json]] = {}

    def put(self, name: str, value: object, thing: Json) -> None:
        """Make the thing findable by this value."""
        self._things.setdefault((name.casefold(), str(value).casefold()), {})[thing["id"]] = thing

    def narrowed(self, filter_text: str, name: str, everything: Mapping[str, Json]) -> Iterable[Json]:
        """What can pass a filter by ``name``; everything where the filter says nothing about it."""
        for part in filter_text.split(";"):
            field, _, value = part.partition("==")
            if field.casefold() == name.casefold() and not value.endswith("*"):
                return self._things.get((name.casefold(), value.casefold()), {}).values()
        return everything.values()
