"""A project folder for tests: made on the spot, pointed at a sandbox, driven through the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forked import forked

SECRETS = {
    "ORDERDESK_API_KEY": "sandbox-key",
    "KEAP_API_KEY": "sandbox-key",
    "INFLUENCERSOFT_RPS_KEY": "sandbox-key",
    "KAPTURE_PUSH_KEY": "sandbox-push-key",
}

SETTINGS = """
[project]
timezone = "America/New_York"
[intake]
settle_seconds = 0
[delivery]
patience_seconds = {patience}
[accounts.shop]
target = "orderdesk"
store_id = "90001"
api_key = {{ env = "ORDERDESK_API_KEY" }}
base_url = "{orderdesk}"
rate = {{ burst = 1000, per_second = 1000 }}
settle_seconds = {settle}
[accounts.crm]
target = "keap"
api_key = {{ env = "KEAP_API_KEY" }}
base_url = "{keap}"
custom_fields = {{ order_id = "_ExternalOrderId", status = "_FulfillmentStatus" }}
rate = {{ burst = 1000, per_second = 1000 }}
settle_seconds = {settle}
[accounts.school]
target = "influencersoft"
login = "demo-shop"
api_key = {{ env = "INFLUENCERSOFT_RPS_KEY" }}
base_url = "{influencersoft}"
rate = {{ burst = 1000, per_second = 1000 }}
[accounts.desk]
target = "kapture"
base_url = "{kapture}"
keys = {{ push = {{ env = "KAPTURE_PUSH_KEY" }} }}
rate = {{ burst = 1000, per_second = 1000 }}
"""

ORDERS_YAML = """
feed: orders
files: {pattern: "orders*"}
record: order
fields:
  order_id:   {column: "Order #"}
  ordered_at: {column: "Date", parse: datetime, format: "%m/%d/%Y"}
  email:      {column: "Email"}
  first_name: {column: "Name", parse: split_name}
  last_name:  {column: "Name", parse: split_name}
  shipping_address1: {column: "Street"}
  shipping_city: {column: "City"}
  shipping_postal_code: {column: "Zip"}
  shipping_country: {column: "Country"}
  sku:        {column: "SKU"}
  product_name: {column: "Item"}
  quantity:   {column: "Qty", parse: integer}
  unit_price: {column: "Price", parse: money}
skip_rows_where: {column: "Order #", is: ["", "TOTAL"]}
deliver:
"""

HEADER = "Order #,Date,Email,Name,Street,City,Zip,Country,SKU,Item,Qty,Price"
DELIVER = {
    "shop": "  - {account: shop, operation: order}\n",
    "crm": "  - {account: crm, operation: place_order, options: {create_products: true}}\n",
    "desk": "  - {account: desk, operation: push_order}\n",
    "school": "  - {account: school, operation: create_order}\n",
}


def order_row(
    order_id: str, *, date: str = "01/05/2026", qty: str = "1", sku: str = "MUG-BL", email: str = "anna@example.com"
) -> str:
    """One good order line of the test feed."""
    return f'{order_id},{date},{email},Anna Berg,1 Main St,Boston,02110,US,{sku},"Mug, blue",{qty},12.50'


@dataclass
class ProjectFolder:
    """A project on disk; ``run`` and its kin call the command as a person would, in a process of its own."""

    path: Path
    secrets: Mapping[str, str] = field(default_factory=lambda: dict(SECRETS))

    @classmethod
    def make(
        cls,
        path: Path,
        base_urls: Mapping[str, str],
        *,
        to: tuple[str, ...] = ("shop",),
        settle: float = 0.5,
        patience: float = 3,
    ) -> ProjectFolder:
        for name in ("inbox", "mappings"):
            (path / name).mkdir(parents=True)
        settings = SETTINGS.format(**base_urls, settle=settle, patience=patience)
        (path / "pipeline.toml").write_text(settings)
        (path / "mappings" / "orders.yaml").write_text(ORDERS_YAML + "".join(DELIVER[name] for name in to))
        return cls(path)

    def be_patient(self, seconds: float = 60) -> None:
        """From now on a run waits that long for what is put off, so that it comes to its end."""
        settings = self.path / "pipeline.toml"
        told = re.sub(r"patience_seconds = .*", f"patience_seconds = {seconds:g}", settings.read_text(), count=1)
        settings.write_text(told)

    def drop(self, name: str, *rows: str, header: str = HEADER) -> Path:
        """Put a CSV into the inbox."""
        path = self.path / "inbox" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join((header, *rows)) + "\n")
        return path

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments, "--project", str(self.path)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment(),
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The environment of the command: the test's own, with the secrets."""
        return {**os.environ, **self.secrets}

    def call(self, *arguments: str) -> Called:
        """Run the command to its end."""
        return Called(*forked([*arguments, "--project", str(self.path)], self.environment(), seconds=100))

    def run(self) -> Called:
        """``orderdrop run --json``"""
        return self.call("run", "--json")

    def status(self) -> dict[str, Any]:
        """``orderdrop status --json``"""
        return self.call("status", "--json").json()

    def workbooks(self) -> list[Path]:
        """What lies in ``errors/``."""
        return sorted((self.path / "errors").glob("*")) if (self.path / "errors").is_dir() else []


@dataclass(frozen=True)
class Called:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Standard output as one JSON document."""
        document: dict[str, Any] = json.loads(self.out)
        return document
