"""``[accounts.<name>]`` of a Kapture account, and the options of its operations."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import date
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

PATHS: Mapping[str, Mapping[str, str]] = {
    "b": {
        "push": ORDER_PATH,
        "update": ORDER_PATH,
        "search": "/search-order-by-order-id.html",
        "pull": "/select-order-between-start-and-end-dates.html",
    },
    "c": {
        "push": "/ms/customer/order/api/v1/add-update",
        "update": "/ms/customer/order/api/v1/add-update",
        "pull": "/ms/customer-search/order-search/api/v1/pull-internal",
    },
}
"""Documented addresses by generation and call; there is none for payments."""

EXPIRY_NOTICE_DAYS = 14


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


class ExpiresTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``expires``: the end date each key was given when it was made, as its page at Kapture shows it."""

    push: date | None = None
    update: date | None = None
    payment: date | None = None
    search: date | None = None
    pull: date | None = None


class WrapTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``wrap``: whether a call's body is an array of one object or the object; by default as its pages show."""

    push: Wrapper | None = None
    update: Wrapper | None = None
    payment: Wrapper | None = None
    search: Wrapper | None = None
    pull: Wrapper | None = None


class PathsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``paths``: addresses below ``base_url`` that differ from the documented ones."""

    push: str = ""
    update: str = ""
    search: str = ""
    pull: str = ""


class AccountTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account.

    ``payment_path`` has no default: the vendor's page prints the address that creates orders. ``timezone`` is
    the zone times are sent in; without it a time keeps the zone of its record. ``pull_proves_absence`` is for
    tenants whose pull shows ``erp_order_id`` and filters by the order's own date (generation b), or surely finds
    an order by it (generation c). ``user``, ``password``, ``cm_id``, ``order_block`` and ``order_fields`` belong to
    generation c; the last two because its pages do not show how an order is written.
    """

    base_url: str
    target: str = "kapture"
    generation: Literal["b", "c"] = "b"
    keys: KeysTable = KeysTable()
    expires: ExpiresTable = ExpiresTable()
    paths: PathsTable = PathsTable()
    user: str = ""
    password: Secret | None = None
    cm_id: Annotated[int, msgspec.Meta(gt=0)] | None = None
    order_block: str = ""
    order_fields: Mapping[str, str] = {}
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
    list_days_back: Annotated[int, msgspec.Meta(ge=0)] = 31

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone times are turned into, ``None`` to leave them as they are."""
        return ZoneInfo(self.timezone) if self.timezone else None

    def opens(self, call: str) -> bool:
        """Whether the settings hold what a call is signed with."""
        if self.by_password(call):
            ready = bool(self.user) and self.password is not None
            return ready and (call != "pull" or self.cm_id is not None)
        return self.keys.of(call) is not None and bool(self.path(call))

    def by_password(self, call: str) -> bool:
        """Whether a call is one of generation c, signed with user and password."""
        return self.generation == "c" and call in PATHS["c"]

    def path(self, call: str) -> str:
        """The address of a call below ``base_url``, empty where none is known."""
        if call == "payment":
            return self.payment_path
        return getattr(self.paths, call) or PATHS[self.generation].get(call, "")

    def in_array(self, call: str) -> bool:
        """Whether a call's body stands in an array: on the pages of generation b it does, of generation c not."""
        wrapper: Wrapper | None = getattr(self.wrap, call)
        return (wrapper or ("object" if self.by_password(call) else "array")) == "array"

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret the settings name, and what the password looks like on the wire."""
        if self.password is None or self.password.missing:
            return self.keys.all()
        return (*self.keys.all(), self.password, Secret(self.token(), self.password.source))

    def token(self) -> str:
        """User and password as they are sent, base64; ``SetupError`` when the password is missing."""
        password = self.password or Secret(None, "the account setting password")
        return base64.b64encode(f"{self.user}:{password.reveal()}".encode()).decode("ascii")


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


FIELD_OF: Mapping[str, str] = {
    "email": "email_id", "phone": "phone", "status": "order_status", "birth_date": "date_of_birth",
    "payment_method": "payment_mode", "payment_reference": "transaction", "amount_paid": "total_paid",
    "order_total": "grand_total", "expected_delivery_on": "expected_delivery_date",
}  # fmt: skip
"""Record field → the one field of an order that is filled from it alone."""

_PLACE = ("address1", "address2", "city", "state", "postal_code", "country")
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "customer_name": ("full_name", "first_name", "middle_name", "last_name", "company"),
    "address": tuple(f"billing_{part}" for part in _PLACE),
    "shipping_address": tuple(f"shipping_{part}" for part in _PLACE),
    "zip_code": ("shipping_postal_code", "billing_postal_code"),
}
"""Field of an order → the record fields its text is made of."""

ORDER_FIELDS = frozenset(
    ("order_status", "create_date", "shipping_address", "zip_code", "payment_mode", "transaction", "total_paid",
     "grand_total", "expected_delivery_date", "erp_order_id", "order_id")
)  # fmt: skip
"""Fields that stand in the order block of generation c, by their names in generation b."""


def read_account(name: str, table: Mapping[str, Any]) -> AccountTable:
    """The account's settings; ``SetupError`` says what is wrong or missing."""
    where = f"pipeline.toml [accounts.{name}]"
    if "base_url" not in table:
        raise SetupError(f"{where}: base_url is missing; every Kapture tenant has a host of its own.")
    _check_parts(table, where)
    account = read_table(AccountTable, table, where)
    _check_zone(account.timezone, where)
    _check_path(account.payment_path, f"{where}: payment_path")
    for call in PATHS["b"]:
        _check_path(getattr(account.paths, call), f"{where}: paths.{call}")
    _check_generation(account, where)
    if account.look_first and not (account.opens("pull") and account.pull_proves_absence):
        needed = "cm_id" if account.generation == "c" else "keys.pull"
        raise SetupError(f"{where}: look_first needs {needed} and pull_proves_absence; see the target's README.")
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
    known = [name for name, spec in RECORD_KINDS["order"].items() if spec.level == "record" and name != "extra"]
    if source not in known and not re.fullmatch(r"extra\..+", source):
        raise SetupError(f"{where}: '{source}' is no field of an order.{nearest(source, known)}")


