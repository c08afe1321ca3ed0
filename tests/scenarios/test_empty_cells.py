"""An empty cell of a day-two file, from the file to what the targets hold: left, cleared, rejected; warned where it
cannot be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from project import SECRETS, SETTINGS

from pipeline.cli import cli
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

ORDERS = """
feed: orders
files: {{pattern: "orders*"}}
record: order
reject: row
{general}
fields:
  order_id:   {{column: "Order"}}
  ordered_at: {{column: "Date", parse: datetime, format: "%Y-%m-%d"}}
  email:      {{column: "Email", when_empty: leave}}
  full_name:  {{column: "Name", when_empty: leave}}
  phone:      {{column: "Phone"}}
  shipping_address1: {{column: "Street"}}
  shipping_address2: {{column: "Floor"}}
  shipping_city: {{column: "City"}}
  shipping_country: {{column: "Country"}}
  sku:        {{column: "SKU"}}
  quantity:   {{column: "Qty", parse: integer}}
  unit_price: {{column: "Price", parse: money, decimal: "."}}
  status:     {{column: "Status"}}
deliver:
  - {{account: shop, operation: order}}
  - {{account: crm, operation: place_order, options: {{create_products: true}}}}
  - {{account: desk, operation: push_order}}
"""
HEADER = "Order,Date,Email,Name,Phone,Street,Floor,City,Country,SKU,Qty,Price,Status"
FULL = "1001,2026-01-05,a@example.com,Anna Berg,555 0100,1 Main St,4th,Boston,US,MUG,{qty},12.50,packed"
BARE = "1001,2026-01-06,a@example.com,Anna Berg,,1 Main St,,Salem,US,MUG,{qty},12.50,"


class House:
    def __init__(self, folder: Path, sandbox: SandboxServer) -> None:
        self.path, self.sandbox = folder, sandbox
        for name in ("inbox", "mappings"):
            (folder / name).mkdir(parents=True)
        settings = SETTINGS.format(**sandbox.base_urls(), settle=0, patience=3)
        more = 'update = { env = "KAPTURE_UPDATE_KEY" }, push = {'
        (folder / "pipeline.toml").write_text(settings.replace("push = {", more))

    def under(self, general: str) -> None:
        (self.path / "mappings" / "orders.yaml").write_text(ORDERS.format(general=general))

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--project", str(self.path)])

    def day(self, name: str, *rows: str) -> Result:
        (self.path / "inbox" / name).write_text("\n".join([HEADER, *rows]) + "\n")
        return self.call("run")

    def held(self) -> dict[str, tuple[str, str, str, str]]:
        """By target: phone, second line and city of the address, status."""
        truth = self.sandbox.truth()
        (desk_order,), (shop_order,), (crm_order,) = (
            truth[name]["orders"] for name in ("kapture", "orderdesk", "keap")
        )
        (contact,) = truth["keap"]["contacts"]
        shipping, ship_to = shop_order["shipping"], crm_order["shipping_address"]
        return {
            "shop": (shop_order["customer"]["phone"], shipping["address2"], shipping["city"],
                     shop_order["checkout_data"]["status"]),
            "crm": (next((one["number"] for one in contact.get("phone_numbers", ())), ""), ship_to["line2"],
                    ship_to["locality"], crm_order["custom_fields"]["_FulfillmentStatus"]),
            "desk": (desk_order["phone"], "4th" if "4th" in desk_order["shipping_address"] else "",
                     "Salem" if "Salem" in desk_order["shipping_address"] else "Boston", desk_order["order_status"]),
        }  # fmt: skip


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for name, value in {**SECRETS, "KAPTURE_UPDATE_KEY": "sandbox-update-key"}.items():
        monkeypatch.setenv(name, value)
    with SandboxServer(all_targets()) as sandbox:
        yield House(tmp_path / "p", sandbox)


def test_by_default_an_empty_cell_leaves_what_the_targets_have(house: House) -> None:
    house.under("")
    assert house.day("orders_1.csv", FULL.format(qty=1)).exit_code == 0
    assert house.day("orders_2.csv", BARE.format(qty=1)).exit_code == 0
    assert house.held() == dict.fromkeys(("shop", "crm", "desk"), ("555 0100", "4th", "Salem", "packed"))
    # A third day that still says nothing of the address leaves it, too: what was told on the first day counts.
    assert house.day("orders_3.csv", BARE.format(qty=1).replace("Salem", "Lynn")).exit_code == 0
    assert {name: held[:2] for name, held in house.held().items()} == dict.fromkeys(
        ("shop", "crm", "desk"), ("555 0100", "4th")
    )


def test_a_cleared_cell_empties_what_the_targets_have_once(house: House) -> None:
    house.under("when_empty: clear")
    assert house.day("orders_1.csv", FULL.format(qty=1)).exit_code == 0
    assert house.day("orders_2.csv", BARE.format(qty=1)).exit_code == 0
    assert house.held() == dict.fromkeys(("shop", "crm", "desk"), ("", "", "Salem", ""))
    before = len(house.sandbox.calls)
    assert house.day("orders_3.csv", BARE.format(qty=1), "").exit_code == 0
    assert [one for one in house.sandbox.calls[before:] if one.method != "GET"] == []


def test_a_rejected_cell_comes_back_and_nothing_is_sent(house: House) -> None:
    house.under("when_empty: reject")
    ran = house.day("orders_1.csv", BARE.format(qty=1), FULL.format(qty=1).replace("1001", "1002"))
    assert ran.exit_code == 1
    (row, *_) = json.loads(house.call("status", "--json").stdout)["files"]
    assert row["rows"] == {"read": 2, "accepted": 1, "rejected": 1, "skipped": 0}
    assert len(house.sandbox.truth()["orderdesk"]["orders"]) == 1


def test_check_tells_where_a_cell_cannot_be_cleared(house: House) -> None:
    house.under("when_empty: clear")
    mapping = house.path / "mappings" / "orders.yaml"
    mapping.write_text(mapping.read_text() + "  - {account: school, operation: create_order}\n")
    told = house.call("check")
    assert told.exit_code == 0
    assert "school create_order cannot empty phone, shipping_address1" in told.output.replace("\n", " ")
