"""``[accounts.<name>]`` of an InfluencerSoft account, and the options of ``create_order``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pipeline.errors import SetupError
from pipeline.settings import Secret, check_base_url, read_table

Positive = Annotated[float, msgspec.Meta(gt=0)]
OrderStatus = Literal["Expected", "Paid", "Cancel", "MoneyBack"]
"""The four states of an order, spelt as ``createorder`` wants them."""


class RateTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``rate``: calls at once, and calls per second after that."""

    burst: Positive = 1.0
    per_second: Positive = 0.9


class AccountTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account.

    ``api_key`` is the ``rpsKey`` of API 2.0. ``secret`` opens the signed reads of API 1.0: only they show
    orders again. ``timezone`` is the zone times are sent in; without it a time keeps the zone of its record.
    ``check_products`` asks for the product list once, and refuses an order with other products before it is sent.
    """

    api_key: Secret
    target: str = "influencersoft"
    login: str = ""
    base_url: str = ""
    secret: Secret | None = None
    method_name: str = "createorder"
    timezone: str = ""
    check_products: bool = True
    rate: RateTable = RateTable()
    concurrency: Annotated[int, msgspec.Meta(ge=1)] = 1
    timeout_seconds: Positive = 30.0
    settle_seconds: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    look_first: bool = False
    list_days_back: Annotated[int, msgspec.Meta(ge=0)] = 31

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone times are turned into, ``None`` to leave them as they are."""
        return ZoneInfo(self.timezone) if self.timezone else None


class CreateOrderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of one ``deliver`` entry; every default is the cautious one."""

    product_key: Literal["sku", "product_name"] = "sku"
    quantity: Literal["refuse", "repeat"] = "refuse"
    mark_in: Literal["order_tag", "note"] = "order_tag"
    other_lines: Literal["refuse", "note"] = "refuse"
    statuses: Mapping[str, OrderStatus] = {}
    coupons: Mapping[str, str] = {}


def read_account(name: str, table: Mapping[str, Any]) -> AccountTable:
    """The account's settings with its address filled in; ``SetupError`` says what is wrong or missing."""
    where = f"pipeline.toml [accounts.{name}]"
    account = read_table(AccountTable, table, where)
    _check_login(account, where)
    _check_zone(account.timezone, where)
    if not re.fullmatch(r"[A-Za-z]+", account.method_name):
        raise SetupError(
            f"{where}: method_name '{account.method_name}' is not a method; write createorder or CreateOrder."
        )
    if account.look_first and account.secret is None:
        raise SetupError(f"{where}: look_first needs `secret`; without it InfluencerSoft has no look-up for orders.")
    address = account.base_url or f"https://{account.login}.influencersoft.com"
    return msgspec.structs.replace(account, base_url=check_base_url(address, where))


def read_options(name: str, options: Mapping[str, Any]) -> CreateOrderOptions:
    """The options of ``create_order``; ``SetupError`` names an unknown one and the nearest known."""
    read = read_table(CreateOrderOptions, options, f"deliver to {name}, create_order options")
    return msgspec.structs.replace(read, statuses={word.casefold(): meant for word, meant in read.statuses.items()})


def _check_login(account: AccountTable, where: str) -> None:
    if account.login and not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", account.login):
        raise SetupError(f"{where}: login '{account.login}' is not the first part of a host name, such as demo-shop.")
    if not account.login and not account.base_url:
        raise SetupError(
            f"{where}: login is missing (the first part of your InfluencerSoft address), or give base_url."
        )
    if not account.login and account.secret is not None:
        raise SetupError(f"{where}: login is missing; the signature of the look-ups is made with it.")


def _check_zone(name: str, where: str) -> None:
    if not name:
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SetupError(f"{where} timezone: '{name}' is not a time zone; write one such as Europe/Oslo.") from None
