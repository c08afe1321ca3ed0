"""``[accounts.<name>]`` of a Kapture account, and the options of its operations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.fields import RECORD_KINDS
from pipeline.settings import Secret, check_base_url, read_table

Positive = Annotated[float, msgspec.Meta(gt=0)]
Wrapper = Literal["array", "object"]
T = TypeVar("T")

ORDER_PATH = "/add-update-order-from-other-source.html"
"""Creates orders, and updates them: the vendor's pages give both calls the same address."""


class RateTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``rate``: no limit is published, so these figures are our own caution."""

    burst: Positive = 1.0
    per_second: Positive = 2.0


class KeysTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``keys``: Kapture issues one per configured call."""

    push: Secret | None = None
    update: Secret | None = None
    payment: Secret | None = None
    search: Secret | None = None
    pull: Secret | None = None

    def of(self, call: str) -> Secret | None:
        """The key of one call, ``None`` when the settings name none."""
        key: Secret | None = getattr(self, call)
        return key

    def all(self) -> tuple[Secret, ...]:
        """Every key the settings name."""
        keys = (self.push, self.update, self.payment, self.search, self.pull)
        return tuple(key for key in keys if key is not None)


class WrapTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``wrap``: whether a call's body is an array of one object, as on the order pages, or the object."""

    push: Wrapper = "array"
    update: Wrapper = "array"
    payment: Wrapper = "array"
    search: Wrapper = "array"
    pull: Wrapper = "array"


class AccountTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account.

    ``payment_path`` has no default: the vendor's page prints the address that creates orders. ``timezone`` is
    the zone times are sent in; without it a time keeps the zone of its record. ``pull_proves_absence`` is for
    tenants whose pull shows ``erp_order_id`` and filters by the order's own date.
    """

    base_url: str
    target: str = "kapture"
    keys: KeysTable = KeysTable()
    wrap: WrapTable = WrapTable()
    auth_in: Literal["header", "query"] = "header"
    payment_path: str = ""
    timezone: str = ""
    pull_proves_absence: bool = False
    rate: RateTable = RateTable()
    concurrency: Annotated[int, msgspec.Meta(ge=1)] = 1
    timeout_seconds: Positive = 30.0
    settle_seconds: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    look_first: bool = False

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone times are turned into, ``None`` to leave them as they are."""
        return ZoneInfo(self.timezone) if self.timezone else None


class OrderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``push_order`` and ``update_order``.

    ``customer_id`` says whose id the record's is; ``also_send`` maps record fields (or ``extra.<name>``) to
    fields this tenant was set up with; ``kapture_id`` names the record field with Kapture's own order id.
    """

    customer_id: Literal["ours", "kapture"] = "ours"
    other_lines: Literal["total", "product"] = "total"
    also_send: Mapping[str, str] = {}
    kapture_id: str = "extra.kapture_order_id"


class PaymentOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``payment``: whose id the record's ``order_id`` is."""

    order_id: Literal["ours", "kapture"] = "ours"


OWN_FIELDS = frozenset(
    ("customer_name", "phone", "email_id", "order_status", "create_date", "customer_id", "date_of_birth",
     "address", "shipping_address", "zip_code", "payment_mode", "transaction", "total_paid", "grand_total",
     "expected_delivery_date", "erp_order_id", "order_id", "product_details")
)  # fmt: skip
"""Fields of an order that are filled from the record; ``also_send`` may not fill them."""


def read_account(name: str, table: Mapping[str, Any]) -> AccountTable:
    """The account's settings; ``SetupError`` says what is wrong or missing."""
    where = f"pipeline.toml [accounts.{name}]"
    if "base_url" not in table:
        raise SetupError(f"{where}: base_url is missing; every Kapture tenant has a host of its own.")
    for part, shape in (("keys", KeysTable), ("wrap", WrapTable)):
        if part in table:
            read_table(shape, table[part], f"{where} {part}")
    account = read_table(AccountTable, table, where)
    _check_zone(account.timezone, where)
    _check_path(account.payment_path, where)
    if account.look_first and not (account.keys.pull and account.pull_proves_absence):
        raise SetupError(
            f"{where}: look_first needs keys.pull and pull_proves_absence; see the target's README."
        )
    return msgspec.structs.replace(account, base_url=check_base_url(account.base_url, where))


def read_order_options(name: str, operation: str, options: Mapping[str, Any]) -> OrderOptions:
    """The options of ``push_order`` or ``update_order``; ``SetupError`` names what is wrong."""
    where = f"deliver to {name}, {operation} options"
    chosen = read_table(OrderOptions, options, where)
    for source, field in chosen.also_send.items():
        check_source(source, f"{where} also_send")
        if field in OWN_FIELDS:
            raise SetupError(f"{where} also_send: Kapture's '{field}' is filled from the record already.")
    check_source(chosen.kapture_id, f"{where} kapture_id")
    return chosen


def read_payment_options(name: str, options: Mapping[str, Any]) -> PaymentOptions:
    """The options of ``payment``; ``SetupError`` names what is wrong."""
    return read_table(PaymentOptions, options, f"deliver to {name}, payment options")


def check_source(source: str, where: str) -> None:
    """A record-level order field, or ``extra.<name>``."""
    known = [
        name for name, spec in RECORD_KINDS["order"].items() if spec.level == "record" and name != "extra"
    ]
    if source not in known and not re.fullmatch(r"extra\..+", source):
        raise SetupError(f"{where}: '{source}' is no field of an order.{nearest(source, known)}")


def _check_path(path: str, where: str) -> None:
    if path and (not re.fullmatch(r"/[A-Za-z0-9._/-]+", path) or ".." in path):
        raise SetupError(
            f"{where}: payment_path '{path}' is not a path below base_url, such as /payments.html."
        )


def _check_zone(name: str, where: str) -> None:
    if not name:
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SetupError(
            f"{where} timezone: '{name}' is not a time zone; write one such as Asia/Kolkata."
        ) from None
