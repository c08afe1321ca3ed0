"""What an account and the ``deliver`` options of a mapping may say for Order Desk, complete or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.settings import Secret, check_base_url, read_table
from pipeline.targets.contract import Rate

BASE_URL = "https://app.orderdesk.me/api/v2"
PAYMENT_STATUSES = (
    "Approved", "Authorized", "Captured", "Fully Refunded", "Partially Refunded", "Pending", "Rejected",
    "Voided",
)  # fmt: skip
T = TypeVar("T", bound=msgspec.Struct)


class RateTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The documented bucket of one store: 20 calls at once, 3 more each second."""

    burst: float = 20
    per_second: float = 3


class OrderDeskAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[accounts.<name>]`` with ``target = "orderdesk"``; times are in seconds."""

    store_id: str | int
    api_key: Secret
    target: str = "orderdesk"
    base_url: str = BASE_URL
    rate: RateTable = RateTable()
    concurrency: int = 1
    timeout_seconds: float = 60.0
    settle_seconds: float = 30.0
    look_first: bool = True

    def bucket(self) -> Rate:
        """The rate as the contract wants it."""
        return Rate(self.rate.burst, self.rate.per_second)


class InventoryOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``inventory_item``; ``update_source`` is the mark our writes leave on a stock row."""

    update_source: str = "orderdrop"


class OrderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``order``.

    ``source_name`` is the shop an order comes from and, with ``source_id``, what tells orders apart.
    ``payment_status`` fixes the status instead of deriving it. ``folder`` (id or exact name) is where a fresh
    order is moved once it was taken. ``require_total_match`` refuses an order whose lines do not add up.
    """

    source_name: str = "orderdrop"
    payment_status: str | None = None
    folder: str | int | None = None
    require_total_match: bool = False


class ShipmentOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``shipment``; ``source_name`` narrows the search where shops share order numbers."""

    source_name: str | None = None


def read_account(name: str, table: Mapping[str, Any]) -> OrderDeskAccount:
    """The account's settings; ``SetupError`` names the account and the key."""
    where = f"pipeline.toml [accounts.{name}]"
    account = read_table(OrderDeskAccount, table, where)
    _check_header(str(account.store_id), f"{where} store_id")
    check_base_url(account.base_url, where)
    for key, value in (
        ("rate.burst", account.rate.burst),
        ("rate.per_second", account.rate.per_second),
        ("concurrency", account.concurrency),
        ("timeout_seconds", account.timeout_seconds),
    ):
        if not value > 0:
            raise SetupError(f"{where} {key}: must be more than 0, found {value:g}.")
    if account.rate.burst < 1:
        raise SetupError(f"{where} rate.burst: below 1 no call could ever go, found {account.rate.burst:g}.")
    if not account.settle_seconds >= 0:
        raise SetupError(f"{where} settle_seconds: must not be negative, found {account.settle_seconds:g}.")
    return account


def read_options(into: type[T], options: Mapping[str, Any], where: str) -> T:
    """The options of one operation; ``SetupError`` names an unknown or impossible one."""
    known = read_table(into, options, where)
    for key in ("source_name", "update_source", "folder"):
        value = getattr(known, key, None)
        if isinstance(value, str) and not value.strip():
            raise SetupError(f"{where} {key}: must not be blank; leave it out for the default.")
    status = getattr(known, "payment_status", None)
    if status is not None and status not in PAYMENT_STATUSES:
        raise SetupError(
            f"{where} payment_status: '{status}' is none of Order Desk's.{nearest(status, PAYMENT_STATUSES)} "
            f"Known: {', '.join(PAYMENT_STATUSES)}."
        )
    return known


def _check_header(text: str, where: str) -> None:
    if not text.strip() or not text.isascii() or not text.isprintable():
        raise SetupError(
            f"{where}: '{text}' cannot be a store id; it stands in Order Desk's store settings, API tab."
        )
