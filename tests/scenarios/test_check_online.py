"""``orderdrop check --online`` against the sandbox: products a mapping names, custom fields made on request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from project import SECRETS, SETTINGS

from pipeline.cli import cli
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

MAPPING = """
feed: orders
files: {pattern: "orders*"}
record: order
fields:
  order_id:   {column: "Order"}
  ordered_at: {column: "Date", parse: datetime}
  email:      {column: "Email"}
  last_name:  {column: "Name"}
  sku:        {column: "Item", parse: choice, choices: {blue: WB-100, red: NO-SUCH, course: workbook, gone: old-course}}
  quantity:   {constant: "1"}
  unit_price: {column: "Price", parse: money}
deliver:
"""
API = '\n[accounts.{name}]\ntarget = "keap"\napi = "{api}"\napi_key = {{ env = "KEAP_API_KEY" }}\nbase_url = "{url}"\n'


class House:
    def __init__(self, folder: Path, sandbox: SandboxServer) -> None:
        self.path, self.sandbox = folder, sandbox
        for name in ("inbox", "mappings"):
            (folder / name).mkdir(parents=True)
        urls = sandbox.base_urls()
        settings = SETTINGS.format(**urls, settle=0, patience=3)
        for name, api in (("old", "xmlrpc"), ("older", "rest-v1")):
            settings += API.format(name=name, api=api, url=urls["keap"])
        (folder / "pipeline.toml").write_text(settings)

    def deliver(self, *entries: str) -> None:
        (self.path / "mappings" / "orders.yaml").write_text(MAPPING + "".join(f"  - {entry}\n" for entry in entries))

    def check(self, *more: str) -> tuple[int, dict[str, str]]:
        called = CliRunner().invoke(cli, ["check", "--online", "--json", *more, "--project", str(self.path)])
        told: dict[str, Any] = json.loads(called.stdout)
        return called.exit_code, {one["what"]: f"{one['verdict']}: {one['message']}" for one in told["lines"]}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with SandboxServer(all_targets()) as sandbox:
        yield House(tmp_path / "p", sandbox)


@pytest.mark.parametrize("account", ["crm", "old", "older"])
def test_products_a_mapping_names_are_looked_for(house: House, account: str) -> None:
    house.deliver(f"{{account: {account}, operation: place_order}}")
    code, told = house.check()
    assert code == 2
    assert told[f"account {account} products"].startswith(
        "problem: not there, though feed orders names them: NO-SUCH, workbook, old-course."
    )
    house.deliver(f"{{account: {account}, operation: place_order, options: {{create_products: true}}}}")
    code, told = house.check()
    assert code == 0
    assert f"account {account} products" not in told
    assert house.sandbox.truth()["keap"]["orders"] == []


def test_the_products_of_a_shop_are_compared_with_its_own_list(house: House) -> None:
    house.deliver("{account: school, operation: create_order}")
    code, told = house.check()
    said = told["account school products"]
    assert code == 2
    assert "names them: NO-SUCH, old-course." in said
    mapping = house.path / "mappings" / "orders.yaml"
    mapping.write_text(mapping.read_text().replace("{blue: WB-100, red: NO-SUCH, course: workbook, gone: old-course}",
                                                   "{course: workbook}"))  # fmt: skip
    code, told = house.check()
    assert (code, told["account school products"]) == (0, "ok: feed orders: the products it names are there (1)")


def test_products_named_by_options_are_looked_for(house: House) -> None:
    house.deliver(
        "{account: older, operation: place_order, options: {create_products: true, line_products: {shipping: SHIP-1}}}"
    )
    _, told = house.check()
    assert "SHIP-1" in told["account older products"]


@pytest.mark.parametrize(("account", "named"), [("crm", "_Campaignname"), ("old", "Campaign Name")])
def test_custom_fields_are_found_and_made_when_asked(house: House, account: str, named: str) -> None:
    settings = house.path / "pipeline.toml"
    fields = f'custom_fields = {{ order_id = "_ExternalOrderId", tag = "{named}" }}\n'
    kept = [line for line in settings.read_text().splitlines() if not line.startswith("custom_fields")]
    settings.write_text("\n".join(kept).replace(f"[accounts.{account}]\n", f"[accounts.{account}]\n{fields}"))
    house.deliver(f"{{account: {account}, operation: place_order, options: {{create_products: true}}}}")
    code, told = house.check()
    assert code == 2
    assert told[f"account {account} online"].startswith("ok")
    assert told[f"account {account} custom fields"].startswith(f"problem: not there: {named}.")
    code, told = house.check("--create-fields")
    assert told[f"account {account} custom fields"].startswith(f"ok: created there: {named}")
    code, told = house.check()
    assert (code, told[f"account {account} custom fields"]) == (0, "ok: every field that the settings name is there")


KEYS = {
    "wrong": {"shop": "bad_key", "crm": "keap_bad_key", "old": "keap_bad_key", "school": "bad_key", "desk": "bad_key"},
    "expired-key": {"crm": "keap_expired_key", "old": "keap_expired_key", "desk": "expired_key"},
    "no-rights-key": {"crm": "keap_not_enabled", "old": "keap_not_enabled"},
    "not-enabled-key": {"school": "not_enabled"},
    "old-generation-key": {"school": "wrong_generation"},
}


@pytest.mark.parametrize("key", KEYS)
def test_bad_expired_powerless_and_switched_off_keys_are_told_apart(
    house: House, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = house.path / "pipeline.toml"
    settings.write_text(settings.read_text().replace("push = {", 'pull = { env = "PULL" }, push = {'))
    for name in (*SECRETS, "PULL"):
        monkeypatch.setenv(name, key)
    called = CliRunner().invoke(cli, ["check", "--online", "--json", "--project", str(house.path)])
    lines = json.loads(called.stdout)["lines"]
    codes = {one["what"].split()[1]: one["code"] for one in lines if one["what"].endswith(" online")}
    assert called.exit_code == 3
    assert {name: codes[name] for name in KEYS[key]} == KEYS[key]
    assert key not in called.output