def key_ends(account: AccountTable) -> dict[str, date]:
    """The end dates the settings tell, by the call the key is for."""
    ends = {call.name: getattr(account.expires, call.name) for call in msgspec.structs.fields(ExpiresTable)}
    return {call: end for call, end in ends.items() if end is not None}


def expiry_warnings(account: AccountTable, today: date) -> Iterator[str]:
    """A sentence per key that ends within ``EXPIRY_NOTICE_DAYS`` days, or has ended."""
    for call, ends in key_ends(account).items():
        if (ends - today).days < EXPIRY_NOTICE_DAYS:
            when = f"ended on {ends}" if ends < today else f"ends on {ends}"
            yield f"keys.{call} {when}: renew it at Kapture and put the new date into expires.{call}."


def _check_parts(table: Mapping[str, Any], where: str) -> None:
    """The tables within the table, each named where it is wrong."""
    parts: dict[str, type[msgspec.Struct]] = {
        "keys": KeysTable, "wrap": WrapTable, "expires": ExpiresTable, "paths": PathsTable,
    }  # fmt: skip
    for part, shape in parts.items():
        if part in table:
            read_table(shape, table[part], f"{where} {part}")


def _check_generation(account: AccountTable, where: str) -> None:
    """What belongs to one generation has no effect in the other, so it is refused there."""
    if account.generation == "b":
        named = [
            name for name in ("user", "password", "cm_id", "order_block", "order_fields") if getattr(account, name)
        ]
        if named:
            raise SetupError(f'{where}: {named[0]} belongs to generation = "c".')
        return
    if ":" in account.user:
        raise SetupError(f"{where}: a user name with a colon cannot be sent (RFC 7617).")
    if account.auth_in == "query":
        raise SetupError(f"{where}: auth_in belongs to generation b; generation c signs with user and password.")
    if account.order_block in {"customer_info", "contact_info", "enquiry_info", "product_details"}:
        raise SetupError(f"{where}: order_block '{account.order_block}' is another part of the call.")
    for name in account.order_fields:
        if name not in ORDER_FIELDS:
            raise SetupError(
                f"{where} order_fields: '{name}' is none of ours.{nearest(name, ORDER_FIELDS)} "
                f"Known: {', '.join(sorted(ORDER_FIELDS))}."
            )


def _check_path(path: str, where: str) -> None:
    if path and (not re.fullmatch(r"/[A-Za-z0-9._/-]+", path) or ".." in path):
        raise SetupError(f"{where} '{path}' is not a path below base_url, such as /payments.html.")


def _check_zone(name: str, where: str) -> None:
    if not name:
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SetupError(f"{where} timezone: '{name}' is not a time zone; write one such as Asia/Kolkata.") from None
