"""Order Desk: stock items, orders and shipments over its REST API v2 (see ``README.md`` beside this file)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

from msgspec.json import Encoder

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.settings import check_base_url
from pipeline.targets.contract import Account, Operation, Refused, Request, Signed
from pipeline.targets.orderdesk.answers import Redact, pace
from pipeline.targets.orderdesk.clearing import clears_order, clears_stock
from pipeline.targets.orderdesk.listing import Lists
from pipeline.targets.orderdesk.orders import order_plan, shipment_plan
from pipeline.targets.orderdesk.probing import probe
from pipeline.targets.orderdesk.problems import (
    order_problems,
    ordered_stock_problems,
    shipment_problems,
    stock_problems,
)
from pipeline.targets.orderdesk.settings import (
    InventoryOptions,
    OrderDeskAccount,
    OrderOptions,
    ShipmentOptions,
    read_account,
    read_options,
)
from pipeline.targets.orderdesk.stock import stock_plan
from pipeline.targets.orderdesk.together import stock_together

OPERATIONS = ("inventory_item", "order", "shipment")
HIDDEN = "[redacted]"
_in_json = Encoder().encode


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account of one Order Desk store; ``SetupError`` says what is wrong with its table."""
    account = read_account(name, table)
    base_url = check_base_url(account.base_url, f"pipeline.toml [accounts.{name}]")
    redact = _redacting(account)
    asked = Asked()
    return Account(
        name=name,
        target="orderdesk",
        base_url=base_url,
        rate=account.bucket(),
        sign=lambda request: _signed(request, base_url, str(account.store_id), account.api_key.reveal()),
        show=lambda request: _signed(request, base_url, str(account.store_id), HIDDEN),
        operation=lambda operation, options: _operation(account, name, operation, options, redact, asked),
        operation_names=OPERATIONS,
        probe=lambda: probe(redact, frozenset(asked.folders)),
        pace=pace,
        concurrency=account.concurrency,
        timeout=account.timeout_seconds,
        settle_seconds=account.settle_seconds,
        warnings=_warnings(name, account),
        listing=Lists(redact, asked.shops_of, account.list_days_back).read,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What the mappings ask of this account, noted as its operations are bound.

    ``shops`` are source names by operation: `reconcile` leaves other shops' orders alone. ``folders`` are those fresh
    orders are moved to: `check --online` looks whether the store has them.
    """

    shops: dict[str, set[str]] = field(default_factory=dict)
    folders: set[str | int] = field(default_factory=set)

    def shops_of(self, operation: str) -> frozenset[str]:
        """Source names of an operation, empty where every shop is meant; orders alone have a default."""
        known = self.shops.get(operation, {"orderdrop"} if operation == "order" else {""})
        return frozenset() if "" in known else frozenset(known)

    def note(self, operation: str, options: OrderOptions | ShipmentOptions) -> None:
        """Remember the shop and the folder that are meant."""
        self.shops.setdefault(operation, set()).add(options.source_name or "")
        folder = getattr(options, "folder", None)
        if folder is not None:
            self.folders.add(folder)


def _warnings(name: str, account: OrderDeskAccount) -> tuple[str, ...]:
    if account.concurrency == 1:
        return ()
    risk = "with a concurrency above 1 two orders that bring the same new SKU may both create it"
    return (f"Account '{name}': {risk}; keep it at 1 where inventory_item is fed from orders.",)


def _operation(
    account: OrderDeskAccount,
    name: str,
    operation: str,
    options: Mapping[str, Any],
    redact: Redact,
    asked: Asked,
) -> Operation:
    where = f"Account '{name}', operation '{operation}', options"
    look_first = account.look_first
    match operation:
        case "inventory_item":
            stock = read_options(InventoryOptions, options, where)
            return Operation(
                operation,
                frozenset({"inventory_item", "order"}),
                partial(stock_plan, stock, redact),
                _stock_problems,
                can_update=True,
                clears=clears_stock,
                together=stock_together(stock, redact),
            )
        case "order":
            order = read_options(OrderOptions, options, where)
            asked.note(operation, order)
            return Operation(
                operation,
                frozenset({"order"}),
                lambda record, prior: order_plan(order, redact, look_first=look_first, record=record, prior=prior),
                lambda record: order_problems(record, order),
                can_update=True,
                clears=lambda name: clears_order(name, order),
            )
        case "shipment":
            shipment = read_options(ShipmentOptions, options, where)
            asked.note(operation, shipment)
            return Operation(
                operation,
                frozenset({"shipment"}),
                lambda record, _prior: shipment_plan(shipment, redact, look_first=look_first, record=record),
                shipment_problems,
            )
    raise SetupError(
        f"Account '{name}': Order Desk has no operation '{operation}'.{nearest(operation, OPERATIONS)} "
        f"Known: {', '.join(OPERATIONS)}."
    )


def _stock_problems(record: Record) -> list[Refused]:
    if record.kind == "inventory_item":
        return list(stock_problems(record))
    return list(ordered_stock_problems(record))


def _signed(request: Request, base_url: str, store_id: str, api_key: str) -> Signed:
    """Address, the vendor's two headers, and a content type only where there is content (documented 2025)."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    headers = {"ORDERDESK-STORE-ID": store_id, "ORDERDESK-API-KEY": api_key}
    content = b""
    if request.json is not None:
        content = _in_json(request.json)
        headers["Content-Type"] = "application/json"
    return Signed(request.method, f"{base_url}{request.path}{query}", headers, content)


def _redacting(account: OrderDeskAccount) -> Callable[[str], str]:
    """Blacks the key out of whatever Order Desk says: an answer may echo it."""

    def redact(text: str) -> str:
        return account.api_key.hidden_in(text, HIDDEN)

    return redact
