"""What ``[accounts.<name>]`` and a mapping's ``deliver`` options may say for Keap, complete or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.fields import RECORD_KINDS
from pipeline.settings import Secret, check_base_url, read_table
from pipeline.targets.contract import Rate

APIS = ("rest-v2", "rest-v1", "xmlrpc")
AUTHS = ("bearer", "x-keap-api-key")
DUPLICATE_OPTIONS = ("Email", "EmailAndName", "EmailAndNameAndCompany")
EXTRA = "extra."
C = TypeVar("C", bound="ContactOptions")


class RateTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Evenly spaced, at the documented 240 calls a minute for one key; bursts meet the spike policy."""

    burst: float = 1
    per_second: float = 4


class KeapAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[accounts.<name>]``; ``look_first`` unset means: where an order can be found by its id."""

    api_key: Secret
    target: str = "keap"
    api: str = "rest-v2"
    auth: str = "bearer"
    base_url: str = "https://api.infusionsoft.com/crm"
    custom_fields: dict[str, str] = {}
    rate: RateTable = RateTable()
    concurrency: int = 1
    timeout_seconds: float = 60.0
    settle_seconds: float = 30.0
    look_first: bool | None = None

    @property
    def looks_first(self) -> bool:
        """Whether an order is searched before it is sent."""
        return "order_id" in self.custom_fields if self.look_first is None else self.look_first

    def bucket(self) -> Rate:
        """The rate as the contract wants it."""
        return Rate(self.rate.burst, self.rate.per_second)


class ContactOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``customer``.

    ``contact_lists``: ``merge`` reads the contact first and keeps its other phones, addresses and e-mail
    addresses; ``replace`` lets Keap drop them. ``several_contacts``: what to do when several contacts match.
    """

    duplicate_option: str = "Email"
    contact_lists: str = "merge"
    several_contacts: str = "refuse"


class PaymentOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``payment``; ``payment_methods`` maps the file's words to manual payment types."""

    payment_method: str = "Credit Card (Manual)"
    payment_methods: dict[str, str] = {}
    apply_to_commissions: bool = False


class PlaceOrderOptions(ContactOptions, frozen=True, forbid_unknown_fields=True):
    """Options of ``place_order``; each has a default."""

    create_products: bool = False
    order_type: str = "OFFLINE"
    discount_sign: str = "negative"
    require_total_match: bool = False
    send_payment: bool = True
    payment_method: str = PaymentOptions.__struct_defaults__[0]
    payment_methods: dict[str, str] = {}
    apply_to_commissions: bool = False

    @property
    def payment(self) -> PaymentOptions:
        """The part that concerns the payment."""
        return PaymentOptions(self.payment_method, self.payment_methods, self.apply_to_commissions)


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "duplicate_option": DUPLICATE_OPTIONS,
    "contact_lists": ("merge", "replace"),
    "several_contacts": ("refuse", "oldest"),
    "order_type": ("OFFLINE", "ONLINE"),
    "discount_sign": ("negative", "positive"),
}


def read_account(name: str, table: Mapping[str, Any]) -> KeapAccount:
    """The account's settings; ``SetupError`` names the account and the key."""
    where = f"[accounts.{name}]"
    account = read_table(KeapAccount, table, where)
    _one_of(account.api, APIS, f"{where} api")
    if account.api != "rest-v2":
        raise SetupError(_not_spoken(where, account.api))
    _one_of(account.auth, AUTHS, f"{where} auth")
    check_base_url(account.base_url, where)
    _check_numbers(account, where)
    _check_custom_fields(account.custom_fields, f"{where} custom_fields")
    return account


def read_contact_options(options: Mapping[str, Any], where: str) -> ContactOptions:
    """The options of ``customer``."""
    return _checked(read_table(ContactOptions, options, where), where)


def read_order_options(options: Mapping[str, Any], where: str) -> PlaceOrderOptions:
    """The options of ``place_order``."""
    known = _checked(read_table(PlaceOrderOptions, options, where), where)
    _check_methods(known.payment, where)
    return known


def read_payment_options(options: Mapping[str, Any], where: str) -> PaymentOptions:
    """The options of ``payment``."""
    known = read_table(PaymentOptions, options, where)
    _check_methods(known, where)
    return known


def _checked(options: C, where: str) -> C:
    for key, choices in _CHOICES.items():
        if hasattr(options, key):
            _one_of(getattr(options, key), choices, f"{where} {key}")
    return options


def _one_of(value: str, known: Iterable[str], where: str) -> None:
    if value not in known:
        raise SetupError(f"{where}: '{value}' is not known.{nearest(value, known)} Known: {', '.join(known)}.")


def _not_spoken(where: str, api: str) -> str:
    ending = " XML-RPC is reported to end on 2026-12-31." if api == "xmlrpc" else ""
    return f'{where}: this version of orderdrop does not speak Keap\'s {api} yet; set api = "rest-v2".{ending}'


def _check_numbers(account: KeapAccount, where: str) -> None:
    for key, value in (
        ("rate.burst", account.rate.burst),
        ("rate.per_second", account.rate.per_second),
        ("concurrency", account.concurrency),
        ("timeout_seconds", account.timeout_seconds),
    ):
        if value <= 0:
            raise SetupError(f"{where} {key}: must be more than 0, found {value:g}.")
    if account.settle_seconds < 0:
        raise SetupError(f"{where} settle_seconds: must not be negative, found {account.settle_seconds:g}.")


def _check_custom_fields(custom_fields: Mapping[str, str], where: str) -> None:
    known = [name for name in RECORD_KINDS["order"] if name != "extra"]
    for name, label in custom_fields.items():
        is_extra = name.startswith(EXTRA) and name != EXTRA
        if name not in known and not is_extra:
            raise SetupError(f"{where}: an order has no field '{name}'.{nearest(name, known)} Or write extra.<name>.")
        if not label.strip():
            raise SetupError(f"{where}: '{name}' names no order custom field of Keap.")
    taken: dict[str, str] = {}
    for name, label in custom_fields.items():
        other = taken.setdefault(label.casefold(), name)
        if other != name:
            raise SetupError(f"{where}: '{other}' and '{name}' both fill '{label}'; one custom field holds one value.")


def _check_methods(options: PaymentOptions, where: str) -> None:
    if not options.payment_method.strip() or not all(text.strip() for text in options.payment_methods.values()):
        raise SetupError(
            f"{where}: a payment method must not be blank; write one of the tenant's manual payment types."
        )
