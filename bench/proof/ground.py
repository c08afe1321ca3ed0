"""The ground the proofs stand on: a project folder made on the spot, pointed at a sandbox, and its truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECRETS: Mapping[str, str] = {
    "ORDERDESK_API_KEY": "sandbox-key",
    "KEAP_API_KEY": "sandbox-key",
    "INFLUENCERSOFT_RPS_KEY": "sandbox-key",
    "KAPTURE_PUSH_KEY": "sandbox-push-key",
    "KAPTURE_SEARCH_KEY": "sandbox-search-key",
}
FAST = "rate = { burst = 1000000, per_second = 1000000 }"
ACCOUNTS: Mapping[str, str] = {
    "orderdesk": 'store_id = "90001"\napi_key = { env = "ORDERDESK_API_KEY" }',
    "keap": 'api_key = { env = "KEAP_API_KEY" }\ncustom_fields = { order_id = "_ExternalOrderId" }',
    "influencersoft": 'login = "demo-shop"\napi_key = { env = "INFLUENCERSOFT_RPS_KEY" }',
    "kapture": 'keys = { push = { env = "KAPTURE_PUSH_KEY" }, search = { env = "KAPTURE_SEARCH_KEY" } }',
}
DELIVER: Mapping[str, str] = {
    "orderdesk": "{account: orderdesk, operation: order}",
    "keap": "{account: keap, operation: place_order, options: {create_products: true}}",
    "influencersoft": "{account: influencersoft, operation: create_order}",
    "kapture": "{account: kapture, operation: push_order}",
}
MAPPING = """
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
ORDER_ID_FIELDS: Mapping[str, str] = {
    "orderdesk": "source_id", "keap": "external_id", "influencersoft": "tag", "kapture": "erp_order_id",
}  # fmt: skip


def row(order_id: str, *, qty: str = "1", price: str = "12.50") -> str:
    """One order line of the feed; a ``qty`` that is no number is rejected."""
    return f"{order_id},01/05/2026,{order_id}@example.com,Anna Berg,1 Main St,Boston,02110,US,WB-100,Mug,{qty},{price}"


@dataclass(frozen=True, slots=True)
class Ground:
    """One project folder with accounts at the named targets."""

    path: Path

    @classmethod
    def make(
        cls, path: Path, base_urls: Mapping[str, str], targets: Iterable[str], *, settle: float, patience: float = 3
    ) -> Ground:
        """Settings and one mapping that delivers every order to each of ``targets``; times in seconds."""
        (path / "mappings").mkdir(parents=True)
        (path / "inbox").mkdir()
        parts = ['[project]\ntimezone = "America/New_York"\n[intake]\nsettle_seconds = 0\n']
        parts.append(f"[delivery]\npatience_seconds = {patience}\n")
        for name in targets:
            times = f"settle_seconds = {settle}\ntimeout_seconds = 10"
            parts.append(f'[accounts.{name}]\ntarget = "{name}"\nbase_url = "{base_urls[name]}"\n')
            parts.append(f"{ACCOUNTS[name]}\n{FAST}\n{times}\n")
        (path / "pipeline.toml").write_text("".join(parts))
        deliver = "".join(f"  - {DELIVER[name]}\n" for name in targets)
        (path / "mappings" / "orders.yaml").write_text(MAPPING + deliver)
        return cls(path)

    def drop(self, name: str, rows: Iterable[str]) -> Path:
        """Put a whole CSV into the inbox."""
        path = self.path / "inbox" / name
        path.write_text("\n".join((HEADER, *rows)) + "\n")
        return path

    def files_in(self, folder: str) -> list[str]:
        """Names of the files below one folder of the project, hidden ones too."""
        root = self.path / folder
        return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()) if root.is_dir() else []


def orders_at(truth: Mapping[str, Any], target: str, prefix: str = "") -> Counter[str]:
    """How often each of our order numbers exists at a target, by the sandbox's own record."""
    name = ORDER_ID_FIELDS[target]
    seen = (str(order.get(name) or "") for order in truth[target]["orders"])
    return Counter(key for key in seen if key.startswith(prefix))


def fast_folder() -> str | None:
    """A folder in memory where there is one: a kill takes the process, not the disk, so syncing proves nothing more."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
