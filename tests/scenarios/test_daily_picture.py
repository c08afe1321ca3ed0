"""Once a day: what changed at the fulfillment house since yesterday, and nothing else, goes to the targets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from project import SECRETS, SETTINGS

from pipeline.cli import cli
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

ORDERS = """
feed: orders
files: {pattern: "orders*"}
record: order
on_change: update
fields:
  order_id:   {column: "Order"}
  ordered_at: {column: "Date", parse: datetime, format: "%Y-%m-%d"}
  email:      {column: "Email"}
  first_name: {column: "Name", parse: split_name}
  last_name:  {column: "Name", parse: split_name}
  shipping_address1: {column: "Street"}
  shipping_city: {column: "City"}
  shipping_state: {column: "State"}
  shipping_postal_code: {column: "Zip"}
  shipping_country: {column: "Country"}
  sku:        {column: "SKU"}
  product_name: {column: "Item"}
  quantity:   {column: "Qty", parse: integer}
  unit_price: {column: "Price", parse: money}
  status:     {column: "Status"}
deliver:
  - {account: shop, operation: order}
  - {account: crm, operation: place_order, options: {create_products: true, send_payment: false}}
"""
STOCK = """
feed: stock
files: {pattern: "stock*"}
record: inventory_item
on_change: update
fields:
  sku:   {column: "SKU"}
  name:  {column: "Item"}
  stock: {column: "Stock", parse: decimal, optional: true}
  price: {column: "Price", parse: money, optional: true}
deliver:
  - {account: shop, operation: inventory_item}
