"""Order Desk: stock items, orders and shipments over its REST API v2 (see ``README.md`` beside this file)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.settings import check_base_url
from pipeline.targets.contract import (
    Account,
    Answer,
    Done,
    Operation,
    Outcome,
    Plan,
    Refused,
    Request,
    Signed,
    Step,
)
from pipeline.targets.orderdesk.answers import Kind, Redact, pace, trouble
from pipeline.targets.orderdesk.orders import order_plan, shipment_plan
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

OPERATIONS = ("inventory_item", "order", "shipment")
HIDDEN = "[redacted]"


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account of one Order Desk store; ``SetupError`` says what is wrong with its table."""
    account = read_account(name, table)
    base_url = check_base_url(account.base_url, f"pipeline.toml [accounts.{name}]")
    redact = _redacting(account)
    return Account(
        name=name,
        target="orderdesk",
        base_url=base_url,
        rate=account.bucket(),
        sign=lambda request: _signed(request, base_url, str(account.store_id), account.api_key.reveal()),
        show=lambda request: _signed(request, base_url, str(account.store_id), HIDDEN),
        operation=lambda operation, options: _operation(account, name, operation, options, redact),
        operation_names=OPERATIONS,
        probe=lambda: _probe(redact),
        pace=pace,
        concurrency=account.concurrency,
        timeout=account.timeout_seconds,
        settle_seconds=account.settle_seconds,
        warnings=_warnings(name, account),
    )


def _warnings(name: str, account: OrderDeskAccount) -> tuple[str, ...]:
    if account.concurrency == 1:
        return ()
    risk = "with a concurrency above 1 two orders that bring the same new SKU may both create it"
    return (f"Account '{name}': {risk}; keep it at 1 where inventory_item is fed from orders.",)


def _operation(
    account: OrderDeskAccount, name: str, operation: str, options: Mapping[str, Any], redact: Redact
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
            )
        case "order":
            order = read_options(OrderOptions, options, where)
            return Operation(
                operation,
                frozenset({"order"}),
                lambda record, prior: order_plan(
                    order, redact, look_first=look_first, record=record, prior=prior
                ),
                lambda record: order_problems(record, order),
                can_update=True,
            )
        case "shipment":
            shipment = read_options(ShipmentOptions, options, where)
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
    problems = stock_problems if record.kind == "inventory_item" else ordered_stock_problems
    return list(problems(record))


def _signed(request: Request, base_url: str, store_id: str, api_key: str) -> Signed:
    """Address, the vendor's two headers, and a content type only where there is content (documented 2025)."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    headers = {"ORDERDESK-STORE-ID": store_id, "ORDERDESK-API-KEY": api_key}
    content = b""
    if request.json is not None:
        content = json.dumps(request.json, ensure_ascii=False, allow_nan=False).encode()
        headers["Content-Type"] = "application/json"
    return Signed(request.method, f"{base_url}{request.path}{query}", headers, content)


def _redacting(account: OrderDeskAccount) -> Callable[[str], str]:
    """Blacks the key out of whatever Order Desk says: an answer may echo it."""

    def redact(text: str) -> str:
        return text if account.api_key.missing else text.replace(account.api_key.reveal(), HIDDEN)

    return redact


def _probe(redact: Redact) -> Plan:
    """The vendor's own test call; never ``/store``, whose answer holds the key and a mail password."""

    def read(answer: Answer) -> Outcome:
        bad = trouble(answer, redact, Kind.READ)
        return Done({"id": ""}) if bad is None else bad

    return (yield Step("test", Request("GET", "/test"), read, reads_only=True))
