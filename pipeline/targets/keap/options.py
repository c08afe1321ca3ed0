"""What a mapping's ``deliver`` options may say for Keap, complete or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.settings import read_table

DUPLICATE_OPTIONS = ("Email", "EmailAndName", "EmailAndNameAndCompany")
O = TypeVar("O", bound=msgspec.Struct)  # noqa: E741 - an options struct


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


class OrderOptions(ContactOptions, frozen=True, forbid_unknown_fields=True):
    """What ``place_order`` takes over every API; each has a default."""

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


class PlaceOrderOptions(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """``place_order`` over REST v2.

    ``subscriptions``: ``product`` sells a subscription as a plain product; ``mirror`` also keeps a subscription of
    the plan ``subscription_plans`` names for its SKU, with auto-charge off. ``subscription_amount``: the ``plan``'s
    price, or the file's in ``major`` or ``minor`` units: which of them Keap means is not documented.
    ``removed_lines``: whether a line that a changed order no longer has is left to a person or deleted at Keap.
    """

    removed_lines: str = "refuse"
    subscriptions: str = "product"
    subscription_amount: str = "plan"
    subscription_plans: dict[str, str | int] = {}


class XmlOrderOptions(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """``place_order`` over XML-RPC.

    ``style``: ``itemized`` sends our own lines; ``place_order`` lets Keap take its catalogue's prices.
    ``catalogue_prices``: whether an order whose prices differ from the catalogue is refused or accepted, and
    ``repeat_for_quantity`` whether a quantity is sent as so many product ids (plausible, not documented);
    both concern ``style: place_order`` only.
    """

    style: str = "itemized"
    catalogue_prices: str = "refuse"
    repeat_for_quantity: bool = False


class V1OrderOptions(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """``place_order`` over REST v1; ``line_products``: the SKU of the product that stands for a shipping, tax or
    fee line, because REST v1 wants a product for every line."""

    line_products: dict[str, str] = {}


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "duplicate_option": DUPLICATE_OPTIONS,
    "contact_lists": ("merge", "replace"),
    "several_contacts": ("refuse", "oldest"),
    "order_type": ("OFFLINE", "ONLINE"),
    "discount_sign": ("negative", "positive"),
    "removed_lines": ("refuse", "delete"),
    "subscriptions": ("product", "mirror"),
    "subscription_amount": ("plan", "major", "minor"),
    "style": ("itemized", "place_order"),
    "catalogue_prices": ("refuse", "accept"),
}


def read_options(into: type[O], options: Mapping[str, Any], where: str) -> O:
    """The options of one operation; ``SetupError`` names the option and what it may be."""
    known = read_table(into, options, where)
    for key, choices in _CHOICES.items():
        if hasattr(known, key):
            one_of(getattr(known, key), choices, f"{where} {key}")
    if isinstance(known, PaymentOptions | OrderOptions):
        _check_methods(known, where)
    if isinstance(known, PlaceOrderOptions):
        _check_plans(known, where)
    return known


def one_of(value: str, known: Iterable[str], where: str) -> None:
    """Refuse a word nobody knows, with the nearest one that is known."""
    if value not in known:
        raise SetupError(f"{where}: '{value}' is not known.{nearest(value, known)} Known: {', '.join(known)}.")


def _check_methods(options: PaymentOptions | OrderOptions, where: str) -> None:
    if not options.payment_method.strip() or not all(text.strip() for text in options.payment_methods.values()):
        raise SetupError(
            f"{where}: a payment method must not be blank; write one of the tenant's manual payment types."
        )


def _check_plans(options: PlaceOrderOptions, where: str) -> None:
    if options.subscriptions == "mirror" and not options.subscription_plans:
        raise SetupError(
            f"{where}: subscriptions: mirror needs subscription_plans, the id of Keap's subscription plan for each SKU."
        )
    for sku, plan in options.subscription_plans.items():
        if not str(plan).strip().isdecimal():
            raise SetupError(f"{where} subscription_plans: '{plan}' of {sku} is no id of a subscription plan.")
