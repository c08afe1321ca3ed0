"""What an account and the ``deliver`` options of a mapping may say for Order Desk, complete or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.fields import RECORD_KINDS
from pipeline.settings import Secret, check_base_url, read_table
from pipeline.targets.contract import Rate

BASE_URL = "https://app.orderdesk.me/api/v2"
PAYMENT_STATUSES = (
    "Approved", "Authorized", "Captured", "Fully Refunded", "Partially Refunded", "Pending", "Rejected",
    "Voided",
)  # fmt: skip
METADATA_LIMIT, NOTE_LIMIT = 2000, 1800
"""Characters: the hidden map as JSON, one note (readings of the documents, 2025-26)."""

NUMBERS = frozenset({"processor_balance", "refund_total"})
PATTERNS: Mapping[str, tuple[str, str]] = {
    "cc_number": (r"\d{4}", "only the last four digits may be sent"),
    "cc_exp": (r"(0[1-9]|1[0-2])/\d{4}", "it is written MM/YYYY"),
}
ALSO = (
    *NUMBERS, *PATTERNS, "fulfillment_name", "fulfillment_id", "shipping.address3", "shipping.address4",
    *(f"return_address.{part}" for part in ("title", "name", "company", "address1", "address2", "city", "state",
                                            "postal_code", "country", "phone")),
)  # fmt: skip
"""Fields of an order that ``also_send`` may fill, besides names within ``checkout_data`` and ``order_metadata``."""

MOST_TOGETHER = 100
"""Our own caution: the longest array is not documented."""
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
    list_days_back: int = 31

    def bucket(self) -> Rate:
        """The rate as the contract wants it."""
        return Rate(self.rate.burst, self.rate.per_second)


class InventoryOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``inventory_item``.

    ``update_source`` is the mark our writes leave on a stock row. ``together`` is how many changed rows go in one call,
    ``0`` to send each alone: the call is known from clients only.
    """

    update_source: str = "orderdrop"
    together: Annotated[int, msgspec.Meta(ge=0, le=MOST_TOGETHER)] = 0


class OrderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``order``.

    ``source_name`` is the shop an order comes from and, with ``source_id``, what tells orders apart.
    ``payment_status`` fixes the status instead of deriving it. ``folder`` (id or exact name) is where a fresh
    order is moved once it was taken, ``history_note`` what is then written into its history. ``also_send`` leads
    record fields (or ``extra.<name>``) to further fields of Order Desk, ``delivery_type`` and ``category_code`` stand
    in every item. ``require_total_match`` refuses an order whose lines do not add up.
    """

    source_name: str = "orderdrop"
    payment_status: str | None = None
    folder: str | int | None = None
    require_total_match: bool = False
    history_note: str | None = None
    also_send: Mapping[str, str] = {}
    delivery_type: Literal["ship", "noship", "download", "future"] | None = None
    category_code: str | None = None


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
    if account.list_days_back < 0:
        raise SetupError(f"{where} list_days_back: must not be negative, found {account.list_days_back}.")
    if not account.settle_seconds >= 0:
        raise SetupError(f"{where} settle_seconds: must not be negative, found {account.settle_seconds:g}.")
    return account


def read_options(into: type[T], options: Mapping[str, Any], where: str) -> T:
    """The options of one operation; ``SetupError`` names an unknown or impossible one."""
    known = read_table(into, options, where)
    for key in ("source_name", "update_source", "folder", "history_note", "category_code"):
        value = getattr(known, key, None)
        if isinstance(value, str) and not value.strip():
            raise SetupError(f"{where} {key}: must not be blank; leave it out for the default.")
    status = getattr(known, "payment_status", None)
    if status is not None and status not in PAYMENT_STATUSES:
        raise SetupError(
            f"{where} payment_status: '{status}' is none of Order Desk's.{nearest(status, PAYMENT_STATUSES)} "
            f"Known: {', '.join(PAYMENT_STATUSES)}."
        )
    if isinstance(known, OrderOptions):
        _check_order(known, where)
    return known


def _check_order(options: OrderOptions, where: str) -> None:
    if len(options.history_note or "") > NOTE_LIMIT:
        raise SetupError(f"{where} history_note: Order Desk keeps {NOTE_LIMIT} characters of a note.")
    _check_names(options.also_send, _sources(options.also_send), f"{where} also_send")
    for target in options.also_send.values():
        if target not in ALSO and not re.fullmatch(r"(checkout_data|order_metadata)\.\S.*", target):
            raise SetupError(
                f"{where} also_send: '{target}' is none of the fields it can fill.{nearest(target, ALSO)} "
                f"Known: {', '.join(sorted(ALSO))}, checkout_data.<name>, order_metadata.<name>."
            )
        if target == "order_metadata.load_key":
            raise SetupError(f"{where} also_send: order_metadata.load_key holds the record key already.")


def _sources(also_send: Mapping[str, str]) -> list[str]:
    own = [name for name, spec in RECORD_KINDS["order"].items() if spec.level == "record" and name != "extra"]
    return own + [name for name in also_send if re.fullmatch(r"extra\..+", name)]


def _check_names(given: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise SetupError(f"{where}: '{name}' is not possible here.{nearest(name, known)}")


def _check_header(text: str, where: str) -> None:
    if not text.strip() or not text.isascii() or not text.isprintable():
        raise SetupError(f"{where}: '{text}' cannot be a store id; it stands in Order Desk's store settings, API tab.")