"""
ORDERS_HEADER = "Order,Date,Email,Name,Street,City,State,Zip,Country,SKU,Item,Qty,Price,Status"
STOCK_HEADER = "SKU,Item,Stock,Price"


def order(number: str, status: str, *, city: str = "Boston") -> str:
    person = f"anna{number}@example.com,Anna Berg,1 Main St,{city},MA,02110,US"
    return f"{number},2026-01-05,{person},MUG-BL,Blue mug,2,12.50,{status}"


class House:
    """The project folder of a shop with two targets, and what they hold."""

    def __init__(self, folder: Path, sandbox: SandboxServer) -> None:
        self.path, self.sandbox = folder, sandbox
        for name in ("inbox", "mappings"):
            (folder / name).mkdir(parents=True)
        (folder / "pipeline.toml").write_text(SETTINGS.format(**sandbox.base_urls(), settle=0, patience=3))
        (folder / "mappings" / "orders.yaml").write_text(ORDERS)
        (folder / "mappings" / "stock.yaml").write_text(STOCK)

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--project", str(self.path)])

    def day(self, name: str, header: str, *rows: str) -> tuple[Result, list[str]]:
        """Drop a file and run; the writes that arrived at the targets, as ``orderdesk POST /api/v2/orders``."""
        (self.path / "inbox" / name).write_text("\n".join([header, *rows]) + "\n")
        before = len(self.sandbox.calls)
        ran = self.call("run")
        calls = self.sandbox.calls[before:]
        return ran, [f"{one.target} {one.method} {one.path}" for one in calls if one.method != "GET"]

    def states(self, key: str) -> dict[str, list[str]]:
        told = json.loads(self.call("find", key, "--json").stdout)
        states: dict[str, list[str]] = {}
        for delivery in told["deliveries"]:
            states.setdefault(delivery["account"], []).append(delivery["state"])
        return states

    def picture(self) -> dict[str, list[tuple[Any, ...]]]:
        """By target: order, city, SKU, quantity, price, total, status, as the target holds them."""
        truth = self.sandbox.truth()
        return {
            "orderdesk": [_at_orderdesk(one) for one in truth["orderdesk"]["orders"]],
            "keap": [_at_keap(one) for one in truth["keap"]["orders"]],
        }

    def stock(self) -> dict[str, tuple[Any, Any]]:
        items = self.sandbox.truth()["orderdesk"]["inventory_items"]
        return {one["code"]: (one.get("stock"), one.get("price")) for one in items}


def _at_orderdesk(one: Mapping[str, Any]) -> tuple[Any, ...]:
    (item,) = one["order_items"]
    status = {**one["checkout_data"], **one["order_metadata"]}.get("status")
    line = (item["code"], item["quantity"], Decimal(str(item["price"])), Decimal(str(one["order_total"])))
    return (one["source_id"], one["shipping"]["city"], *line, status)


def _at_keap(one: Mapping[str, Any]) -> tuple[Any, ...]:
    (item,) = one["lines"]
    line = (item["sku"], item["quantity"], Decimal(item["price_per_unit"]), Decimal(one["total"]))
    status = one["custom_fields"]["_FulfillmentStatus"]
    return (one["external_id"], one["shipping_address"]["locality"], *line, status)


def in_file(*rows: str) -> list[tuple[Any, ...]]:
    """The same picture, read from the rows of the file."""
    split = [row.split(",") for row in rows]
    return sorted((r[0], r[5], r[9], int(r[11]), Decimal(r[12]), int(r[11]) * Decimal(r[12]), r[13]) for r in split)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with SandboxServer(all_targets()) as sandbox:
        yield House(tmp_path / "p", sandbox)


def test_only_the_changes_travel_and_the_picture_equals_the_file(house: House) -> None:
    first = [order(number, "packed") for number in ("1001", "1002", "1003")]
    ran, writes = house.day("orders_1.csv", ORDERS_HEADER, *first)
    assert ran.exit_code == 0, ran.output
    assert {target: sorted(held) for target, held in house.picture().items()} == dict.fromkeys(
        ("orderdesk", "keap"), in_file(*first)
    )

    # Another order of rows, one untouched, one moved to another city, one shipped, one new.
    second = [
        order("1004", "packed"), order("1003", "shipped"),
        order("1002", "packed", city="Salem"), order("1001", "packed"),
    ]  # fmt: skip
    ran, writes = house.day("orders_2.csv", ORDERS_HEADER, *second)
    assert ran.exit_code == 0, ran.output
    assert "6 delivered, 2 unchanged" in ran.output
    assert house.states("1001") == {"shop": ["delivered", "unchanged"], "crm": ["delivered", "unchanged"]}
    assert house.states("1003") == {"shop": ["delivered", "delivered"], "crm": ["delivered", "delivered"]}
    assert sorted(call for call in writes if "/orders" in call) == [
        "keap PATCH /crm/rest/v2/orders/5311", "keap PATCH /crm/rest/v2/orders/5312", "keap POST /crm/rest/v2/orders",
        "orderdesk POST /api/v2/orders",
        "orderdesk PUT /api/v2/orders/100200301", "orderdesk PUT /api/v2/orders/100200302",
    ]  # fmt: skip
    assert {target: sorted(held) for target, held in house.picture().items()} == dict.fromkeys(
        ("orderdesk", "keap"), in_file(*second)
    )
    assert house.sandbox.duplicates() == {name: {} for name in house.sandbox.targets}

    # The same file once more: nothing travels. And both targets' own lists say the same as the ledger.
    ran, writes = house.day("orders_3.csv", ORDERS_HEADER, *reversed(second))
    assert (ran.exit_code, writes) == (0, [])
    told = json.loads(house.call("reconcile", "--json").stdout)
    assert told["exit_code"] == 0
    assert {one["account"]: one["checked"] for one in told["accounts"]} == {"shop": 4, "crm": 4, "school": 0, "desk": 0}


def test_a_change_that_was_ignored_is_sent_once_the_mapping_wants_it(house: House) -> None:
    mapping = house.path / "mappings" / "orders.yaml"
    house.day("orders_1.csv", ORDERS_HEADER, order("1001", "packed"))
    mapping.write_text(ORDERS.replace("on_change: update", "on_change: ignore"))
    _, writes = house.day("orders_2.csv", ORDERS_HEADER, order("1001", "shipped"))
    assert writes == []
    mapping.write_text(ORDERS + "ignore_columns: [Colour]\n")
    ran, _ = house.day("orders_3.csv", ORDERS_HEADER, order("1001", "shipped"))
    assert ran.exit_code == 0, ran.output
    assert house.picture() == dict.fromkeys(("orderdesk", "keap"), in_file(order("1001", "shipped")))


def test_what_people_change_at_a_target_is_told_by_reconcile(house: House) -> None:
    house.day("orders_1.csv", ORDERS_HEADER, order("1001", "packed"), order("1002", "packed"))
    store = house.sandbox.targets["orderdesk"].store  # type: ignore[attr-defined]
    del store.orders[next(iter(store.orders))]
    tenant = house.sandbox.targets["keap"]._book  # type: ignore[attr-defined]
    (by_hand, *_) = tenant.orders.values()
    copied = {name: by_hand[name] for name in ("contact_id", "order_type", "order_time", "order_items")}
    tenant.create({**copied, "order_title": "by hand"})
    code, told = house.call("reconcile", "--json").exit_code, json.loads(house.call("reconcile", "--json").stdout)
    accounts = {one["account"]: one for one in told["accounts"]}
    assert code == 1
    assert [one["key"] for one in accounts["shop"]["missing"]] == ["1001"]
    assert len(accounts["crm"]["extra"]) == 1
    assert accounts["crm"]["missing"] == accounts["crm"]["differing"] == accounts["shop"]["extra"] == []


def test_stock_of_the_day_zero_is_a_value_and_an_empty_cell_is_none(house: House) -> None:
    ran, _ = house.day("stock_1.csv", STOCK_HEADER, "MUG-BL,Blue mug,7,12.50", "MUG-RD,Red mug,3,11", "CUP,Cup,1,5")
    assert ran.exit_code == 0, ran.output
    assert house.stock() == {"MUG-BL": (7, 12.5), "MUG-RD": (3, 11), "CUP": (1, 5)}
    ran, writes = house.day(
        "stock_2.csv", STOCK_HEADER, "CUP,Cup,1,5.00", "MUG-RD,Red mug,,10", "MUG-BL,Blue mug,0,12.50"
    )
    assert ran.exit_code == 0, ran.output
    assert len(writes) == 2
    assert house.stock() == {"MUG-BL": (0, 12.5), "MUG-RD": (3, 10), "CUP": (1, 5)}
