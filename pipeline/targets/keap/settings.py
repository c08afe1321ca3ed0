"""What ``[accounts.<name>]`` may say for Keap, complete or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.fields import RECORD_KINDS
from pipeline.settings import Secret, check_base_url, read_table
from pipeline.targets.contract import Rate
from pipeline.targets.keap.options import one_of

APIS = ("rest-v2", "rest-v1", "xmlrpc")
AUTHS = ("bearer", "x-keap-api-key")
EXTRA = "extra."
XMLRPC_ENDS = (
    "Keap's XML-RPC is reported to end on 2026-12-31, with planned outages before; "
    'set api = "rest-v2" while both answer.'
)
V1_LIMITS = (
    "Keap's REST v1 can only create: it changes no order, writes no order custom field, wants a product for every "
    'line and takes no discount. Set api = "rest-v2" unless this tenant lacks it.'
)
V1_NO_FIELDS = "custom_fields are not written: Keap's REST v1 has no custom fields on an order."


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
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know of the chosen API; dates as reported up to 2026-11."""
        if self.api == "xmlrpc":
            return (XMLRPC_ENDS,)
        if self.api == "rest-v1":
            return (V1_LIMITS, V1_NO_FIELDS) if self.custom_fields else (V1_LIMITS,)
        return ()

    @property
    def looks_first(self) -> bool:
        """Whether an order is searched before it is sent."""
        return "order_id" in self.custom_fields if self.look_first is None else self.look_first

    def bucket(self) -> Rate:
        """The rate as the contract wants it."""
        return Rate(self.rate.burst, self.rate.per_second)


def read_account(name: str, table: Mapping[str, Any]) -> KeapAccount:
    """The account's settings; ``SetupError`` names the account and the key."""
    where = f"[accounts.{name}]"
    account = read_table(KeapAccount, table, where)
    one_of(account.api, APIS, f"{where} api")
    one_of(account.auth, AUTHS, f"{where} auth")
    check_base_url(account.base_url, where)
    _check_numbers(account, where)
    _check_custom_fields(account.custom_fields, f"{where} custom_fields")
    return account


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
